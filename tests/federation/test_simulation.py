"""Many rounds."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from sparring.attacks import InnerProduct
from sparring.defenses import CenteredClipping, Mean, Median
from sparring.errors import ConfigError
from sparring.federation import Attacker, Scenario, Threat, simulate_rounds, train
from sparring.training import Batched, Sequential
from tests.settings import small_federation

SCENARIO = Scenario(small_federation(backend=Sequential()), Mean())


def test_a_federation_learns():
    result = train(SCENARIO, rounds=40)
    assert result.accuracy > 0.9
    assert result.records[0].accuracy < result.accuracy
    assert result.records[0].loss > result.records[-1].loss


def test_an_attack_breaks_the_mean_and_the_median_withstands_it():
    attackers, threat = [Attacker(2, InnerProduct(scale=20.0))], Threat(assumed_malicious=0.3)
    broken = train(Scenario(SCENARIO.federation, Mean(), attackers, threat), rounds=40)
    saved = train(Scenario(SCENARIO.federation, Median(), attackers, threat), rounds=40)
    assert broken.accuracy < 0.6 < 0.85 < saved.accuracy


def test_the_model_is_evaluated_at_the_start_every_so_many_rounds_and_at_the_end():
    result = train(SCENARIO, rounds=7, every=3)
    assert [record.round for record in result.records] == list(range(8))
    assert [record.round for record in result.records if record.accuracy is not None] == [0, 3, 6, 7]


def test_average_accuracy_leaves_the_start_out():
    result = train(SCENARIO, rounds=4, every=2)
    assert result.average_accuracy == pytest.approx((result.records[2].accuracy + result.records[4].accuracy) / 2)


def test_records_make_a_table():
    table = pd.DataFrame(train(SCENARIO, rounds=4, every=2).records)
    assert list(table["round"]) == [0, 1, 2, 3, 4]
    assert table["accuracy"].notna().sum() == 3


def test_the_model_is_the_last_one_and_can_be_called():
    result = train(SCENARIO, rounds=5, every=5)
    test = SCENARIO.federation.test
    hits = result.model(test.inputs).argmax(dim=1) == test.labels
    assert hits.double().mean().item() == result.accuracy


def test_the_same_training_gives_the_same_bytes():
    first, again = train(SCENARIO, rounds=6), train(SCENARIO, rounds=6)
    assert first.records == again.records
    assert first.model.parameters.equal(again.model.parameters)


def test_another_seed_gives_another_training():
    other = Scenario(replace(SCENARIO.federation, seed=1), Mean())
    assert train(other, rounds=3).records[1].sampled != train(SCENARIO, rounds=3).records[1].sampled


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_going_on_from_any_state_gives_the_same_bytes(momentum):
    scenario = Scenario(
        replace(SCENARIO.federation, momentum=momentum), CenteredClipping(), [Attacker(3, InnerProduct())]
    )
    whole = list(simulate_rounds(scenario, 8, every=3))
    rest = list(simulate_rounds(scenario, 8, every=3, state=whole[5][0]))
    assert [record for _, record in rest] == [record for _, record in whole[6:]]
    assert rest[-1][0].parameters.equal(whole[-1][0].parameters)


def test_the_batched_backend_trains_to_the_same_model_to_rounding():
    batched = Scenario(replace(SCENARIO.federation, backend=Batched()), Mean())
    found, expected = (train(scenario, rounds=10).model.parameters for scenario in (batched, SCENARIO))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("rounds", "every", "message"),
    [(0, 1, "federation.rounds is 0; it must be at least 1"), (2, 0, "evaluation.every is 0; it must be at least 1")],
)
def test_a_training_without_rounds_or_evaluations_is_refused(rounds, every, message):
    with pytest.raises(ConfigError, match=message):
        train(SCENARIO, rounds=rounds, every=every)


def test_watch_sees_every_record():
    seen = []
    result = train(SCENARIO, rounds=3, watch=seen.append)
    assert seen == list(result.records)
