"""What is given where something else is meant is told in one line, before anything is computed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.attacks import InnerProduct, LabelFlip, PoisonedTraining, Square, train_trigger
from sparring.contracts import BlackBoxView, Model, family_of, limit_of
from sparring.data import ClientShards, CommonShards, Iid, LabelSkew, divide
from sparring.defenses import Clipped, Mean, Median, NeuroClip, certify
from sparring.errors import ConfigError, PluginError, WrongKind
from sparring.experiments import parse_config, run
from sparring.federation import (
    Attacker,
    Federation,
    Scenario,
    Threat,
    initial_state,
    measure,
    play_round,
    simulate_rounds,
    train,
)
from sparring.games.env import SeatEnv
from sparring.games.federated import attack_game, world_model
from sparring.inversion import invert, reverse_triggers
from sparring.learning.learner import train as learn
from sparring.learning.sb3 import SB3Learner, TD3Settings
from sparring.models import LeNet, Logistic, network
from sparring.random import stream
from sparring.training import Sequential, evaluate
from tests.settings import clouds, small_federation

DATA = clouds()
FEDERATION = small_federation()
SCENARIO = Scenario(FEDERATION, Mean())
MODULE = nn.Linear(4, 3)
NET = FEDERATION.network
MODEL = Model(NET, initial_state(FEDERATION).parameters)
RNG = stream(0, "test")
CONFIG = parse_config({})


def federation(**changed: object) -> Federation:
    return replace(FEDERATION, **changed)


def shards(**changed: object) -> ClientShards:
    return divide(**{"train": DATA.train, "partitioner": Iid(), "clients": 3, "seed": 0, **changed})


MISTAKES = {
    "scenario.attackers is an Attacker; give a list: [attacker]": lambda: Scenario(FEDERATION, Mean(), Attacker(1)),
    "scenario.attackers is InnerProduct, an attack; give a list: [Attacker(malicious=..., attack=...)]": (
        lambda: Scenario(FEDERATION, Mean(), InnerProduct())
    ),
    "scenario.attackers is 'ipm'; give a list": lambda: Scenario(FEDERATION, Mean(), "ipm"),
    "scenario.attackers is a generator; give a list": lambda: Scenario(FEDERATION, Mean(), (a for a in [Attacker(1)])),
    "scenario.attackers[0] is InnerProduct, an attack; give an Attacker: Attacker(malicious=..., attack=Inner": (
        lambda: Scenario(FEDERATION, Mean(), [InnerProduct()])
    ),
    "scenario.attackers[1] is LabelFlip, a poison; give an Attacker: Attacker(malicious=..., poison=LabelFlip(...))": (
        lambda: Scenario(FEDERATION, Mean(), [Attacker(1), LabelFlip()])
    ),
    "scenario.attackers[0] is the class Attacker; give an Attacker": lambda: Scenario(FEDERATION, Mean(), [Attacker]),
    "scenario.defense is the class Median; make an object of it: Median(...)": lambda: Scenario(FEDERATION, Median),
    "scenario.defense is 'median'; give a rule, such as Median()": lambda: Scenario(FEDERATION, "median"),
    "scenario.defense is a list; give a rule": lambda: Scenario(FEDERATION, [Attacker(1)], Mean()),
    "scenario.defense.inner is the class Median; make an object": lambda: Scenario(FEDERATION, Clipped(Median)),
    "scenario.defense.inner is 'median'; give a rule": lambda: Scenario(FEDERATION, Clipped("median")),
    "scenario.defense is NeuroClip, a post-training defense; give a rule": lambda: Scenario(FEDERATION, NeuroClip()),
    "scenario.federation is Mean, a rule; give a Federation": lambda: Scenario(Mean(), FEDERATION),
    "scenario.threat is 'omniscient'; give a Threat": lambda: Scenario(FEDERATION, Mean(), threat="omniscient"),
    "scenario.repair is the class NeuroClip; make an object": lambda: Scenario(FEDERATION, Mean(), repair=NeuroClip),
    "scenario.repair is Mean, a rule; give a post-training defense": lambda: Scenario(
        FEDERATION, Mean(), repair=Mean()
    ),
    "threat.assumed_malicious is '0.2'; it must be a number": lambda: Threat(assumed_malicious="0.2"),
    "federation.network is LeNet, an architecture; fit it to the data: network(LeNet(), data)": (
        lambda: federation(network=LeNet())
    ),
    "federation.network is Linear, a torch module; fit it to the data: network(model, data)": (
        lambda: federation(network=MODULE)
    ),
    "federation.network is the class LeNet; give a network": lambda: federation(network=LeNet),
    "federation.network is 'lenet'; give a network": lambda: federation(network="lenet"),
    "federation.shards is a Dataset; divide the examples among clients: divide(": lambda: federation(shards=DATA),
    "federation.shards is a Batch; divide the examples": lambda: federation(shards=DATA.train),
    "federation.shards is Iid, a partition; divide the examples": lambda: federation(shards=Iid()),
    "federation.test is a Dataset; give a batch of examples, such as data.test": lambda: federation(test=DATA),
    "federation.test is a tuple; give a batch of examples": lambda: federation(test=tuple(DATA.test)),
    "federation.root is 100; give a batch of examples": lambda: federation(root=100),
    "federation.recipe is a tuple; give a Recipe": lambda: federation(recipe=(1, 32, 0.05)),
    "federation.backend is the class Sequential; make an object": lambda: federation(backend=Sequential),
    "federation.backend is 'auto'; give a backend": lambda: federation(backend="auto"),
    "federation.sampled is 0.5; it must be a whole number": lambda: federation(sampled=0.5),
    "federation.server_lr is '1'; it must be a number": lambda: federation(server_lr="1"),
    "seed is None; it must be a whole number": lambda: federation(seed=None),
    "attack.malicious is InnerProduct, an attack; it must be a whole number": lambda: Attacker(InnerProduct(), 1),
    "attack.malicious is 0.2; it must be a whole number": lambda: Attacker(0.2, InnerProduct()),
    "attacker.attack is the class InnerProduct; make an object of it": lambda: Attacker(1, InnerProduct),
    "attacker.attack is LabelFlip, a poison; it changes data: give it as poison=": lambda: Attacker(1, LabelFlip()),
    "attacker.attack is 'ipm'; give an attack, such as InnerProduct()": lambda: Attacker(1, "ipm"),
    "attacker.attack.trigger is the class Square; make": lambda: Attacker(
        1, PoisonedTraining(trigger=Square, target=0)
    ),
    "attacker.poison is Square, a trigger; give a poison": lambda: Attacker(1, poison=Square()),
    "attack.local_epochs is 'two'; it must be a number": lambda: Attacker(1, epochs="two"),
    "divide: train is a Dataset; give a batch of examples, such as data.train": lambda: shards(train=DATA),
    "divide: train is LabelSkew, a partition; give a batch": lambda: divide(LabelSkew(), DATA.train, clients=3, seed=0),
    "divide: partitioner is the class Iid; make an object of it": lambda: shards(partitioner=Iid),
    "divide: partitioner is 'iid'; give a partition, such as Iid()": lambda: shards(partitioner="iid"),
    "divide.clients is 2.5; it must be a whole number": lambda: shards(clients=2.5),
    "shards: partition is Iid, a partition; use divide(": lambda: ClientShards(DATA.train, Iid()),
    "shards: examples is a Dataset; give a batch": lambda: CommonShards(DATA, 3),
    "network: model is the class LeNet; make an object of it: LeNet(...)": lambda: network(LeNet, DATA),
    "network: model is the class Linear; make an object of it": lambda: network(nn.Linear, DATA),
    "network: model is 'lenet'; give an architecture": lambda: network("lenet", DATA),
    "network: model is a Dataset; give an architecture": lambda: network(DATA, Logistic()),
    "network: data is a Batch; give the data set": lambda: network(Logistic(), DATA.train),
    "network: data is a tensor of shape [2]; give the data set": lambda: network(Logistic(), torch.zeros(2)),
    "model.network is Linear, a torch module; fit it": lambda: Model(MODULE, torch.zeros(15)),
    "model.parameters is 'weights'; give a vector": lambda: Model(FEDERATION.network, "weights"),
    "initial: rng is 0; give a generator, such as stream(0, ": lambda: FEDERATION.network.initial(0),
    "certify: model is ModuleNetwork": lambda: certify(FEDERATION.network, DATA.test.inputs),
    "train_trigger: network is a Batch; give a network": lambda: train_trigger(DATA.train, NET, target=0, rng=RNG),
    "train_trigger: examples is a Dataset; give a batch": lambda: train_trigger(NET, DATA, target=0, rng=RNG),
    "train_trigger.target is '0'; it must be a whole": lambda: train_trigger(NET, DATA.train, target="0", rng=RNG),
    "train_trigger: rng is 0; give a generator": lambda: train_trigger(NET, DATA.train, target=0, rng=0),
    "invert: model is a tensor of shape [15]; give": lambda: invert(torch.zeros(15), MODEL, shape=(4,), rng=RNG),
    "invert: gradient is a Model; give a vector": lambda: invert(MODEL, MODEL, shape=(4,), rng=RNG),
    "invert: rng is 0; give a generator": lambda: invert(MODEL, torch.zeros(15), shape=(4,), rng=0),
    "reverse_triggers: model is a Batch; give a Model": lambda: reverse_triggers(DATA.train, MODEL, rng=RNG),
    "reverse_triggers: root is a Dataset; give a batch": lambda: reverse_triggers(MODEL, DATA, rng=RNG),
    "run: config is a dict; make one from a document: parse_config(": lambda: run({}, "folder"),
    "run: folder is a Config; give the path of a folder": lambda: run(CONFIG, CONFIG),
    "train: task is a TD3Settings; give a LearningTask": lambda: learn(
        SB3Learner(TD3Settings()), TD3Settings(), steps=1, seed=0
    ),
    "env: game is a Scenario; give a game": lambda: SeatEnv(SCENARIO, "attacker"),
    "scenario is a Federation; give a Scenario": lambda: train(FEDERATION, rounds=1),
    "scenario is Mean, a rule; give a Scenario": lambda: next(simulate_rounds(Mean(), 1)),
    "federation.rounds is '60'; it must be a whole number": lambda: train(SCENARIO, rounds="60"),
    "federation.rounds is 1.5; it must be a whole number": lambda: train(SCENARIO, rounds=1.5),
    "evaluation.every is None; it must be a whole number": lambda: train(SCENARIO, rounds=1, every=None),
    "initial_state: federation is a Scenario; give a Federation": lambda: initial_state(SCENARIO),
    "play_round: scenario is a Federation; give a Scenario": lambda: play_round(FEDERATION, initial_state(FEDERATION)),
    "play_round: state is a Federation; give a state": lambda: play_round(SCENARIO, FEDERATION),
    "measure: scenario is a Federation; give a Scenario": lambda: measure(FEDERATION, initial_state(FEDERATION)),
    "evaluate: on is a Dataset; give a batch": (
        lambda: evaluate(FEDERATION.network, initial_state(FEDERATION).parameters, on=DATA)
    ),
    "world_model: scenario is a Federation; give a Scenario": lambda: world_model(FEDERATION, DATA.train),
    "world_model: mixture is a Dataset; give a batch": lambda: world_model(SCENARIO, DATA),
    "game: scenario is a Federation; give a Scenario": (
        lambda: attack_game(FEDERATION, malicious=1, acting=None, rounds=2)
    ),
}


@pytest.mark.parametrize(("message", "mistake"), MISTAKES.items(), ids=MISTAKES)
def test_what_is_given_in_another_s_place_is_told_in_one_line(message, mistake):
    with pytest.raises(WrongKind) as raised:
        mistake()
    told = str(raised.value)
    assert message in told
    assert "\n" not in told
    assert isinstance(raised.value, ConfigError)
    assert isinstance(raised.value, TypeError)


def test_numbers_of_numpy_are_numbers():
    attacker = Attacker(np.int64(1), InnerProduct(), epochs=np.float32(1))
    scenario = Scenario(federation(sampled=np.int32(3), seed=np.int64(0)), Mean(), (attacker,))
    assert train(scenario, rounds=np.int64(1)).records[-1].round == 1


@dataclass(frozen=True)
class Plain:
    """A rule that says nothing of itself."""

    def aggregate(self, view, memory):
        return view.updates.mean(dim=0), memory


@pytest.mark.parametrize("rule", [Plain(), Clipped(Plain())])
def test_a_rule_without_family_or_limit_gets_defaults(rule):
    assert (family_of(rule), limit_of(rule, 10)) == ("coordinate", 10)
    scenario = Scenario(FEDERATION, rule, [Attacker(2, InnerProduct())], Threat(assumed_malicious=1))
    assert train(scenario, rounds=1).records[-1].step_norm > 0


def test_an_attack_that_names_no_view_is_refused():
    class Vague:
        def craft(self, view):
            return view.own()

    with pytest.raises(PluginError, match="attack Vague needs None; it must be a view to play from: BlackBoxView"):
        Scenario(FEDERATION, Mean(), [Attacker(1, Vague())])
    Vague.needs = BlackBoxView
    Scenario(FEDERATION, Mean(), [Attacker(1, Vague())])


def test_a_batch_is_taken_wherever_examples_are_meant():
    root = Batch(*(part[:2] for part in DATA.train))
    assert federation(root=root, test=DATA.train).clients == 12
