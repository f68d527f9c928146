"""The time of a minibatch by level, from a matrix of levels at the smallest scale."""

import sys

from sparring.experiments.reproductions import PRESETS
from sparring.experiments.reproductions.reproduce import reproduce
from studies import level_times


def test_every_pair_of_levels_has_its_time_and_its_gains(tmp_path, monkeypatch, capsys):
    reproduce(PRESETS["r2t2-figa9"], "smoke", folder=tmp_path)
    table = level_times.read_times(tmp_path)
    assert len(table.rows) == 25
    assert all(float(row[2]) > 0 for row in table.rows)
    gains = {row[:2]: (float(row[4]), float(row[5])) for row in table.rows}
    assert gains["none", "level 0"] == (0, 0)
    assert all(gain[0] == 0 for (attack, _), gain in gains.items() if attack == "none")
    monkeypatch.setattr(sys, "argv", ["", f"{tmp_path}"])
    level_times.main()
    assert "ms per minibatch" in capsys.readouterr().out
