import pytest

from sparring.errors import ConfigError
from sparring.learning.online.schedule import OnlineSchedule


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trials": -1}, "schedule.trials is -1; it must be at least 0"),
        ({"pace": 0}, "schedule.pace is 0; it must be at least 1"),
        ({"learns_from": -1}, r"schedule.learns_from is -1; it must be from 0 to attacks_from \(100\)"),
        ({"learns_from": 101}, r"schedule.learns_from is 101; it must be from 0 to attacks_from \(100\)"),
        (
            {"attacks_from": 500},
            r"schedule.learns_until is 400; it must be at least attacks_from \(500\) and above learns_from \(0\)",
        ),
        (
            {"learns_from": 400, "attacks_from": 400},
            r"schedule.learns_until is 400; it must be at least attacks_from \(400\) and above learns_from \(400\)",
        ),
    ],
)
def test_schedules_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        OnlineSchedule(**settings)
