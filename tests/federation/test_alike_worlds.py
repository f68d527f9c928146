from dataclasses import replace

import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.data import CommonShards, Dataset
from sparring.defenses import Median
from sparring.federation import Federation, FederationState, Scenario, play_round, play_rounds
from sparring.federation.alike_worlds import are_alike
from sparring.federation.participants import participants_of
from sparring.models import Logistic, Mlp, network
from sparring.random import stream
from sparring.training import Auto

RNG = torch.Generator().manual_seed(0)
EXAMPLES = Batch(torch.rand(60, 1, 4, 4, generator=RNG), torch.randint(3, (60,), generator=RNG))
DATA = Dataset(name="small", train=EXAMPLES, test=EXAMPLES, classes=3, mean=(0.5,), std=(0.3,))
BIASLESS = nn.Sequential(nn.Flatten(), nn.Linear(16, 4, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3))


def world(model=None, **settings):
    federation = Federation(
        network=network(Mlp(hidden=5) if model is None else model, DATA, initial="random"),
        shards=CommonShards(DATA.train, 12),
        test=DATA.test,
        sampled=4,
        **({"backend": Auto(pooled=True)} | settings),
    )
    return Scenario(federation, Median())


def starts(scenario, *, worlds=3, round=2):
    return [FederationState(round, scenario.federation.network.initial(stream(each, "m"))) for each in range(worlds)]


def alike(scenarios, states):
    clients = [participants_of(each, state.round).benign for each, state in zip(scenarios, states, strict=True)]
    return are_alike([each.federation for each in scenarios], states, clients=clients)


@pytest.mark.parametrize("model", [Logistic(), Mlp(hidden=5), BIASLESS])
def test_worlds_in_one_call_go_where_each_goes_alone(model):
    scenario = world(model)
    states = starts(scenario)
    assert alike([scenario] * 3, states)
    together = play_rounds([scenario] * 3, states)
    for state, (after, record) in zip(states, together, strict=True):
        expected, alone = play_round(scenario, state)
        torch.testing.assert_close(after.parameters, expected.parameters)
        assert not torch.equal(after.parameters, state.parameters)
        assert record.sampled == alone.sampled
        assert record.norms == pytest.approx(alone.norms, rel=1e-4)


def test_one_world_and_worlds_that_differ_play_to_the_bytes_of_one():
    scenario = world()
    other = replace(scenario, federation=replace(scenario.federation, seed=1))
    states = starts(scenario, worlds=2)
    for scenarios in ([scenario], [scenario, other]):
        played = play_rounds(scenarios, states[: len(scenarios)])
        for each, state, (after, _) in zip(scenarios, states, played, strict=False):
            assert torch.equal(after.parameters, play_round(each, state)[0].parameters)


def test_what_makes_worlds_differ():
    scenario = world()
    one, two = starts(scenario, worlds=2)
    other = replace(scenario, federation=replace(scenario.federation, seed=1))
    assert not alike([scenario, other], [one, two])
    assert not alike([scenario] * 2, [one, replace(two, round=3)])
    assert not alike([scenario, world()], [one, two])
    for settings in ({"backend": Auto()}, {"momentum": 0.5}, {"recipe": scenario.federation.recipe._replace(steps=2)}):
        assert not alike([world(**settings)] * 2, [one, two])
