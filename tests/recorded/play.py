"""Play the recorded runs: `python -m tests.recorded.play` adds what they come to on this machine."""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

HERE = Path(__file__).parent
RUNS = ("federated", "backdoor", "learned")
SWEEP = "sweep"
TEXTS = ("rounds.jsonl", "result.json")
MODEL = "model.safetensors"
MACHINES = HERE / "machines.json"
"""The digest of what each recorded run leaves, by the machine that played it."""


def machine() -> str:
    """Name what the last bits of a result depend on: processors of the same instruction set round differently, too."""
    parts = (platform.machine(), *processor(), torch.backends.cpu.get_cpu_capability())
    return ", ".join((" ".join(parts), f"torch {torch.__version__}", f"numpy {np.__version__}"))


def processor() -> Iterator[str]:
    """Yield the vendor, family and model of the processor, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = dict(
        re.findall(r"^(vendor_id|cpu family|model)\s*: (.+)$", info.read_text() if info.exists() else "", re.M)
    )
    yield from lines.values()


def digest(content: dict[str, str]) -> str:
    """Identify what a run left."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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
    """Write down what each run leaves on this machine, beside what others recorded."""
    machines = json.loads(MACHINES.read_text())
    digests = {}
    for name in (*RUNS, SWEEP):
        with TemporaryDirectory() as folder:
            digests[name] = digest(played(name, Path(folder) / "out"))
    MACHINES.write_text(json.dumps({**machines, machine(): digests}, indent=1) + "\n")


if __name__ == "__main__":
    record()
