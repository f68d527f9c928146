import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sparring.errors import RunError
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.integrations import integration, ray_workers
from tests.experiments.sweeps.grids import full_grid, left
from tests.integrations.errands import errand
from tests.integrations.extras import needs

pytestmark = needs("ray")

CLUSTER = """
import sys, ray
started = ray.init("local", num_cpus=3, include_dashboard=False, _temp_dir=sys.argv[1], object_store_memory=100 << 20)
sys.stdout.write(started.address_info["address"] + "\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def short():
    """Yield a folder whose name is short: Ray's sockets are in there."""
    folder = tempfile.mkdtemp(prefix="r")
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(short):
    """Yield the address of a cluster that somebody else has started."""
    words = [sys.executable, "-c", CLUSTER, str(short)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, text=True, **pipes) as process:
        yield process.stdout.readline().strip()


def workers(address):
    return integration("ray")(address)


def test_a_ray_of_its_own_leaves_the_bytes_of_a_sweep_and_nothing_else(tmp_path, short, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(short))
    plan, handlers = plan_sweep(full_grid()), [signal.getsignal(signal.SIGTERM)]
    there = sweep(plan, "there", workers=workers("local"))
    assert there == sweep(plan, "here", workers=InlineWorkers())
    assert there.complete == 24
    assert left(tmp_path / "there") == left(tmp_path / "here")
    assert os.listdir(short) == []
    assert handlers == [signal.getsignal(signal.SIGTERM)]


def test_a_cluster_answers_whatever_happens_to_one_of_its_workers(tmp_path, cluster, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    crew, tasks = workers(cluster), ["first", "die", "fail", "last", tmp_path / "note"]
    assert crew.size == 3
    calls = crew.calls(errand, tasks)
    answers = dict(next(calls) for _ in tasks[:-1])
    assert answers.keys() == {0, 1, 2, 3}, answers
    assert (answers[0], answers[3]) == (f"first from {tmp_path}", f"last from {tmp_path}")
    assert str(answers[1]) == "the worker was lost (WorkerCrashedError); if memory ran out, use a smaller model"
    assert str(answers[2]) == "the worker failed to start: ValueError: this is"
    assert all(isinstance(answers[place], RunError) for place in (1, 2))
    assert not re.search(rf"\d+\.\d+\.\d+|{re.escape(socket.gethostname())}", f"{answers[1]} {answers[2]}")
    worker = written(tmp_path / "note")
    calls.close()
    assert ends(worker)
    assert capfd.readouterr() == ("", "")


def written(note):
    """Wait for the id of a process."""
    while not (note.exists() and note.read_text()):
        time.sleep(0.01)
    return int(note.read_text())


def ends(process):
    """Say whether a process is gone within some seconds."""
    stat = Path(f"/proc/{process}/stat")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_an_address_where_nothing_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(ray_workers, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RunError) as raised:
            _ = workers(address).size
    remedy = "give the address of one that runs, or 'local' to start one on this machine"
    assert str(raised.value) == f"no Ray cluster answers at {address!r}; {remedy}"


def test_what_is_no_address_is_refused():
    with pytest.raises(RunError, match="Ray at 'nowhere': Invalid address format: nowhere; `local` starts a cluster"):
        _ = workers("nowhere").size
