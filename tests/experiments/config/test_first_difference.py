import pytest

from sparring.experiments.config.parse import first_difference
from tests.experiments.small import small


@pytest.mark.parametrize(
    ("setting", "difference"),
    [
        ("federation.rounds=8", None),
        ("federation.rounds=9", ("federation.rounds", 8, 9)),
        ("attack.scale=2", ("attacks.0.scale", 5.0, 2.0)),
        ("attack=", ("attacks.0.name", "ipm", None)),
        ("execution.threads=2", ("execution.threads", 1, 2)),
        ("data.partition.q=0.1", ("data.partition.q", 0.5, 0.1)),
    ],
)
def test_the_first_difference_is_named(setting, difference):
    assert first_difference(small(), small(setting)) == difference
