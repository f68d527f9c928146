from hypothesis import given
from hypothesis import strategies as st

from sparring.experiments.audit.run_audit import find_least


@given(most=st.integers(1, 500), threshold=st.integers(1, 600))
def test_the_least_number_that_breaks_is_found_in_a_few_tries(most, threshold):
    tried = []
    found = find_least(lambda number: tried.append(number) or number >= threshold, most)
    assert found == (threshold if threshold <= most else None)
    assert len(tried) == len(set(tried)) <= 1 + most.bit_length()
    assert all(1 <= number <= most for number in tried)
