"""What every attack on minibatches keeps to, and what each of them does."""

from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import (
    PERTURBATIONS,
    Influence,
    LevelK,
    NoPerturbation,
    OptimalContraction,
)
from sparring.contracts import Preparing
from sparring.errors import ConfigError
from sparring.registry import build
from sparring.training import Conversion, Evasion, mixed_gradient, summed_gradient
from tests.attacks.minibatch.rounds import TRAIN, VALIDATION, a_round, distances, preparation
from tests.training.small_networks import cosine

PLAYERS = [
    LevelK(1, 0.5),
    LevelK(1, 0.05, "linf"),
    LevelK(2, 0.5),
    LevelK(2, 0.5, method="descent"),
    LevelK(3, 0.5, step=0.3),
    LevelK(4, 0.5, step="theorem", steps=3, momentum=0),
    LevelK(1, 0.5, goal="conversion", target=1),
    LevelK(3, 0.5, goal="evasion", target=2, norm="linf"),
    OptimalContraction(0.5, damping=1.0),
    Influence(0.5, "linf", damping=1.0),
]
each_player = pytest.mark.parametrize("player", PLAYERS, ids=repr)


def start(player):
    return player.prepare(preparation()) if isinstance(player, Preparing) else {}


@each_player
def test_perturbations_stay_within_ball_and_pixel_range_and_edit_nothing(player):
    view, memory = a_round(), start(player)
    before = [tensor.clone() for tensor in (*view.batch, view.parameters, *memory.values())]
    inputs, after = player.perturb(view, memory)
    assert inputs.shape == view.batch.inputs.shape
    assert inputs.dtype == torch.float32
    assert ((inputs >= 0) & (inputs <= 1)).all()
    assert (distances(inputs, view.batch.inputs, player.norm) <= player.epsilon * (1 + 1e-5)).all()
    assert not inputs.equal(view.batch.inputs)
    assert not inputs.requires_grad
    given = (*view.batch, view.parameters, *memory.values())
    assert all(one.equal(other) for one, other in zip(before, given, strict=True))
    assert after.keys() == memory.keys()


@each_player
def test_equal_rounds_give_equal_moves(player):
    (first, one), (second, other) = (player.perturb(a_round(), start(player)) for _ in range(2))
    assert first.equal(second)
    assert all(one[name].equal(other[name]) for name in one)


def test_players_of_the_table_are_built_by_name():
    for name, cls in PERTURBATIONS.items():
        assert type(build("attack", PERTURBATIONS, {"name": name})) is cls
    built = build(
        "attack", PERTURBATIONS, {"name": "level_k", "level": 3, "epsilon": 2, "step": 0.3, "steps": "printed"}
    )
    assert built == LevelK(3, 2.0, step=0.3, steps="printed")


@pytest.mark.parametrize("player", [NoPerturbation(), LevelK(0)], ids=repr)
def test_level_0_leaves_the_inputs_unchanged_and_remembers_nothing(player):
    view = a_round()
    assert start(player) == {}
    inputs, memory = player.perturb(view, {})
    assert inputs is view.batch.inputs
    assert memory == {}


def validation_slope(view, goal, on=VALIDATION):
    gradient = summed_gradient(view.network, view.parameters, batch=on, objective=goal)
    return -mixed_gradient(
        view.network, view.parameters, batch=view.batch, direction=gradient, objective=view.objective
    )


@pytest.mark.parametrize(
    ("player", "goal"),
    [
        (LevelK(1, 0.01, momentum=0), None),
        (LevelK(1, 0.01, momentum=0, goal="conversion", target=1), Conversion(1)),
        (LevelK(1, 0.01, momentum=0, goal="evasion", target=2), Evasion(2)),
    ],
    ids=["untargeted", "conversion", "evasion"],
)
def test_level_1_moves_along_the_slope_of_its_goal(player, goal):
    view = replace(a_round(), batch=Batch(TRAIN.inputs[:6] * 0.8 + 0.1, TRAIN.labels[:6]))
    inputs, _ = player.perturb(view, {})
    moved, slope = inputs - view.batch.inputs, validation_slope(view, goal or view.objective)
    assert all(cosine(one, other) > 0.9999 for one, other in zip(moved, slope, strict=True))


def test_an_attacker_without_validation_data_is_refused():
    nobody = Batch(VALIDATION.inputs[:0], VALIDATION.labels[:0])
    view = replace(a_round(), validation=nobody, batch=Batch(TRAIN.inputs[:6] * 0.8 + 0.1, TRAIN.labels[:6]))
    with pytest.raises(ConfigError, match="level_k: there are no validation data to reason about; set data.validation"):
        LevelK(1, momentum=0).perturb(view, {})


