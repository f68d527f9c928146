"""Level-k play by the malicious clients of a federation."""

from dataclasses import replace

import pytest
import torch

from sparring.attacks import LevelK, LevelKClient
from sparring.defenses import Mean, RootCorrection
from sparring.errors import ConfigError
from sparring.experiments import parse_config
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.federation import initial_state, play_round, simulate_rounds
from tests.minibatches import view


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_a_client_plays_as_the_attacker_of_minibatches_does_without_a_history(level):
    played = LevelKClient(level=level, epsilon=2.0).poison_informed(view())
    expected, _ = LevelK(level=level, epsilon=2.0, momentum=0.0).perturb(view(), {})
    assert torch.equal(played.inputs, expected)
    assert torch.equal(played.labels, view().batch.labels)


def test_a_wrong_option_is_refused_by_the_name_of_the_attack():
    with pytest.raises(ConfigError, match=r"^level_k_client"):
        LevelKClient(epsilon=0.0)


PLAN = {
    "data": {"name": "digits", "size": 12, "root_size": 100, "partition": {"name": "label_skew", "q": 0.5}},
    "model": {"name": "mlp", "hidden": 20},
    "federation": {"clients": 100, "sampled": 20, "rounds": 12, "lr": 0.1, "batch": 8, "local_steps": 2},
    "attack": {"name": "level_k_client", "malicious": 20},
    "defense": {"name": "fedavg"},
    "threat": {"knowledge": "black_box"},
}


def scenario(**changes):
    config = parse_config({**PLAN, **changes})
    return build_scenario(config, load_dataset(config))


def test_a_fifth_of_the_clients_play_a_federation_with_skewed_labels():
    attacked = scenario()
    *_, (state, record) = simulate_rounds(attacked, 12, every=12)
    assert state.parameters.isfinite().all()
    assert record.accuracy is not None
    honest = scenario(attack={"name": "none"})
    *_, (other, _) = simulate_rounds(honest, 12, every=12)
    assert not torch.equal(state.parameters, other.parameters)


def test_their_updates_alone_raise_the_loss_more_at_level_1_than_honest_training_does():
    clients = {"malicious": 100}
    losses = {}
    for level in (0, 1):
        made = scenario(attack={"name": "level_k_client", "level": level, **clients})
        *_, (_, record) = simulate_rounds(made, 12, every=12)
        losses[level] = record.loss
    assert losses[1] > losses[0]


def test_a_correction_on_root_data_changes_the_step_by_the_server_s_own():
    plain, corrected = scenario(), replace(scenario(), defense=RootCorrection(Mean(), 0.5))
    start = initial_state(plain.federation)
    without, withal = (play_round(each, start)[0].parameters for each in (plain, corrected))
    assert not torch.equal(without, withal)
