from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.attacks.untargeted.local_model_poisoning.fltrust import Aggregate, Direction, TrustAscent, most_harmful
from sparring.random import stream

BOLD = TrustAscent(sweeps=2, steps=4, variance=0.5, smoothing=0.05, rate=0.3)
BEST = replace(BOLD, lambda_choice="best")
"""Steps that turn a direction by a large angle, where a walk with another law would end elsewhere."""


def drawn(seed, *, width=9, benign=5, crafted=2):
    """Draw benign rows and a root update that agree in part, and crafted rows that agree with nobody."""
    rng = stream(seed, "round")
    shared = rng.normal(size=width)
    benign, root = shared + rng.normal(size=(benign, width)), shared + rng.normal(size=width)
    return tuple(torch.from_numpy(array).float() for array in (benign, root, rng.normal(size=(crafted, width))))


def units(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def aggregate(rows, root):
    """Aggregate unit vectors as FLTrust's definition says; to zero where nobody is trusted."""
    trusts = np.maximum(rows @ units(root), 0)
    return np.linalg.norm(root) * trusts @ rows / (trusts.sum() or 1.0)


def harm(crafted, benign, root):
    """Return sᵀ(g - g') of crafted unit vectors."""
    alone = aggregate(units(benign), root)
    return np.sign(alone) @ (alone - aggregate(np.concatenate([units(benign), crafted]), root))


def ascended(start, benign, root, rng, *, lambda_choice):
    """Play the published ascent with `BOLD`'s settings as it is written, on whole vectors."""
    crafted = units(start)
    for moving in [*range(len(crafted))] * BOLD.sweeps:
        walk = [crafted]
        for _ in range(BOLD.steps):
            here, ahead = walk[-1], walk[-1].copy()
            probe = rng.normal(0, BOLD.variance**0.5, start.shape[1])
            ahead[moving] += BOLD.smoothing * probe
            rise = harm(ahead, benign, root) - harm(here, benign, root)
            ahead[moving] = units(here[moving] + BOLD.rate * rise / BOLD.smoothing * probe)
            walk.append(ahead)
        crafted = walk[-1] if lambda_choice == "last" else max(walk, key=lambda rows: harm(rows, benign, root))
    return crafted


def test_the_objective_is_the_aggregates_step_against_s():
    e = Direction(
        point=np.array([0.6, 0.8, 0.0, 0.0]), axes=np.array([[1.0, 1.0], [0.0, -2.0], [0.0, 0.0], [0.0, 0.0]])
    )
    # Trusts 1 and 0.6; along s 3 and 0.6 - 1.6 = -1: the aggregate is 2 (3 - 0.6) / 1.6 along s.
    assert Aggregate(along=3.0, trust=1.0, norm=2.0).add(e).harm == pytest.approx(-3.0)


def test_who_points_away_from_the_root_is_not_counted():
    e = Direction(point=np.array([-1.0, 0.0, 0.0, 0.0]), axes=np.eye(4)[:, :2])
    assert Aggregate(along=3.0, trust=1.0, norm=2.0).add(e).harm == -6.0


@given(st.integers(0, 2**32), st.integers(1, 3), st.sampled_from([1, 2, 3, 4, 5, 30]))
def test_the_objective_never_falls_where_the_best_is_taken(seed, crafted, width):
    benign, root, start = drawn(seed, width=width, crafted=crafted)
    rows = most_harmful(start, benign=benign, root=root, rng=stream(seed, "ascent"), ascent=BEST)
    before, after = (harm(units(each.double().numpy()), benign.numpy(), root.numpy()) for each in (start, rows))
    assert after >= before - 1e-5 * np.linalg.norm(root) * width


@pytest.mark.parametrize("ascent", [BOLD, BEST], ids=["last", "best"])
def test_the_walk_ends_where_the_published_one_ends_in_distribution(ascent):
    benign, root, start = drawn(0)
    exact = [tensor.double().numpy() for tensor in (start, benign, root)]
    theirs = [ascended(*exact, stream(seed, "theirs"), lambda_choice=ascent.lambda_choice) for seed in range(300)]
    ours = [
        units(most_harmful(start, benign=benign, root=root, rng=stream(seed, "ours"), ascent=ascent).double().numpy())
        for seed in range(300)
    ]
    for measured in (
        lambda rows: harm(rows, *exact[1:]),
        lambda rows: rows[0] @ units(exact[0])[0],
        lambda rows: rows[0] @ rows[1],
        lambda rows: rows[1, 3] ** 2,
    ):
        one, other = ([measured(rows) for rows in ends] for ends in (theirs, ours))
        error = np.hypot(np.std(one), np.std(other)) / len(one) ** 0.5
        assert abs(np.mean(one) - np.mean(other)) < 4 * error


def test_rows_have_the_norm_of_the_root_update():
    benign, root, start = drawn(0)
    rows = most_harmful(start, benign=benign, root=root, rng=stream(0, "ascent"))
    torch.testing.assert_close(rows.norm(dim=1), root.norm().expand(2))


def test_a_root_update_of_zero_gives_rows_of_zero():
    benign, root, start = drawn(0)
    assert not most_harmful(start, benign=benign, root=torch.zeros_like(root), rng=stream(0, "ascent")).any()


def test_where_no_benign_update_is_trusted_the_rows_are_finite():
    benign, root, start = drawn(0)
    away = benign.abs() * -root.sign()
    assert most_harmful(start, benign=away, root=root, rng=stream(0, "ascent")).isfinite().all()
