"""The classes of an image folder, named wherever a run tells of itself."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.cli.main import main

SETTINGS = (
    *("data.name=image_folder", "data.root=photos", "data.size=8", "data.root_size=0", "data.partition.name=iid"),
    *("model.name=logistic", "federation.clients=4", "federation.sampled=4", "federation.rounds=1"),
    *("federation.batch=2", "threat.assumed_malicious=0"),
)
NAMES = ["2 <dogs>", "10\x1bcats"]


@pytest.fixture
def photos(folder) -> Path:
    for split, name, number in product(("train", "test"), NAMES, range(8)):
        path = folder / "photos" / split / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 10 * number, np.uint8)).save(path)
    return folder


def test_a_dry_run_names_the_classes(photos, capsys):
    assert main(["run", *SETTINGS, "--dry-run"]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts["classes"] == r"0 2 <dogs>, 1 10\x1bcats"
    assert main(["run", *SETTINGS, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["class_names"] == NAMES


def test_a_run_and_its_report_name_the_classes(photos, capsys):
    assert main(["run", *SETTINGS, "--out", "run"]) == 0
    assert json.loads((photos / "run" / "manifest.json").read_text())["class_names"] == NAMES
    assert "class_names" not in json.loads((photos / "run" / "result.json").read_text())
    capsys.readouterr()
    assert main(["report", "run", "--html", "page.html"]) == 0
    assert r"classes: 0 2 <dogs>, 1 10\x1bcats" in capsys.readouterr().out.splitlines()
    assert "0 2 &lt;dogs&gt;, 1 10" in (photos / "page.html").read_text()


def test_the_runs_of_a_sweep_name_the_classes(photos):
    (photos / "sweep.yaml").write_text(
        "base:\n"
        "  data: {name: image_folder, root: photos, size: 8, root_size: 0, partition: {name: iid}}\n"
        "  model: {name: logistic}\n"
        "  federation: {clients: 4, sampled: 4, rounds: 1, batch: 2}\n"
        "  threat: {assumed_malicious: 0}\n"
        "axes: {seed: [0, 1]}\n"
    )
    assert main(["sweep", "sweep.yaml", "--out", "sweep", "--jobs", "1"]) == 0
    manifests = [json.loads(path.read_text()) for path in photos.glob("sweep/runs/*/manifest.json")]
    assert [each["class_names"] for each in manifests] == [NAMES, NAMES]
