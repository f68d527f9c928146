"""What is refused before the first round, and who plays which clients."""

import re

import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.attacks import InnerProduct
from sparring.contracts import Recipe
from sparring.defenses import Clipped, FLTrust, Krum, Mean, Median
from sparring.errors import ConfigError
from sparring.federation import Attacker, Scenario, Threat
from tests.settings import small_federation

FEDERATION = small_federation()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampled": 13}, r"federation.sampled is 13; it must be from 1 to clients \(12\)"),
        ({"sampled": 0}, "federation.sampled is 0"),
        ({"recipe": Recipe(batch=0)}, "federation.batch is 0; it must be at least 1"),
        ({"recipe": Recipe(steps=0)}, "federation.local_steps is 0; it must be at least 1"),
        ({"recipe": Recipe(lr=0.0)}, "federation.lr is 0.0; it must be positive and finite"),
        ({"server_lr": float("inf")}, "federation.server_lr is inf"),
        ({"momentum": 1.0}, "federation.momentum is 1.0; it must be at least 0 and below 1"),
        ({"seed": -1}, "seed is -1; it must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        small_federation(**settings)


def test_more_malicious_clients_than_clients_are_refused():
    with pytest.raises(ConfigError, match="attack.malicious is 13; there are 12 clients"):
        Scenario(FEDERATION, Mean(), [Attacker(6), Attacker(7)])


def test_a_rule_that_cannot_take_the_assumed_number_is_refused():
    with pytest.raises(
        ConfigError, match="3 of 6 sampled clients are assumed malicious, it can take 1; use .* <= 0.166"
    ):
        Scenario(FEDERATION, Krum(), threat=Threat(assumed_malicious=0.5))


@pytest.mark.parametrize("defense", [Krum(malicious=2), Clipped(inner=Krum(malicious=2))])
def test_a_rule_that_cannot_take_the_number_it_was_given_is_refused(defense):
    with pytest.raises(ConfigError, match="defense.malicious is 2; .* can take 1 of 6 sampled clients"):
        Scenario(FEDERATION, defense)


def test_the_share_that_the_refusal_names_is_one_that_the_rule_can_take():
    with pytest.raises(ConfigError, match="use threat.assumed_malicious <= 0.428"):
        Scenario(small_federation(sampled=7), Median(), threat=Threat(assumed_malicious=0.6))
    Scenario(small_federation(sampled=7), Median(), threat=Threat(assumed_malicious=0.428))


def test_a_rule_s_own_number_overrules_the_threat_model_s():
    Scenario(FEDERATION, Krum(malicious=1), threat=Threat(assumed_malicious=0.5))


def test_an_oracle_is_not_refused_for_the_threat_model_s_number():
    Scenario(FEDERATION, Krum("sampled"), threat=Threat(assumed_malicious=0.5))


def test_a_rule_that_needs_root_data_is_refused_without():
    with pytest.raises(ConfigError, match="defense FLTrust needs root data; use data.root_size >= 1"):
        Scenario(FEDERATION, FLTrust(), threat=Threat(assumed_malicious=0.0))
    root = Batch(torch.zeros(1, 4), torch.zeros(1, dtype=torch.int64))
    Scenario(small_federation(root=root), FLTrust())


def test_attackers_play_consecutive_clients_and_read_only_their_shards():
    parties = Scenario(FEDERATION, Mean(), [Attacker(2, InnerProduct()), Attacker(3)]).parties
    assert [party.clients for party in parties] == [range(2), range(2, 5)]
    assert len(parties[1].shards[4].labels) > 0
    with pytest.raises(Exception, match="this player may not read client 0"):
        parties[1].shards[0]


def test_minibatches_too_small_for_a_model_that_normalizes_over_examples_are_refused():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False))
    message = "batch is 1; the model normalizes over examples, use {0}.batch >= 2"
    with pytest.raises(ConfigError, match=re.escape(f"federation.{message.format('federation')}")):
        small_federation(model=module, recipe=Recipe(batch=1))
    federation = small_federation(model=module)
    with pytest.raises(ConfigError, match=re.escape(f"attack.{message.format('attack')}")):
        Scenario(federation, Mean(), [Attacker(1, InnerProduct(), recipe=Recipe(batch=1))])
