import pytest

from sparring.policies.action_space import map_from_range, map_to_range


def test_a_range_is_covered_from_end_to_end():
    assert [map_to_range(number, (1, 5)) for number in (-1, 0, 1)] == [1, 3, 5]
    assert [map_to_range(number, (1, 4), spacing="log") for number in (-1, 0, 1)] == pytest.approx([1, 2, 4])


@pytest.mark.parametrize("spacing", ["linear", "log"])
def test_what_lies_outside_is_the_nearer_end(spacing):
    assert [map_to_range(number, (1, 5), spacing=spacing) for number in (-3, 3)] == [1, 5]


@pytest.mark.parametrize("spacing", ["linear", "log"])
def test_a_value_is_mapped_back(spacing):
    for number in (-1, -0.3, 0, 1):
        value = map_to_range(number, (2, 5), spacing=spacing)
        assert map_from_range(value, (2, 5), spacing=spacing) == pytest.approx(number)
    assert [map_from_range(value, (2, 5), spacing=spacing) for value in (0, float("inf"))] == [-1, 1]
    assert map_from_range(3, (2, 2), spacing=spacing) == 0
