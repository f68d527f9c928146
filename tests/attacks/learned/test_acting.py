import numpy as np
import pytest
import torch

from sparring.attacks import LocalSearch, LocalSearchActions, RawUpdateActions
from sparring.attacks.learned.acting import CLIPPING_MEDIAN_CODE, KRUM_CODE, map_to_range
from sparring.conformance.adversary import attacker_view
from sparring.errors import ConfigError
from tests.attacks.views import LOGISTIC


def action(*numbers):
    return np.array(numbers, dtype=np.float32)


def test_a_range_is_run_through_from_end_to_end():
    assert [map_to_range(number, (1, 5)) for number in (-1, 0, 1)] == [1, 3, 5]


def test_what_lies_outside_is_cut_off():
    assert [map_to_range(number, (1, 5)) for number in (-3, 3)] == [1, 5]


def test_three_numbers_set_scale_steps_and_stealth():
    ranges = LocalSearchActions(scale=(0, 10), steps=(1, 21), stealth=(0, 1), numbers=3, variant="ascent")
    assert ranges.attack(action(-1, 0, 0.5)) == LocalSearch(scale=0, steps=11, stealth=0.75, variant="ascent")


def test_two_numbers_leave_the_stealth_out():
    assert LocalSearchActions(scale=(0, 10), steps=(1, 21), numbers=2).attack(action(1, 1)) == LocalSearch(10, 21)


def test_one_number_leaves_the_steps_in_the_middle():
    assert LocalSearchActions(scale=(0, 10), steps=(1, 21), numbers=1).attack(action(0)) == LocalSearch(5, 11)


@pytest.mark.parametrize(
    ("ranges", "scale", "steps"), [(KRUM_CODE, (4.9, 5), (10, 11)), (CLIPPING_MEDIAN_CODE, (14.9, 15), (24, 25))]
)
def test_the_ranges_of_the_authors_code_are_those_that_they_compute(ranges, scale, steps):
    for number in (-1.0, -0.25, 0.0, 0.5, 1.0):
        attack = ranges.attack(action(number, number))
        assert attack.scale == pytest.approx(scale[0] * number + scale[1])
        assert attack.steps == round(steps[0] * number + steps[1])
        assert attack.variant == "reversed_descent"


def test_a_full_update_is_sent_by_every_client():
    rows = RawUpdateActions(bound=2.0).attack(action(*np.linspace(-1, 2, LOGISTIC.size))).craft(attacker_view())
    assert rows.shape == (3, LOGISTIC.size)
    assert rows.abs().max() == 2
    torch.testing.assert_close(rows[0], rows[2])


def test_an_action_has_as_many_numbers_as_it_sets():
    assert LocalSearchActions(numbers=2).size(LOGISTIC) == 2
    assert RawUpdateActions().size(LOGISTIC) == LOGISTIC.size


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LocalSearchActions(scale=(5, 1)), r"acting\.scale is \[5, 1\]; it must rise from at least 0"),
        (lambda: LocalSearchActions(numbers=4), r"acting\.numbers is 4; it must be 1, 2 or 3"),
        (
            lambda: LocalSearchActions(numbers=3),
            r"acting\.numbers is 3; reversed_descent has no stealth, use 2 or 1",
        ),
        (lambda: LocalSearchActions(batch=0), r"acting\.batch is 0; it must be at least 1"),
        (lambda: LocalSearchActions(searches=0), r"acting\.searches is 0; it must be at least 1"),
        (lambda: RawUpdateActions(bound=0), r"acting\.bound is 0; it must be positive and finite"),
    ],
)
def test_meanings_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        make()
