from sparring.cli.tables import show_paired_table
from sparring.experiments.analysis.frames import Contrast
from sparring.experiments.analysis.statistics import compare
from sparring.experiments.report.paired_tables import Difference, PairedTable
from sparring.experiments.report.score_tables import METRICS

COMPARISON = compare({seed: 0.5 + seed / 100 for seed in range(6)}, dict.fromkeys(range(6), 0.25))
CELL = Difference(METRICS[0], Contrast({}, COMPARISON, 0.0625))
TABLE = PairedTable("Accuracy", "defense", ("krum",), ("none", "ipm"), {("krum", "ipm"): CELL})


def test_a_difference_is_printed_with_all_that_is_known_of_it(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show_paired_table(TABLE, "digits")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["digits: Accuracy", "defense none ipm"]
    assert lines[3] == "krum unknown +0.275"
    assert lines[4].startswith("+0.25")
    assert lines[5:7] == ["d 14.7, p 0.062", "n = 6"]


def test_what_speaks_for_one_side_is_bold(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    show_paired_table(TABLE, "")
    line = next(line for line in capsys.readouterr().out.splitlines() if "krum" in line)
    assert "\x1b[1m+0.275" in line.replace(" ", "")
    assert "\x1b[1mnotknown" not in line.replace(" ", "")
