from math import nan

import pytest
import torch

from sparring.defenses import WeakDifferentialPrivacy, mean, weak_differential_privacy
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.views import Notes, view

UPDATES = torch.tensor([[3.0, 4.0], [0.3, 0.4], [nan, 1.0]])


def test_without_noise_it_is_the_mean_of_the_clipped_rows():
    step = weak_differential_privacy(UPDATES, 1.0, noise=0.0, rng=stream(0))
    torch.testing.assert_close(step, torch.tensor([0.45, 0.6]))


def test_noise_of_the_given_deviation_is_added_to_the_mean():
    updates = torch.ones(4, 100_000)
    noise = weak_differential_privacy(updates, 1e6, noise=0.2, rng=stream(0)) - mean(updates)
    assert noise.std().item() == pytest.approx(0.2, rel=0.02)
    assert abs(noise.mean().item()) < 5 * 0.2 / 100_000**0.5


def test_the_rule_plays_the_function_with_the_rounds_noise_and_notes_who_was_clipped():
    notes = Notes()
    seen = view(UPDATES, note=notes, round=3)
    step, memory = WeakDifferentialPrivacy(1.0, noise=0.1).aggregate(seen, {})
    assert torch.equal(step, weak_differential_privacy(UPDATES, 1.0, noise=0.1, rng=stream(0, "defense", 3)))
    assert notes == {"clipped": (0,)}
    assert memory == {}


@pytest.mark.parametrize("updates", [torch.empty(0, 3), torch.full((2, 3), nan)])
def test_where_nothing_arrives_there_is_no_noise(updates):
    assert WeakDifferentialPrivacy().aggregate(view(updates), {})[0].tolist() == [0.0, 0.0, 0.0]


def test_the_defaults_are_the_published_norm_and_noise():
    assert WeakDifferentialPrivacy() == WeakDifferentialPrivacy(max_norm=0.02, noise=1e-3)


@pytest.mark.parametrize(
    ("max_norm", "noise", "message"),
    [(0.0, 0.1, "max_norm=0.0; use a finite max_norm > 0"), (1.0, -0.1, "noise=-0.1; use noise >= 0")],
)
def test_settings_out_of_range_are_refused(max_norm, noise, message):
    with pytest.raises(ConfigError, match=f"^weak_differential_privacy: {message}$"):
        WeakDifferentialPrivacy(max_norm, noise)
    with pytest.raises(ConfigError, match=message):
        weak_differential_privacy(UPDATES, max_norm, noise=noise, rng=stream(0))
