"""A whole hardening on a few rounds: files, resume, workers, leaks, and what it says."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.errors import ConfigError, Interrupted
from sparring.experiments.config.build import load_dataset
from sparring.experiments.hardening import run_hardening
from sparring.experiments.hardening.run_hardening import folder_of, harden
from sparring.experiments.sweeps.follower import NoFollower
from sparring.learning.evaluation import evaluate_policy
from sparring.policies import load_policy
from tests.experiments.hardening.asking import SMALL, TYPES, request
from tests.learning.constants import always


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(run_hardening, "META", SMALL)
    monkeypatch.setattr(run_hardening, "SEARCH", replace(run_hardening.SEARCH, candidates=4, elites=2, kept=2))


def files(out):
    """Return what a hardening writes, without timings."""
    folder = folder_of(out)
    names = ("constant.safetensors", "policy.safetensors", "untrained.safetensors", "comparison.json")
    return {"out": policy_bytes(out), **{name: (folder / name).read_bytes() for name in names}}


def policy_bytes(path):
    """Return the bytes of a policy's tensors."""
    versions = load_policy(path, "defense").versions
    return b"".join(
        tensor.numpy().tobytes() for version in versions for layer in version.policy.layers for tensor in layer
    )


class StopsAfter(NoFollower):
    """Asks for a stop when a stage begins."""

    def __init__(self, folder, stage):
        self.folder, self.stage = folder, stage

    def begin(self, stage, seconds=0.0):
        if self.stage in stage:
            (self.folder / ".stop").touch()


def test_it_writes_a_policy_with_a_card_and_a_page(tmp_path):
    done = harden(request(), tmp_path / "d.safetensors")
    card = load_policy(done.policy, "defense").card
    assert json.loads((done.folder / "card.json").read_text()) == card
    assert list(card["measured"]) == list(TYPES)
    assert card["digest"] == request().digest
    assert "attackers that learn against it" in card["not_trained_for"]
    assert card["verdict"]["recommended"] == done.verdict.recommended
    page = done.report.read_text()
    assert "Attack domain" in page
    assert "Mean return over the course of training" in page
    assert done.verdict.best_rule in page


@pytest.mark.parametrize("stage", ["constant action", "learning a policy", "comparing"])
def test_a_stop_resumes_to_the_same_bytes(tmp_path, stage):
    whole = tmp_path / "whole.safetensors"
    harden(request(), whole)
    out = tmp_path / "parts.safetensors"
    with pytest.raises(Interrupted, match="stopped"):
        harden(request(), out, follower=StopsAfter(folder_of(out), stage))
    assert not out.exists()
    harden(request(), out)
    assert files(out) == files(whole)


