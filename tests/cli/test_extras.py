import sys

import pytest

from sparring.cli.main import main
from tests.cli.test_main import refusal
from tests.experiments.small import SETTINGS
from tests.experiments.sweeps.grids import grid, written


@pytest.mark.parametrize("extra", ["ray", "tensorboard"])
def test_an_option_that_needs_an_extra_asks_for_it_before_anything_is_played(extra, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, extra, None)
    commands = {
        "ray": ["sweep", written(tmp_path, grid(seed=[0])), "--ray", "local"],
        "tensorboard": ["run", *SETTINGS, "--tensorboard", str(tmp_path / "board")],
    }
    assert main([*commands[extra], "--out", str(tmp_path / "out")]) == 2
    assert refusal(capsys) == f'{extra} is not installed; use pip install "sparring[{extra}]"'
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "board").exists()
