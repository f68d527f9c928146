"""Estimates of a server from models and own gradients: in Gaussian and real federations, and where there are none."""

from itertools import pairwise
from math import isfinite, sqrt

import pytest
import torch

from sparring.defenses import Mean
from sparring.errors import ConfigError
from sparring.experiments import apply_overrides, parse_config
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.federation import Attacker, Scenario, simulate_rounds
from sparring.federation.participants import participants_of
from sparring.learning.server_estimates import (
    EVIDENCE_CODEC,
    NOTHING,
    add_move,
    count_sampled,
    estimate_server,
    printed_size,
    printed_step,
)
from sparring.random import stream

CLIENTS, WIDTH, ATTACKERS, PARAMETERS, STEP = 1000, 200, 50, 500, 1e-3


def gaussian_rounds(ratio, *, seed, rounds=200):
    """Yield the change of the model, the attackers' gradients, and how many of them are sampled.

    `ratio` is that of the mean's squared norm to the trace of one client's covariance, which is 1.
    """
    rng = stream(seed, "gaussian federation")
    mean = rng.standard_normal(PARAMETERS)
    mean *= sqrt(ratio) / (mean @ mean) ** 0.5
    noise = 1 / sqrt(PARAMETERS)
    for _ in range(rounds):
        chosen = rng.choice(CLIENTS, WIDTH, replace=False)
        change = STEP * (mean + noise * rng.standard_normal((WIDTH, PARAMETERS)).mean(axis=0))
        own = mean + noise * rng.standard_normal((ATTACKERS, PARAMETERS))
        yield torch.from_numpy(change), torch.from_numpy(own), int((chosen < ATTACKERS).sum())


def gather(rounds):
    evidence = NOTHING
    for change, own, sampled in rounds:
        evidence = add_move(count_sampled(evidence, sampled, attackers=ATTACKERS), change, own)
    return evidence


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("ratio", [0.01, 0.05, 0.2])
def test_a_server_is_recovered_in_a_gaussian_federation(ratio, seed):
    step, share, size = estimate_server(gather(gaussian_rounds(ratio, seed=seed)))
    assert step.value == pytest.approx(STEP, rel=0.05)
    assert share.value == pytest.approx(WIDTH / CLIENTS, abs=0.02)
    assert size.value == pytest.approx(CLIENTS, rel=0.15)
    for estimate, true in ((step, STEP), (share, WIDTH / CLIENTS), (size, CLIENTS)):
        assert estimate.error > 0
        assert abs(estimate.value - true) < 4 * estimate.error


def watched(seed):
    """Return 1000 clients with 60 examples each, of which 200 are sampled and 50 belong to honest attackers."""
    settings = (
        *("data.name=synthetic", "data.partition.name=iid", "data.examples=60000", "data.features=20"),
        *(
            "model.name=mlp",
            "model.hidden=32",
            "federation.clients=1000",
            "federation.sampled=200",
            "federation.batch=8",
        ),
        *("federation.lr=0.05", f"seed={seed}"),
    )
    config = parse_config(apply_overrides({}, settings))
    federation = build_scenario(config, load_dataset(config)).federation
    return Scenario(federation, Mean(), [Attacker(ATTACKERS)])


def own_gradients(scenario, state):
    """Return the gradients of all attackers on fresh minibatches."""
    federation, clients = scenario.federation, scenario.parties[0].clients
    rngs = [stream(9, "fresh", client, state.round) for client in clients]
    batches = federation.shards.draw(clients, rngs, steps=1, size=8)
    out = torch.empty(len(clients), federation.network.size)
    federation.backend.updates(federation.network, state.parameters, batches=batches, lr=1.0, out=out)
    return out.double()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_server_is_recovered_in_a_federation_of_1000_clients(seed):
    scenario = watched(seed)
    states = [state for state, _ in simulate_rounds(scenario, 200, every=200)]
    evidence = NOTHING
    for before, after in pairwise(states):
        sampled = sum(len(team.clients) for team in participants_of(scenario, before.round).teams)
        evidence = count_sampled(evidence, sampled, attackers=ATTACKERS)
        change = (before.parameters - after.parameters).double()
        evidence = add_move(evidence, change, own_gradients(scenario, before))
    step, share, size = estimate_server(evidence)
    assert step.value == pytest.approx(0.05, rel=0.2)
    assert share.value == pytest.approx(0.2, abs=0.02)
    assert size.value == pytest.approx(1000, rel=0.2)


@pytest.mark.parametrize("ratio", [0.01, 0.05, 0.2])
def test_the_printed_estimators_fail(ratio):
    changes, means, traces = [], [], []
    for change, own, sampled in gaussian_rounds(ratio, seed=0):
        changes.append(change)
        means.append(own[:sampled].mean(dim=0))
        traces.append(own.var(dim=0).sum())
    means, changes = torch.stack(means), torch.stack(changes)
    assert printed_step(changes, means) < 0.75 * STEP
    variances = (means - changes / STEP).square().sum(dim=1)
    sizes = torch.stack(traces) / (WIDTH / CLIENTS * variances)
    assert float(sizes.mean()) == pytest.approx(ATTACKERS, rel=0.15)
    assert printed_size(torch.stack(traces), variances, WIDTH / CLIENTS, attackers=ATTACKERS) is None


def test_a_round_is_enough_for_nothing_but_the_share():
    for rounds in (0, 1):
        estimates = estimate_server(gather(gaussian_rounds(0.2, seed=0, rounds=rounds)))
        assert estimates.step is estimates.size is None
        assert (estimates.share is None) == (rounds == 0)


def test_a_model_that_stands_still_has_no_step_and_no_size():
    still = ((torch.zeros_like(change), own, sampled) for change, own, sampled in gaussian_rounds(0.2, seed=0))
    estimates = estimate_server(gather(still))
    assert estimates.step is estimates.size is None
    assert isfinite(estimates.share.value)


def test_attackers_that_are_never_sampled_have_a_share_of_zero_and_no_size():
    evidence = NOTHING
    for _ in range(100):
        evidence = count_sampled(evidence, 0, attackers=ATTACKERS)
    assert estimate_server(evidence) == (None, (0.0, 0.0), None)


def test_what_is_not_finite_is_left_out():
    change, own, _ = next(gaussian_rounds(0.2, seed=0))
    assert add_move(NOTHING, change * float("nan"), own) is NOTHING
    assert add_move(NOTHING, change, own * float("inf")) is NOTHING


def test_moves_over_several_rounds_serve_the_step_alone():
    evidence = NOTHING
    for change, own, _ in gaussian_rounds(0.2, seed=0, rounds=20):
        evidence = add_move(evidence, 3 * change, own, rounds=3)
    assert evidence.steps.rounds == 0
    assert estimate_server(evidence).step.value == pytest.approx(STEP, rel=0.1)


def test_evidence_is_packed_and_unpacked():
    evidence = gather(gaussian_rounds(0.2, seed=0, rounds=3))
    assert estimate_server(EVIDENCE_CODEC.unpack(EVIDENCE_CODEC.pack(evidence))) == estimate_server(evidence)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match="^server estimates: 3 of 2 attackers are sampled"):
        count_sampled(NOTHING, 3, attackers=2)
    with pytest.raises(ConfigError, match="^server estimates: 1 gradients and 1 rounds; give at least 2"):
        add_move(NOTHING, torch.ones(3), torch.ones(1, 3))
