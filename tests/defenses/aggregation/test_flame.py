from math import inf, nan

import pytest
import torch

from sparring.defenses import FLAME, flame
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.views import Notes, view
from tests.matrices import gaussian

ORIGIN = torch.zeros(2)
FAN = torch.tensor([[2.0, 0.0], [1.0, 0.0], [8.0, 0.1], [0.0, 1.0], [-1.0, 0.0]])
"""Three that point alike, and two that do not; the median norm is 1."""


def test_outliers_are_dropped_and_long_rows_clipped():
    # Of the three admitted the norms are 2, 1 and 8; all are cut to 1.
    length = (8**2 + 0.1**2) ** 0.5
    expected = torch.tensor([(1 + 1 + 8 / length) / 3, 0.1 / length / 3])
    torch.testing.assert_close(flame(FAN, ORIGIN, rng=stream(0), noise=0.0), expected)


def test_the_record_is_told_of_both():
    notes = Notes()
    FLAME().aggregate(view(FAN, note=notes), {})
    assert notes == {"selected": (0, 1, 2), "clipped": (0, 2)}


def test_angles_are_those_of_the_local_models():
    # Seen from this model, minus the updates (0, 1), (1, 1) and (0.9, 1.1), the first alone points elsewhere.
    updates = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.9, 1.1]])
    seen = [Notes(), Notes()]
    for notes, parameters in zip(seen, (torch.tensor([1.0, 1.0]), torch.tensor([1.1, 1e6])), strict=True):
        FLAME().aggregate(view(updates, parameters=parameters, note=notes), {})
    assert seen[1]["selected"] == (1, 2)
    assert seen[0]["selected"] != seen[1]["selected"]


def test_noise_is_a_share_of_the_median_norm():
    updates = gaussian(5, 100_000)
    bound = updates.norm(dim=1).median().item()
    noisy, plain = (flame(updates, torch.zeros(100_000), rng=stream(0), noise=noise) for noise in (0.01, 0.0))
    noise = noisy - plain
    assert noise.std().item() == pytest.approx(0.01 * bound, rel=0.02)
    assert abs(noise.mean().item()) < 0.01 * bound * 5 / 100_000**0.5


def test_noise_is_drawn_from_the_stream_of_the_round():
    steps = [FLAME().aggregate(view(FAN, round=number), {})[0] for number in (0, 0, 1)]
    assert torch.equal(steps[0], steps[1])
    assert not torch.equal(steps[0], steps[2])


def test_noise_on_huge_steps_saturates():
    updates = torch.full((3, 4), 3.4e38)
    assert torch.isfinite(flame(updates, torch.zeros(4), rng=stream(0), noise=1.0)).all()


def test_the_published_noise_level_is_a_thousandth():
    assert FLAME().noise == 0.001


def test_rows_that_are_not_finite_are_dropped():
    lost = torch.tensor([[nan, 0.0], [inf, -inf]])
    expected = flame(FAN, ORIGIN, rng=stream(0), noise=0.1)
    torch.testing.assert_close(flame(torch.cat([lost, FAN]), ORIGIN, rng=stream(0), noise=0.1), expected)


@pytest.mark.parametrize("updates", [torch.empty(0, 2), torch.full((3, 2), nan), torch.zeros(4, 2)])
def test_where_nothing_is_sent_nothing_moves(updates):
    assert torch.equal(flame(updates, ORIGIN, rng=stream(0)), ORIGIN)


@pytest.mark.parametrize("refused", [lambda: FLAME(noise=-0.1), lambda: flame(FAN, ORIGIN, rng=stream(0), noise=-0.1)])
def test_negative_noise_is_refused(refused):
    with pytest.raises(ConfigError, match="^flame: noise=-0.1; use noise >= 0$"):
        refused()
