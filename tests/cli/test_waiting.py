"""What a command imports: nobody waits for libraries that it does not use."""

import json
import subprocess
import sys

import pytest

from tests.experiments.small import SETTINGS
from tests.experiments.sweeps.grids import IPM, NO_ATTACK, grid, written

PROBE = """
import json, sys
from sparring.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, *sys.modules]), file=sys.stderr)
"""
LEARNERS = {"stable_baselines3", "ot", "gymnasium", "pettingzoo", "sparring.conformance"}
TABLES = {"pandas", "scipy.stats", "matplotlib", "jinja2", "sklearn"}


def imported(*words):
    """Return the names of the modules that a command imports in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=False)
    code, *modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize("words", [["list"], ["run", *SETTINGS]], ids=lambda words: words[0])
def test_what_plays_and_lists_imports_no_learner_no_conformance_kit_and_no_tables(folder, words):
    assert not imported(*words) & (LEARNERS | TABLES)


def test_a_sweep_is_planned_without_them(folder):
    file = written(folder, grid(attack=[NO_ATTACK, IPM]))
    assert not imported("sweep", file, "--out", "grid", "--dry-run") & (LEARNERS | TABLES)


@pytest.mark.parametrize("words", [["report", "--help"], ["reproduce", "--help"]], ids=lambda words: words[0])
def test_what_shows_results_imports_no_learner_and_no_conformance_kit(words):
    assert not imported(*words) & LEARNERS


def test_the_command_line_is_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "sparring.cli", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[:9]) == (0, "sparring ")
