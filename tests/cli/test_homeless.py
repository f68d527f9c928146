"""A container runs under a user that the machine does not know, and that has no home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.experiments.small import SETTINGS

SCRIPT = """
import pwd, sys

def unknown(*_):
    raise KeyError("uid not found")

pwd.getpwuid = pwd.getpwnam = unknown
from sparring.cli.main import main
sys.exit(main())
"""


def homeless(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the name of nobody."""
    kept = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG_")}
    environment = {**kept, **variables}
    command = [sys.executable, "-c", SCRIPT, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


@pytest.mark.data
def test_the_data_that_are_given_are_enough(tmp_path):
    words = ("data.name=mnist", "data.root_size=0", "data.partition.name=iid", "--out", "run")
    done = homeless(tmp_path, "run", *(word for word in SETTINGS if not word.startswith("data.")), *words)
    assert (done.returncode, "run       run" in done.stdout) == (0, True), done.stderr


def test_data_that_have_nowhere_to_go_are_named_with_the_remedy(tmp_path):
    done = homeless(tmp_path, "run", "data.name=mnist", SPARRING_DATA=str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "mnist: there is no cache for train-images-idx3-ubyte.gz, as neither HOME nor XDG_CACHE_HOME names" in line
    assert line.endswith(
        f"put it by hand at {tmp_path}/mnist/train-images-idx3-ubyte.gz (md5 f68b3c2dcbeaaa9fbdd348bbdeb94873)"
    )
    assert list(tmp_path.iterdir()) == []
