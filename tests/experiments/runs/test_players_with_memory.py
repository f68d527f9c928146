"""Runs of players that plan, observe and remember: stopped and killed at any round, they end with the same bytes."""

import shutil
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
import torch

from sparring.attacks import LocalSearchActions
from sparring.contracts import BlackBoxView, RoundPlan
from sparring.defenses import CenteredClipping, Median, SynthesisActions
from sparring.errors import ConfigError
from sparring.experiments import Observer, apply_overrides, digest, parse_config, resume, run
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.sweeps import plan_sweep, read_sweep, sweep
from sparring.experiments.sweeps.sweep_folder import read_result
from sparring.games.federated import attack_game
from sparring.random import stream
from tests.defenses.learned.policies import written
from tests.experiments.killing import ALWAYS, killed
from tests.experiments.small import SETTINGS, lasting, small

INPUTS = 28
"""The parameters of the small run's model."""


@dataclass(frozen=True)
class Stubborn:
    """Submit the same direction as before, a little longer."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    factor: float = 1.5

    def craft(self, view):
        return self.craft_from(view, {})[0]

    def craft_from(self, view, memory):
        row = self.factor * memory["row"] if memory else -view.own()[0]
        return row.expand(len(view.clients), -1), {"row": row.clone()}


@dataclass(frozen=True)
class Turning:
    """Clip around a center and take the median in turn."""

    def plan(self, view, memory):
        rounds = memory.get("rounds", torch.zeros(())) + 1
        return RoundPlan(Median() if rounds % 2 else CenteredClipping(radius=0.2)), {"rounds": rounds}

    def deployed(self, memory):
        return None


TOYS = Catalogues(
    {
        **CATALOGUES.tables,
        "attacks": {**CATALOGUES["attacks"], "stubborn": Stubborn},
        "defenses": {**CATALOGUES["defenses"], "turning": Turning},
    }
)
ATTACKERS = [{"name": "stubborn", "malicious": 2}, {"name": "stubborn", "factor": 3.0, "malicious": 2, "start": 2}]


ACTIONS = {"wide": (1.0, -1.0), "narrow": (-1.0, 1.0)}


def learned(path, *action):
    """Save a defender, and return the settings of a run that it plays in."""
    return f"defense={{name: learned, policy: {written(path, *(action or (0.2, -0.5)), inputs=INPUTS)}}}"


def synthesized(path):
    """Save a defender who may use root data, and return the settings of a run that it plays in."""
    acting = SynthesisActions(repair="none")
    return f"defense={{name: learned, policy: {written(path, *[0.3] * 6, inputs=INPUTS, acting=acting)}}}"


def test_the_same_defender_elsewhere_gives_the_same_run(tmp_path):
    here, there = (small(learned(tmp_path / name)) for name in ("here", "there"))
    other = small(learned(tmp_path / "other", -0.9, 0.9))
    assert digest(here) == digest(there) != digest(other)
    for name, config in (("here", here), ("there", there), ("other", other)):
        run(config, tmp_path / "runs" / name)
    assert lasting(tmp_path / "runs/here") == lasting(tmp_path / "runs/there")
    assert lasting(tmp_path / "runs/here")["model.safetensors"] != lasting(tmp_path / "runs/other")["model.safetensors"]


@pytest.mark.parametrize("rounds", [1, 4, 6])
def test_a_learned_defense_that_is_killed_ends_with_the_same_bytes(rounds, tmp_path):
    setting = learned(tmp_path / "policy")
    killed(tmp_path / "killed", setting, "federation.rounds=300", rounds=rounds, delay=0)
    run(small(setting, "federation.rounds=300"), tmp_path / "long")
    resume(tmp_path / "killed")
    assert lasting(tmp_path / "killed") == lasting(tmp_path / "long")


def test_a_defender_who_uses_root_data_is_killed_and_ends_with_the_same_bytes(tmp_path):
    settings = (synthesized(tmp_path / "policy"), "data.root_size=20", "federation.rounds=300")
    killed(tmp_path / "killed", *settings, rounds=3, delay=0)
    run(small(*settings), tmp_path / "long")
    resume(tmp_path / "killed")
    assert lasting(tmp_path / "killed") == lasting(tmp_path / "long")


def test_a_defender_who_uses_root_data_is_refused_without_them_before_the_run(tmp_path):
    message = r"^defense LearnedDefense plans a player that needs root data; use data\.root_size >= 1$"
    with pytest.raises(ConfigError, match=message):
        run(small(synthesized(tmp_path / "policy"), "data.root_size=0"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def adapting(path, **options):
    """Save a defender who adapts, and return the settings of a run that it plays in."""
    written_out = ", ".join(f"{name}: {value}" for name, value in {"name": "policy_gradient", **options}.items())
    return learned(path).removesuffix("}") + f", adapt: {{{written_out}}}}}"


def test_a_defender_without_steps_of_adaptation_gives_the_same_run(tmp_path):
    plain, still = (small(each(tmp_path / "policy")) for each in (learned, partial(adapting, steps=0)))
    moving = small(adapting(tmp_path / "policy", steps=1))
    assert digest(plain) == digest(still) != digest(moving)
    for name, config in (("plain", plain), ("still", still), ("moving", moving)):
        run(config, tmp_path / name)
    assert lasting(tmp_path / "plain") == lasting(tmp_path / "still")
    assert lasting(tmp_path / "plain")["rounds.jsonl"] != lasting(tmp_path / "moving")["rounds.jsonl"]
    checkpoints = [(tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("plain", "still")]
    assert checkpoints[0] == checkpoints[1]


@pytest.mark.parametrize(("rounds", "scope"), [(3, "action"), (7, "policy")])
def test_a_defender_who_adapts_is_killed_and_ends_with_the_same_bytes(rounds, scope, tmp_path):
    settings = (adapting(tmp_path / "policy", steps=50, every=3, scope=scope), "federation.rounds=300")
    killed(tmp_path / "killed", *settings, rounds=rounds, delay=0)
    run(small(*settings), tmp_path / "long")
    resume(tmp_path / "killed")
    assert lasting(tmp_path / "killed") == lasting(tmp_path / "long")


def test_the_share_of_adaptation_is_in_the_timing_of_a_run_that_adapts(tmp_path):
    outcomes = {
        steps: run(small(adapting(tmp_path / "policy", steps=steps)), tmp_path / f"run {steps}") for steps in (0, 3)
    }
    timings = {steps: read_json(outcome.folder / "timing.json") for steps, outcome in outcomes.items()}
    assert list(timings[0]) == ["rounds_per_second"]
    assert 0 < timings[3]["adaptation_share"] < 1


def test_a_defender_who_adapts_is_refused_without_root_data_before_the_run(tmp_path):
    message = r"^defense\.adapt estimates rewards on root data; use data\.root_size >= 1 or defense\.adapt\.steps=0$"
    with pytest.raises(ConfigError, match=message):
        run(small(adapting(tmp_path / "policy"), "data.root_size=0"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("stop", range(1, 8))
def test_players_with_memory_that_are_killed_end_with_the_same_bytes(stop, tmp_path):
    document = apply_overrides({}, [each for each in SETTINGS if not each.startswith(("attack", "defense"))])
    config = parse_config({**document, "attacks": ATTACKERS, "defense": {"name": "turning"}}, TOYS)
    copied = tmp_path / "killed"

    def keep(record):
        if record.round == stop + 1:  # what is on disk now is what a kill in this round leaves
            shutil.copytree(tmp_path / "run", copied)

    run(config, tmp_path / "run", observer=Observer(record=keep), cadence=ALWAYS, catalogues=TOYS)
    (copied / "result.json").unlink(missing_ok=True)
    resume(copied, catalogues=TOYS)
    assert lasting(copied) == lasting(tmp_path / "run")


def test_a_sweep_plays_defenders_side_by_side(tmp_path):
    policies = {name: written(tmp_path / name, *action, inputs=INPUTS) for name, action in ACTIONS.items()}
    base = {**apply_overrides({}, SETTINGS), "defense": "median"}
    axis = {name: {"defense": {"name": "learned", "policy": path}} for name, path in policies.items()}
    plan = plan_sweep({"base": base, "axes": {"defense": {**axis, "median": {"defense": "median"}}, "seed": [0]}})
    assert sweep(plan, tmp_path / "sweep", workers=InlineWorkers()).complete == 3
    found = read_sweep(tmp_path / "sweep")
    losses = {cell.labels["defense"]: read_result(found.folder, cell.digest)["loss"] for cell in found.cells}
    assert losses.keys() == {"median", *ACTIONS}
    assert len(set(losses.values())) == 3


def test_an_attacker_plays_its_game_against_a_learned_defense(tmp_path):
    config = small(learned(tmp_path / "policy"))
    game = attack_game(build_scenario(config, load_dataset(config)), malicious=2, acting=LocalSearchActions(), rounds=6)
    state = game.initial(stream(0))
    moves = {"attacker": game.seats["attacker"].action * [0.0]}
    while not game.is_over(state):
        again = game.codec.unpack(game.codec.pack(state))
        after, same = (game.transition(each, moves, rng=stream(1)) for each in (state, again))
        assert torch.equal(after.federation.parameters, same.federation.parameters)
        state = after
    assert "action" in state.federation.server


def test_a_policy_for_another_model_is_refused_before_the_run(tmp_path):
    path = written(tmp_path / "policy", 0.0, 0.0, inputs=99)
    with pytest.raises(ConfigError, match=r"^defense\.policy is .*; it sees 99 numbers, this model shows 28$"):
        run(small(f"defense={{name: learned, policy: {path}}}"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_post_training_defense_beside_a_learned_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="^post_training CLP has no place: defense LearnedDefense plans its own"):
        run(small(learned(tmp_path / "policy"), "post_training=clp"), tmp_path / "run")
