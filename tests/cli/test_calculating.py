import pytest

from sparring.cli.main import main
from sparring.experiments.reproductions import CALCULATIONS
from sparring.experiments.reproductions.computed_claim import NAME
from tests.experiments.reproductions.calculations import counting


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_calculation_is_told_of_shown_and_judged(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(CALCULATIONS, "counting", counting())
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "counting", "--scale", "smoke"]) == 0
    out, err = capsys.readouterr()
    assert "counting: a calculation (nobody), smoke scale, 2 parts\n- It shows nothing.\n" in out
    assert "values\nvalue\n-----\n0\n1\n10\n11\n" in out
    assert "holds: It counts." in out
    assert "part 2/2: seed 1" in err
    assert (tmp_path / "reproductions" / "counting-smoke" / NAME).exists()


@pytest.mark.parametrize("name", CALCULATIONS)
def test_the_smoke_scale_of_a_calculation_is_not_judged(name, tmp_path, capsys):
    assert main(["reproduce", name, "--scale", "smoke", "--out", str(tmp_path / "s")]) == 0
    out = capsys.readouterr().out
    assert "\nnot judged: " in out
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80


def test_an_interrupted_calculation_goes_on(monkeypatch, tmp_path, capsys):
    words = ["reproduce", "counting", "--scale", "smoke", "--out", str(tmp_path)]
    monkeypatch.setitem(CALCULATIONS, "counting", counting(stop_at=1))
    assert main(words) == 130
    asked = []
    monkeypatch.setitem(CALCULATIONS, "counting", counting(asked))
    assert main(words) == 0
    assert asked == [1]
