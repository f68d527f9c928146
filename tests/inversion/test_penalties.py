import pytest
import torch

from sparring.errors import ConfigError
from sparring.inversion.trigger_reversal import LARGEST, PenaltySchedule, adjust_penalties, initial_penalties


def weights(outcomes, schedule):
    """Return the weight of one class after each of its trials."""
    penalties, seen = initial_penalties(1), []
    for succeeded in outcomes:
        penalties = adjust_penalties(penalties, torch.tensor([succeeded]), schedule=schedule)
        seen.append(penalties.weights.item())
    return seen


def test_size_does_not_count_until_the_trigger_works():
    assert weights([False, False, True], PenaltySchedule(start=0.5)) == [0, 0, 0.5]


def test_a_penalty_rises_while_the_trigger_works_and_falls_while_it_does_not():
    expected = [0.5, 1.0, 2.0, 2.0 / 2**1.5, 2.0 / 2**3]
    assert weights([True, True, True, False, False], PenaltySchedule(start=0.5)) == pytest.approx(expected)


def test_a_penalty_changes_after_as_many_trials_in_a_row_as_patience_says():
    schedule = PenaltySchedule(start=0.5, patience=2, fall=4.0)
    assert weights([True, False, True, True], schedule) == [0, 0, 0, 0.5]
    assert weights([True, True, True, True], schedule) == [0, 0.5, 0.5, 1.0]
    assert weights([True, True, False, True, False, False], schedule) == [0, 0.5, 0.5, 0.5, 0.5, 0.125]


def test_a_penalty_is_bounded():
    assert weights([True] * 200, PenaltySchedule())[-1] == LARGEST


def test_classes_have_penalties_of_their_own():
    after = adjust_penalties(initial_penalties(2), torch.tensor([True, False]), schedule=PenaltySchedule(start=0.5))
    assert after.weights.tolist() == [0.5, 0]
    assert after.has_risen.tolist() == [True, False]
    after = adjust_penalties(after, torch.tensor([False, False]), schedule=PenaltySchedule(start=0.5))
    assert after.has_fallen.tolist() == [True, False], "there is nothing to lower at zero"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": 0.0}, "schedule.start is 0.0; it must be above 0"),
        ({"patience": 0}, "schedule.patience is 0; it must be at least 1"),
        ({"rise": 1.0}, "schedule.rise is 1.0; it must be above 1 and finite"),
        ({"fall": float("nan")}, "schedule.fall is nan; it must be above 1"),
    ],
)
def test_a_schedule_that_leads_nowhere_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        PenaltySchedule(**settings)
