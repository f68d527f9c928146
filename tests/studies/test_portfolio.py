"""The errors of constant portfolios."""

import sys

from sparring.experiments.config.build import build_scenario, load_dataset
from studies import portfolio
from tests.experiments.audit.asking import asked


def test_every_center_has_an_error_for_each_scale():
    config = asked().run({"name": "none"}, 3)
    scenario = build_scenario(config, load_dataset(config))
    rows = dict(portfolio.errors(scenario, rounds=4, steps=2, episodes=2, scales=(0.5, 50.0)))
    assert list(rows) == list(portfolio.CENTERS)
    assert all(0 <= error <= 1 for row in rows.values() for error in row)
    assert len({tuple(row) for row in rows.values()}) > 1


def test_a_rule_is_named_on_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(portfolio, "errors", lambda scenario, **_: [(0.5, [0.25, 0.75])])
    monkeypatch.setattr(sys, "argv", ["", "krum", "--episodes", "1"])
    portfolio.main()
    assert "0.25" in capsys.readouterr().out
