from math import nan

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.defenses import DnC, dnc
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.views import Notes, view
from tests.matrices import gaussian, matrices

LINE = torch.tensor([[0.0], [1.0], [2.0], [3.0], [14.0]])


def outliers(updates: torch.Tensor, count: int) -> set[int]:
    """Return the rows with the highest scores, by a singular value decomposition."""
    offsets = updates.double().numpy() - updates.double().numpy().mean(axis=0)
    scores = (offsets @ np.linalg.svd(offsets)[2][0]) ** 2
    return set(np.argsort(scores)[len(updates) - count :].tolist())


def test_the_farthest_from_the_mean_are_removed():
    # The mean is 4: of the squared offsets 16, 9, 4, 1 and 100 the two largest are those of 14 and 0.
    assert dnc(LINE, 1, rng=stream(0)).item() == 1.5
    assert dnc(LINE, 2, rng=stream(0)).item() == 2.0


@pytest.mark.parametrize("name", [f"matrix {number}" for number in range(50)])
def test_the_removed_rows_agree_with_a_singular_value_decomposition(name):
    updates, notes = gaussian(9, 6, name=name), Notes()
    DnC(malicious=3).aggregate(view(updates, note=notes), {})
    assert set(notes["selected"]) == set(range(9)) - outliers(updates, 3)


@given(matrices(rows=3), st.data())
def test_as_many_rows_are_removed_as_are_malicious(updates, data):
    malicious, notes = data.draw(st.integers(0, (len(updates) - 1) // 2)), Notes()
    DnC(malicious).aggregate(view(updates, note=notes), {})
    assert len(notes["selected"]) == len(updates) - malicious


@pytest.mark.parametrize(("fraction", "removed"), [(0.5, 1), (1.0, 2), (1.2, 3), (2.0, 4), (9.0, 8)])
def test_the_fraction_says_how_many_go_for_each_malicious_row(fraction, removed):
    notes = Notes()
    DnC(malicious=2, fraction=fraction).aggregate(view(gaussian(9, 6), note=notes), {})
    assert len(notes["selected"]) == 9 - removed


def test_only_rows_that_pass_all_iterations_count():
    # An iteration looks at one coordinate, and in each another row stands out.
    updates, notes = torch.eye(6) + 0.01 * gaussian(6, 6), Notes()
    DnC(malicious=1, iterations=2, coordinates=1).aggregate(view(updates, note=notes), {})
    drawn = stream(0, "defense", 0)
    seen = [int(drawn.choice(6, size=1, replace=False, shuffle=False)[0]) for _ in range(2)]
    assert set(notes["selected"]) == set(range(6)) - set(seen)


def test_where_no_row_passes_all_iterations_the_result_is_zero():
    updates = torch.eye(3)
    assert torch.equal(dnc(updates, 1, rng=stream(0), iterations=100, coordinates=1), torch.zeros(3))


def test_the_coordinates_are_drawn_from_the_stream_of_the_round():
    updates = gaussian(20, 400)
    rule = DnC(malicious=6, coordinates=5)
    steps = [rule.aggregate(view(updates, round=number), {})[0] for number in (0, 0, 1)]
    assert torch.equal(steps[0], steps[1])
    assert not torch.equal(steps[0], steps[2])


def test_a_dropped_row_counts_as_malicious():
    updates = gaussian(9, 4)
    lost = torch.full((1, 4), nan)
    assert torch.equal(dnc(torch.cat([lost, updates]), 3, rng=stream(0)), dnc(updates, 2, rng=stream(0)))


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"malicious": -1}, "malicious=-1; use malicious >= 0"),
        ({"iterations": 0}, "iterations=0; use iterations >= 1"),
        ({"coordinates": 0}, "coordinates=0; use coordinates >= 1"),
        ({"fraction": 0.0}, "fraction=0.0; use a finite fraction > 0"),
    ],
)
def test_impossible_settings_are_refused(settings, remedy):
    with pytest.raises(ConfigError, match=f"^dnc: {remedy}$"):
        DnC(**settings)
    with pytest.raises(ConfigError, match=f"^dnc: {remedy}$"):
        dnc(LINE, **{"malicious": 1, "rng": stream(0), **settings})


def test_too_high_a_count_names_the_largest_legal_one():
    with pytest.raises(ConfigError, match="^dnc: malicious=3 is not a minority of 5 updates; use malicious <= 2$"):
        dnc(LINE, 3, rng=stream(0))
