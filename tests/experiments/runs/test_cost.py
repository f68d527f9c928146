import os

from sparring.experiments import digest, to_document
from sparring.experiments.runs.cost import forecast_run
from tests.experiments.small import small


def test_a_forecast_says_what_a_run_would_cost():
    config = small()
    plan = forecast_run(config)
    assert plan.seconds > 0
    assert plan.memory > 1 << 20
    assert plan.parameters == 4 * 6 + 4
    assert plan.examples == 160
    assert plan.digest == digest(config)
    assert plan.config == to_document(config)


def test_ten_thousand_times_the_rounds_take_longer():
    assert forecast_run(small("federation.rounds=80000")).seconds > forecast_run(small()).seconds


def test_momenta_of_clients_that_have_not_come_yet_need_memory():
    many = ("federation.clients=1000", "data.examples=1000", "model.name=mlp", "model.hidden=1000")
    light = forecast_run(small(*many, "federation.momentum=0"))
    heavy = forecast_run(small(*many, "federation.momentum=0.9"))
    assert heavy.memory - light.memory > 1000 * light.parameters * 4 * 0.5


def test_the_measured_round_is_under_attack(monkeypatch):
    crafted = []
    original = "sparring.attacks.InnerProduct.craft"
    monkeypatch.setattr(original, lambda self, view: crafted.append(view.round) or view.own())
    forecast_run(small("attack.malicious=8", "attack.start=5"))
    assert crafted[:2] == [5, 6]


def test_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forecast_run(small())
    assert os.listdir(tmp_path) == []
