"""What every purification keeps to, and what the level-k defense does."""

from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import LevelK as LevelKAttack
from sparring.defenses import PURIFICATIONS, LevelK, Unchanged
from sparring.errors import ConfigError
from sparring.registry import build
from tests.attacks.minibatch.rounds import TRAIN, VALIDATION, a_round, distances

PLAYERS = [
    LevelK(1, 0.5),
    LevelK(1, 0.05, "linf"),
    LevelK(2, 0.5),
    LevelK(2, 0.5, method="descent"),
    LevelK(3, 0.5, "linf", step=0.3),
    LevelK(4, 0.5, step="theorem", steps=3),
]


@pytest.mark.parametrize("player", PLAYERS, ids=repr)
def test_purified_inputs_stay_within_ball_and_pixel_range_and_labels_are_left(player):
    view = a_round(examples=None)
    before = [tensor.clone() for tensor in (*view.batch, view.parameters)]
    purified, memory = player.purify(view, {})
    inputs = purified.batch.inputs
    assert ((inputs >= 0) & (inputs <= 1)).all()
    assert (distances(inputs, view.batch.inputs, player.norm) <= player.epsilon * (1 + 1e-5)).all()
    assert not inputs.equal(view.batch.inputs)
    assert purified.batch.labels is view.batch.labels
    assert purified.network is None
    assert memory == {}
    assert all(one.equal(other) for one, other in zip(before, (*view.batch, view.parameters), strict=True))
    assert inputs.equal(player.purify(view, {})[0].batch.inputs)


def test_players_of_the_table_are_built_by_name():
    for name in ("level_k", "none"):
        assert type(build("defense", PURIFICATIONS, {"name": name})) is PURIFICATIONS[name]


@pytest.mark.parametrize("player", [Unchanged(), LevelK(0)], ids=repr)
def test_level_0_leaves_the_minibatch_unchanged(player):
    view = a_round(examples=None)
    purified, memory = player.purify(view, {})
    assert purified.batch is view.batch
    assert memory == {}


def test_a_level_1_defender_moves_the_other_way_from_a_level_1_attacker():
    view = a_round(batch=Batch(TRAIN.inputs[:6] * 0.8 + 0.1, TRAIN.labels[:6]))
    attacked, _ = LevelKAttack(1, 0.01, momentum=0).perturb(view, {})
    purified, _ = LevelK(1, 0.01).purify(view, {})
    torch.testing.assert_close(purified.batch.inputs + attacked, 2 * view.batch.inputs, rtol=1e-5, atol=1e-6)


def test_a_level_1_defense_undoes_most_of_a_small_level_1_attack():
    view = a_round(batch=Batch(TRAIN.inputs[:6] * 0.8 + 0.1, TRAIN.labels[:6]))
    attacked, _ = LevelKAttack(1, 0.02, momentum=0).perturb(view, {})
    purified, _ = LevelK(1, 0.02).purify(replace(view, batch=view.batch._replace(inputs=attacked)), {})
    left = distances(purified.batch.inputs, view.batch.inputs)
    assert (left < 0.25 * distances(attacked, view.batch.inputs)).all()


def test_labels_that_are_mixed_are_reasoned_about():
    view = a_round()
    soft = view.batch._replace(labels=torch.eye(3)[view.batch.labels])
    one, other = (LevelK(2, 0.5).purify(replace(view, batch=batch), {})[0].batch for batch in (view.batch, soft))
    torch.testing.assert_close(one.inputs, other.inputs, rtol=1e-4, atol=1e-5)
    assert other.labels is soft.labels


def test_a_defender_without_validation_data_is_told_so():
    view = a_round(validation=Batch(VALIDATION.inputs[:0], VALIDATION.labels[:0]))
    with pytest.raises(ConfigError, match="level_k: there are no validation data to reason about; set data.validation"):
        LevelK(1).purify(view, {})


@pytest.mark.parametrize(
    "wrong", [{"level": -1}, {"epsilon": 0}, {"epsilon": float("nan")}, {"eta": -1.0}, {"steps": 0}]
)
def test_a_setting_out_of_range_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"level_k: {next(iter(wrong))}=.*; use "):
        LevelK(**{"level": 3, **wrong})