def test_the_loss_rises_by_a_level_1_attack_and_falls_by_its_reverse():
    view = a_round()
    inputs, _ = LevelK(1, 0.5, momentum=0).perturb(view, {})

    def after(minibatch):
        slope = summed_gradient(view.network, view.parameters, batch=minibatch, objective=view.objective)
        outputs = view.network.forward(view.network.split(view.parameters - view.eta * slope), VALIDATION.inputs)
        return view.objective.losses(outputs, VALIDATION).sum().item()

    reverse = (2 * view.batch.inputs - inputs).clamp(0, 1)
    losses = [after(view.batch._replace(inputs=each)) for each in (inputs, view.batch.inputs, reverse)]
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.parametrize("player", [LevelK(1, 0.5), Influence(0.5, damping=1.0)], ids=repr)
def test_the_history_is_updated_for_seen_examples_alone_and_ramps_up(player):
    memory = start(player)
    assert memory["history"].dtype == torch.float16
    assert memory["history"].shape == TRAIN.inputs.shape
    for visits in range(1, 6):
        inputs, memory = player.perturb(a_round([3, 5, 8]), memory)
        sizes = distances(memory["history"].float(), torch.zeros(20, 1, 4, 4))
        seen = torch.zeros(20, dtype=torch.bool).index_fill(0, torch.tensor([3, 5, 8]), True)
        assert not sizes[~seen].any()
        # The same direction in every round reaches the bound; half precision rounds by up to a thousandth.
        bound = 1 - 0.95**visits
        assert sizes[seen].tolist() == pytest.approx([bound] * 3, rel=2e-3)
        assert (distances(inputs, TRAIN.inputs[[3, 5, 8]]) <= 0.5 * bound * 1.002).all()


def test_the_history_remembers_what_was_not_clipped_to_pixels():
    bright = replace(a_round(), batch=Batch(torch.ones(6, 1, 4, 4), TRAIN.labels[:6]))
    inputs, memory = LevelK(1, 0.5).perturb(bright, start(LevelK(1)))
    raw = memory["history"][:6].float()
    assert (raw > 0).any()
    torch.testing.assert_close(inputs, (1 + 0.5 * raw).clamp(0, 1))


def test_without_momentum_no_history_is_kept():
    assert LevelK(1, momentum=0).prepare(preparation()) == {}


@pytest.mark.parametrize("view", [a_round(), a_round(examples=None)], ids=["no history", "no examples"])
def test_momentum_without_what_it_needs_is_refused(view):
    memory = {} if view.examples is not None else start(LevelK(1))
    with pytest.raises(ConfigError, match="level_k: momentum=0.95 needs the history that `prepare` returns"):
        LevelK(1).perturb(view, memory)


def test_momentum_without_training_examples_is_refused():
    with pytest.raises(ConfigError, match="level_k: momentum=0.95 needs the training examples; use momentum=0"):
        LevelK(1).prepare(preparation(None))


def test_rows_without_a_direction_stay_and_are_noted():
    notes = []
    view = a_round(
        validation_gradient=lambda: torch.zeros(a_round().network.size), note=lambda *event: notes.append(event)
    )
    inputs, _ = LevelK(1, momentum=0).perturb(view, {})
    assert inputs.equal(view.batch.inputs)
    assert notes == [("still", list(range(6)))]


def test_a_hessian_that_is_not_positive_or_not_solved_is_noted():
    notes = {}
    view = a_round(note=lambda event, rows: notes.setdefault(event, list(rows)))
    OptimalContraction(0.5, momentum=0, damping=0).perturb(view, {})
    assert notes == {"negative_curvature": list(range(6))}
    notes.clear()
    OptimalContraction(0.5, momentum=0, damping=1.0, iterations=1).perturb(view, {})
    assert notes == {"not_solved": list(range(6))}
    notes.clear()
    OptimalContraction(0.5, momentum=0, damping=1.0, iterations=60).perturb(view, {})
    assert notes == {}


def test_optimal_contraction_and_influence_differ_by_the_step_alone():
    view = a_round(eta=0.1)
    one, other = (cls(0.5, momentum=0, damping=1.0).perturb(view, {})[0] for cls in (OptimalContraction, Influence))
    assert not torch.allclose(one, other, atol=1e-4)
    view = a_round(eta=1e-9)
    one, other = (cls(0.5, momentum=0, damping=1.0).perturb(view, {})[0] for cls in (OptimalContraction, Influence))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: LevelK(-1), "level_k: level=-1; use level >= 0"),
        (lambda: LevelK(1, 0), "level_k: epsilon=0; use a finite epsilon > 0"),
        (lambda: LevelK(1, -2.0), "level_k: epsilon=-2.0; use a finite epsilon > 0"),
        (lambda: LevelK(1, norm="l1"), "level_k: norm='l1'; use 'l2' or 'linf'"),
        (lambda: LevelK(1, momentum=1.0), "level_k: momentum=1.0; use momentum >= 0 and below 1"),
        (lambda: LevelK(1, eta=0), "level_k: eta=0; use a finite eta > 0"),
        (lambda: LevelK(3, step=0.0), "level_k: step=0.0; use a finite step > 0"),
        (lambda: LevelK(3, steps=0), "level_k: steps=0; use steps >= 1"),
        (lambda: LevelK(3, method="closed_form"), "level_k: method='closed_form' with level=3; use 'descent' above"),
        (lambda: LevelK(goal="conversion"), "level_k: goal='conversion' with target=None; give the target class"),
        (lambda: LevelK(target=2), "level_k: goal='untargeted' with target=2; omit the target, or use a targeted goal"),
        (lambda: LevelK(goal="evasion", target=-1), "evasion: target=-1; use target >= 0"),
        (lambda: OptimalContraction(0), "optimal_contraction: epsilon=0; use a finite epsilon > 0"),
        (lambda: OptimalContraction(damping=-1), "optimal_contraction: damping=-1; use damping >= 0"),
        (lambda: Influence(iterations=0), "influence: iterations=0; use iterations >= 1"),
    ],
)
def test_a_setting_out_of_range_is_refused_in_one_line(wrong, message):
    with pytest.raises(ConfigError) as caught:
        wrong()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
