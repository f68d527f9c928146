import pytest

from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace


@pytest.mark.parametrize(
    ("elapsed", "cost", "due"),
    [(4.9, 0.0, False), (5.0, 0.0, True), (5.0, 0.25, True), (19.9, 1.0, False), (20.0, 1.0, True)],
)
def test_saving_keeps_to_its_share_of_the_time(elapsed, cost, due):
    assert CheckpointInterval(seconds=5, share=0.05).is_due(elapsed, cost) == due


class Clock:
    """Stands still until it is told that time passes."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("cost", [0.0, 0.01, 1.0, 30.0])
def test_whatever_saving_costs_it_takes_no_more_than_its_share(cost):
    clock, spent, saves = Clock(), 0.0, 0
    pace = SavePace(CheckpointInterval(seconds=5, share=0.05), clock=clock)
    for _ in range(20_000):
        clock.now += 0.1
        if pace.is_due():
            clock.now += cost
            pace.saved()
            spent, saves = spent + cost, saves + 1
    # Of the first saving nobody knows yet what it costs.
    assert spent - cost <= 0.05 * (clock.now - spent)
    assert 1 <= saves <= 1 + clock.now / 5