def test_two_workers_lead_to_the_same_bytes(tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    harden(request(), one, workers=1)
    harden(request(), two, workers=2)
    assert files(one) == files(two)


def test_no_label_of_the_test_split_matters(tmp_path):
    asked = request()
    dataset = load_dataset(asked.config)
    shuffled = torch.randint(0, 10, dataset.test.labels.shape, generator=torch.Generator().manual_seed(0))
    poisoned = replace(dataset, test=Batch(dataset.test.inputs, shuffled))
    assert not torch.equal(shuffled, dataset.test.labels)
    clean, leaky = tmp_path / "clean.safetensors", tmp_path / "leaky.safetensors"
    harden(asked, clean)
    catalogues = replace(asked.catalogues, loaded=lambda *_: poisoned)
    harden(replace(asked, catalogues=catalogues), leaky)
    assert files(leaky) == files(clean)


def test_another_request_does_not_take_the_folder(tmp_path):
    out = tmp_path / "d.safetensors"
    harden(request(), out)
    with pytest.raises(ConfigError, match="holds another hardening; choose another folder"):
        harden(request(effort=201), out)


def test_a_file_of_something_else_is_not_overwritten(tmp_path):
    out = tmp_path / "d.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(ConfigError, match="exists, and .* holds no hardening; choose another --out"):
        harden(request(), out)
    assert out.read_bytes() == b"mine"


def test_progress_counts_the_episodes_of_the_comparison(tmp_path):
    seen = []

    class Looks(NoFollower):
        @contextmanager
        def training(self, folder, made, *, total):
            yield
            seen.append((*made(), total))

    harden(request(), tmp_path / "d.safetensors", follower=Looks())
    played, total = seen[-1]
    assert 0.5 * total < played <= total


def test_a_follower_is_trained_before(tmp_path):
    types = {"rl": {"follower": {"acting": "local_search", "share": 0.4, "against": {"defense": "median"}}}}
    done = harden(request(types=types), tmp_path / "d.safetensors")
    trained = load_policy(done.folder / "followers" / "rl.safetensors", "attack")
    assert trained.versions[0].policy.layers[-1][1].numel() == 2
    assert "attackers that learn against it" not in load_policy(done.policy, "defense").card["not_trained_for"]


def test_white_box_plays_on_the_true_shards(tmp_path):
    asked = request(knowledge="white_box")
    assert asked.simulated == asked.base
    done = harden(asked, tmp_path / "d.safetensors")
    assert json.loads((done.folder / "hardening.json").read_text())["asked"]["harden"]["knowledge"] == "white_box"


LEARNS = {
    "none": {},
    "rl": {"follower": {"acting": "local_search", "share": 0.4, "against": {"defense": "median"}}},
}


def follower_bytes(out, stage):
    """Return the bytes of the policy of the type `rl`."""
    ((_, numbers),) = load_policy(folder_of(out) / stage / "rl.safetensors", "attack").versions[0].policy.layers
    return numbers.numpy().tobytes()


def test_followers_answer_the_adapted_policy_if_asked(tmp_path):
    frozen, adapted = tmp_path / "frozen.safetensors", tmp_path / "adapted.safetensors"
    harden(request(types=LEARNS, effort=400), frozen)
    done = harden(request(types=LEARNS, effort=400, answers="adapted"), adapted)
    assert not (folder_of(frozen) / "answers").exists()
    assert follower_bytes(adapted, "followers") == follower_bytes(frozen, "followers")
    assert follower_bytes(adapted, "answers") != follower_bytes(adapted, "followers")
    assert "then against the policy that is adapted to it" in done.report.read_text()
    assert "then against" not in (folder_of(frozen) / "report.html").read_text()


def test_defenses_are_compared_against_the_followers_as_they_answered(tmp_path, monkeypatch):
    played = []

    def compare(world, *given):
        played.append(world.followers)
        return compare_defenses(world, *given)

    compare_defenses = run_hardening.compare_defenses
    monkeypatch.setattr(run_hardening, "compare_defenses", compare)
    harden(request(types=LEARNS, answers="adapted"), tmp_path / "d.safetensors")
    assert played == [{"rl": str(tmp_path / "d.hardening" / "answers" / "rl.safetensors")}]


@pytest.mark.parametrize("stage", ["learning a policy", "comparing"])
def test_a_stop_amid_answers_resumes_to_the_same_bytes(tmp_path, stage):
    whole, out = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    asked = request(types=LEARNS, effort=400, answers="adapted")
    harden(asked, whole)
    with pytest.raises(Interrupted, match="stopped"):
        harden(asked, out, follower=StopsAfter(folder_of(out), stage))
    harden(asked, out, workers=2)
    assert files(out) == files(whole)
    assert follower_bytes(out, "answers") == follower_bytes(whole, "answers")


def test_a_race_plays_the_hardest_type_first_and_gives_the_same_bytes_in_parallel(tmp_path, monkeypatch):
    orders = []

    def record(context, task, action):
        raced = hardest_first(context, task, action)
        orders.append([evaluate_policy(each, always(*action), episodes=1, seed=0) for each in raced.game.tasks])
        return raced

    hardest_first = run_hardening.hardest_first
    monkeypatch.setattr(run_hardening, "hardest_first", record)
    asked = request(racing=True, effort=300)
    harden(asked, tmp_path / "one.safetensors")
    harden(asked, tmp_path / "two.safetensors", workers=2)
    assert orders[0] == sorted(orders[0])
    assert files(tmp_path / "one.safetensors") == files(tmp_path / "two.safetensors")
    harden(request(racing=True, over="mean"), tmp_path / "mean.safetensors")
    assert len(orders) == 2
