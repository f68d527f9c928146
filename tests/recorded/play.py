"""Play the recorded runs: `python -m tests.recorded.play` writes what they come to beside their settings."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

HERE = Path(__file__).parent
RUNS = ("federated", "backdoor", "learned")
SWEEP = "sweep"
TEXTS = ("rounds.jsonl", "result.json")
MODEL = "model.safetensors"
MACHINE = HERE / "machine.json"


def machine() -> dict[str, str]:
    """Name what the last bits of a result depend on."""
    return {
        "machine": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def played(name: str, folder: Path) -> dict[str, str]:
    """Play a recorded run, or the sweep, and return what it leaves that depends on neither time nor place."""
    command = ["sweep", str(HERE / SWEEP / "sweep.yaml"), "--jobs", "1"]
    if name != SWEEP:
        command = ["run", str(HERE / name / "config.yaml")]
    arguments = [sys.executable, "-c", "from sparring.cli.main import main; main()", *command, "--out", str(folder)]
    subprocess.run(arguments, check=True, capture_output=True, env=dict(os.environ), cwd=HERE.parents[1])
    return left(folder)


def left(folder: Path) -> dict[str, str]:
    """Return the texts of a folder's runs by their places, and the digests of their models."""
    texts = {str(path.relative_to(folder)): path.read_text() for name in TEXTS for path in folder.rglob(name)}
    models = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob(MODEL)
    }
    return dict(sorted((texts | models).items()))


def recorded(name: str) -> dict[str, str]:
    """Return what was left when the run was recorded."""
    content: dict[str, str] = json.loads((HERE / name / "left.json").read_text())
    return content


def record() -> None:
    """Write down what each run leaves, and on which machine."""
    for name in (*RUNS, SWEEP):
        with TemporaryDirectory() as folder:
            content = played(name, Path(folder) / "out")
        (HERE / name / "left.json").write_text(json.dumps(content, indent=1) + "\n")
    MACHINE.write_text(json.dumps(machine(), indent=1) + "\n")


if __name__ == "__main__":
    record()
