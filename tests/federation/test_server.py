"""Servers that plan each round, and attacks that remember."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from sparring.contracts import BlackBoxView, Model, RoundPlan, WhiteBoxView
from sparring.defenses import (
    CenteredClipping,
    Clipped,
    ClippedTrimmedMean,
    FLTrust,
    LearnedDefense,
    Mean,
    Median,
    NeuroClip,
    Prun,
)
from sparring.errors import ConfigError, PluginError, WrongKind
from sparring.federation import Attacker, Scenario, initial_state, measure, play_round, repair_model
from sparring.federation.evaluation import check_repair
from sparring.federation.record import describe_plan
from sparring.federation.server import FixedServer, server_of
from sparring.federation.state import pack, unpack
from sparring.federation.threat import Threat
from sparring.models import Mlp
from tests.defenses.learned.policies import written
from tests.settings import small_federation

FEDERATION = small_federation()


@dataclass(frozen=True)
class Scaling:
    """Deploy a model with its parameters divided."""

    by: float
    needs_root: ClassVar[bool] = False

    def repair(self, model, *, root, rng):
        return Model(model.network, model.parameters / self.by)


@dataclass(frozen=True)
class Alternating:
    """Turn from rule to rule, and divide by the number of planned rounds."""

    rules: tuple[Any, ...] = (CenteredClipping(radius=0.5), Median())
    views: list[Any] = field(default_factory=list, compare=False)

    def plan(self, view, memory):
        self.views.append(view)
        planned = memory.get("planned", torch.zeros(())) + 1
        rule = self.rules[int(planned - 1) % len(self.rules)]
        return RoundPlan(rule, Scaling(float(planned))), {"planned": planned}

    def deployed(self, memory):
        return Scaling(float(memory["planned"])) if memory else None


def states(scenario, rounds, *, state=None, saved=False):
    """Return the states of some rounds; `saved` packs and unpacks each of them."""
    made = [initial_state(scenario.federation) if state is None else state]
    for _ in range(rounds):
        after = play_round(scenario, made[-1])[0]
        made.append(unpack(pack(after)) if saved else after)
    return made


class TestPlans:
    def test_a_rule_and_its_repair_are_a_server_that_never_changes_them(self):
        scenario = Scenario(FEDERATION, Mean(), repair=Scaling(2.0))
        assert server_of(scenario) == FixedServer(Mean(), Scaling(2.0))
        pair = states(Scenario(FEDERATION, FixedServer(Mean(), Scaling(2.0))), 3)
        for one, other in zip(states(scenario, 3), pair, strict=True):
            assert torch.equal(one.parameters, other.parameters)
        assert measure(scenario, pair[-1]) == measure(Scenario(FEDERATION, FixedServer(Mean(), Scaling(2.0))), pair[-1])

    def test_each_round_is_played_under_its_plan(self):
        made = states(Scenario(FEDERATION, Alternating()), 2)
        by_median = play_round(Scenario(FEDERATION, Median()), made[1])[0]
        assert torch.equal(made[2].parameters, by_median.parameters)

    def test_a_rule_that_comes_back_finds_its_own_memory(self):
        alone = states(Scenario(FEDERATION, CenteredClipping(radius=0.5)), 1)[-1]
        made = states(Scenario(FEDERATION, Alternating()), 3)
        assert made[1].memory.keys() == {f"CenteredClipping:{name}" for name in alone.memory}
        assert made[2].memory == made[1].memory
        recalled = {name.removeprefix("CenteredClipping:"): each for name, each in made[2].memory.items()}
        third = play_round(Scenario(FEDERATION, CenteredClipping(radius=0.5)), replace(made[2], memory=recalled))[0]
        assert torch.equal(made[3].parameters, third.parameters)

    def test_the_model_of_a_round_is_deployed_with_the_repair_of_this_round(self):
        scenario = Scenario(FEDERATION, Alternating())
        for divisor, state in enumerate(states(scenario, 3)):
            deployed = repair_model(scenario, state).parameters
            assert torch.equal(deployed, state.parameters / max(1, divisor))

    def test_the_server_sees_the_model_and_its_network_and_the_sampled_clients(self):
        server = Alternating()
        first, _ = states(Scenario(FEDERATION, server), 1)
        (view,) = server.views
        assert view.network is FEDERATION.network
        assert torch.equal(view.parameters, first.parameters)
        assert len(view.clients) == FEDERATION.sampled

    def test_a_run_continues_from_saved_states_to_the_bit(self):
        scenario = Scenario(FEDERATION, Alternating(), [Attacker(3, Growing())])
        straight, saved = (states(scenario, 6, saved=saved)[-1] for saved in (False, True))
        assert torch.equal(straight.parameters, saved.parameters)

    def test_the_record_of_a_round_shows_what_was_planned_in_it(self):
        scenario = Scenario(FEDERATION, Alternating())
        records = [play_round(scenario, state)[1] for state in states(scenario, 1)]
        assert records[0].planned == {
            "rule": {"name": "CenteredClipping", "radius": 0.5, "iterations": CenteredClipping().iterations},
            "repair": {"name": "Scaling", "by": 1.0},
        }
        assert records[1].planned == {
            "rule": {"name": "Median"},
            "repair": {"name": "Scaling", "by": 2.0},
        }

    def test_options_without_a_form_in_json_are_named_by_their_type(self):
        rule = {"name": "Clipped", "inner": {"name": "Mean"}, "max_norm": 0.333333}
        for option, described in ((torch.ones(2), "Tensor"), (inf, None), ((1, 2.0), [1, 2.0])):
            repair = {"name": "Scaling", "by": described}
            assert describe_plan(RoundPlan(Clipped(Mean(), 1 / 3), Scaling(option))) == {"rule": rule, "repair": repair}

    def test_a_fixed_rule_plans_nothing_worth_a_record(self):
        scenario = Scenario(FEDERATION, Mean(), repair=Scaling(2.0))
        assert play_round(scenario, initial_state(FEDERATION))[1].planned is None

    def test_a_rule_sees_the_network(self):
        seen = []

        @dataclass(frozen=True)
        class Looking:
            def aggregate(self, view, memory):
                seen.append(view.network)
                return view.updates.mean(dim=0), memory

        play_round(Scenario(FEDERATION, Looking()), initial_state(FEDERATION))
        assert seen == [FEDERATION.network]

    def test_a_white_box_attacker_sees_the_planned_rule(self):
        @dataclass(frozen=True)
        class Looking:
            seen: list[Any] = field(default_factory=list)
            needs: ClassVar = WhiteBoxView

            def craft(self, view):
                self.seen.append(view.rule)
                return view.own()

        attack = Looking()
        states(Scenario(FEDERATION, Alternating(), [Attacker(6, attack)]), 2)
        assert attack.seen == [CenteredClipping(radius=0.5), Median()]


class Badly:
    """RoundPlan what cannot be played."""

    def __init__(self, answer):
        self.answer = answer

    def plan(self, view, memory):
        return self.answer(view) if callable(self.answer) else self.answer

    def deployed(self, memory):
        return None


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (None, "planned NoneType; it must return a plan and its memory"),
            (
                (Median(), {}),
                r"planned Median; it must be a RoundPlan\(rule, repair\)",
            ),
            ((RoundPlan(Median(), Median()), {}), "planned the repair Median; it must be one, or None"),
            ((RoundPlan(Median()), None), "returned a memory of NoneType; it must map names to tensors"),
            (
                (RoundPlan(Median()), {"x": torch.tensor(float("nan"))}),
                "remembers 'x', which is not finite; it must remember finite values",
            ),
            (
                lambda view: (RoundPlan(Median()), {"x": view.parameters.mul_(2)}),
                "edited parameters in place; it must not modify its inputs",
            ),
        ],
    )
    def test_a_plan_that_cannot_be_played_is_attributed_to_the_server(self, answer, message):
        with pytest.raises(PluginError, match=f"^defense Badly {message}$"):
            play_round(Scenario(FEDERATION, Badly(answer)), initial_state(FEDERATION))

    @pytest.mark.parametrize("plan", [RoundPlan(FLTrust()), RoundPlan(Median(), Prun(0.5))])
    def test_a_plan_that_needs_root_data_needs_a_server_that_holds_some(self, plan):
        scenario = Scenario(FEDERATION, Badly((plan, {})))
        with pytest.raises(
            ConfigError, match=r"^defense Badly plans a player that needs root data; use data\.root_size"
        ):
            check_repair(scenario, initial_state(FEDERATION))

    def test_a_repair_beside_a_server_has_no_place(self):
        with pytest.raises(ConfigError, match="^post_training Scaling has no place: defense Alternating plans its own"):
            Scenario(FEDERATION, Alternating(), repair=Scaling(2.0))

    def test_a_server_cannot_be_wrapped_as_a_rule_would(self):
        with pytest.raises(WrongKind, match=r"^scenario\.defense\.inner is Alternating, a server; give a rule"):
            Scenario(FEDERATION, Clipped(Alternating(), 1.0))


def test_a_learned_defense_plays_what_its_policy_sets(tmp_path):
    federation = small_federation(model=Mlp(hidden=20))
    defense = LearnedDefense(written(tmp_path / "policy", -0.5, 1.0, -1.0, inputs=20 * 3 + 3))
    first, second = states(Scenario(federation, defense), 1)
    plan = defense.acting.decode(np.array([-0.5, 1.0, -1.0], dtype=np.float32))
    assert plan == RoundPlan(ClippedTrimmedMean(plan.rule.max_norm, 0.9), NeuroClip(1.0))
    fixed = Scenario(federation, plan.rule, repair=plan.repair)
    assert torch.equal(second.parameters, play_round(fixed, first)[0].parameters)
    assert measure(Scenario(federation, defense), second) == measure(fixed, second)
    assert measure(fixed, second) != measure(Scenario(federation, plan.rule), second)


@dataclass(frozen=True)
class Growing:
    """Submit a number that grows each time, and note what was remembered."""

    factor: float = 1.0
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        return self.craft_from(view, {})[0]

    def craft_from(self, view, memory):
        times = memory.get("times", torch.zeros(())) + self.factor
        return times.expand(len(view.clients), view.network.size), {"times": times}


class TestMemory:
    def test_an_attack_remembers_the_rounds_in_which_it_played(self):
        made = states(Scenario(FEDERATION, Mean(), [Attacker(12, Growing())], Threat(assumed_malicious=0.0)), 4)
        assert [state.attacks.get(0, {}).get("times") for state in made] == [None, 1, 2, 3, 4]
        torch.testing.assert_close(made[3].parameters - made[4].parameters, torch.full((FEDERATION.network.size,), 4.0))

    def test_two_attackers_remember_apart(self):
        attackers = [Attacker(6, Growing(1.0)), Attacker(6, Growing(10.0))]
        last = states(Scenario(small_federation(sampled=12), Mean(), attackers), 3)[-1]
        assert {number: float(memory["times"]) for number, memory in last.attacks.items()} == {0: 3, 1: 30}

    def test_an_attacker_without_a_sampled_client_keeps_its_memory(self):
        scenario = Scenario(
            small_federation(sampled=1), Mean(), [Attacker(1, Growing())], Threat(assumed_malicious=0.0)
        )
        made = states(scenario, 40)
        played = [state.attacks.get(0, {}).get("times", torch.zeros(())).item() for state in made]
        assert played == sorted(played)
        assert 0 < played[-1] < 40

    def test_an_attack_without_a_memory_leaves_none(self):
        @dataclass(frozen=True)
        class Plain:
            needs: ClassVar = BlackBoxView

            def craft(self, view):
                return view.own()

        assert states(Scenario(FEDERATION, Mean(), [Attacker(6, Plain())]), 2)[-1].attacks == {}

    def test_memories_come_back_from_what_was_packed(self):
        state = replace(
            initial_state(FEDERATION),
            server={"a.b": torch.ones(2)},
            attacks={0: {"x": torch.zeros(1)}, 11: {"y.z": torch.ones(1), "w": torch.ones(3)}},
        )
        again = unpack(pack(state))
        assert again.server["a.b"].tolist() == [1, 1]
        assert {number: sorted(memory) for number, memory in again.attacks.items()} == {0: ["x"], 11: ["w", "y.z"]}

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (lambda rows: rows, "returned shape .*; it must return its rows and its memory"),
            (lambda rows: (rows, None), "returned a memory of NoneType; it must map names to tensors"),
            (lambda rows: (rows[:, 1:], {}), "returned shape .*; it must return shape .*"),
        ],
    )
    def test_what_cannot_be_remembered_is_attributed_to_the_attack(self, answer, message):
        @dataclass(frozen=True)
        class Wrong(Growing):
            def craft_from(self, view, memory):
                return answer(torch.zeros(len(view.clients), view.network.size))

        with pytest.raises(PluginError, match=f"^attack Wrong {message}$"):
            play_round(Scenario(FEDERATION, Mean(), [Attacker(6, Wrong())]), initial_state(FEDERATION))

    def test_editing_the_memory_in_place_is_found(self):
        @dataclass(frozen=True)
        class Editing(Growing):
            def craft_from(self, view, memory):
                rows, new = super().craft_from(view, memory)
                for tensor in memory.values():
                    tensor += 1
                return rows, new

        scenario = Scenario(FEDERATION, Mean(), [Attacker(12, Editing())], Threat(assumed_malicious=0.0))
        with pytest.raises(PluginError, match="^attack Editing edited its memory 'times' in place"):
            states(scenario, 2)
