import hashlib
import json
import shutil

import pytest

from sparring.attacks import save_trigger
from sparring.attacks.backdoor.triggers.trigger_network import initialize_trigger
from sparring.errors import ConfigError, Interrupted, RunError
from sparring.experiments import Observer, digest, resume, run, to_document
from sparring.experiments.config.file_contents import file_digest
from sparring.experiments.runs.manifest import NAME
from sparring.policies import save_policy
from sparring.random import stream
from tests.attacks.learned.policies import trained
from tests.experiments.killing import ALWAYS
from tests.experiments.small import lasting, small


def policy(path, number=0):
    """Write a policy for the small run, and return the setting that plays it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_policy(path, trained(number / 4, inputs=29))
    return f"attack={{name: learned, malicious: 2, policy: {path}}}"


def trigger(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_trigger(path, initialize_trigger((1, 8, 8), epsilon=0.1, width=2, rng=stream(number)))
    return f"attack={{name: bfl, malicious: 2, trigger: {{name: learned, file: {path}}}}}"


def photos(path, number=0):
    for name in ("train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(f"{name} {number}".encode())
    return f"data={{name: image_folder, root: {path}}}"


@pytest.mark.parametrize("write", [policy, trigger, photos], ids=lambda write: write.__name__)
def test_a_run_is_known_by_what_a_file_holds_and_not_by_where_it_is(write, tmp_path):
    here, there = (digest(small(write(tmp_path / place / "it"))) for place in ("here", "there"))
    assert here == there
    assert digest(small(write(tmp_path / "here/it", 1))) != here
    assert digest(small(write(tmp_path / "here/it"))) == here


def test_a_policy_that_comes_with_sparring_is_one_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.policies.saved_policy.SHIPPED", tmp_path)
    setting = policy(tmp_path / "mine/0.safetensors")
    assert digest(small("attack={name: learned, malicious: 2, policy: '@mine/0'}")) == digest(small(setting))


def test_what_a_folder_holds_is_its_names_and_its_files(tmp_path):
    photos(tmp_path / "one")
    before = file_digest(tmp_path / "one")
    (tmp_path / "one/train/.hidden").write_text("passed over")
    (tmp_path / "one/train/round").symlink_to(tmp_path / "one", target_is_directory=True)
    assert file_digest(tmp_path / "one") == before
    (tmp_path / "other").symlink_to(tmp_path / "one", target_is_directory=True)
    assert file_digest(tmp_path / "other") == before
    (tmp_path / "one/train/a/1.png").rename(tmp_path / "one/train/a/2.png")
    assert file_digest(tmp_path / "one") != before
    assert file_digest(tmp_path / "nowhere") is None


def test_a_linked_class_is_what_it_leads_to(tmp_path):
    photos(tmp_path / "one")
    before = file_digest(tmp_path / "one")
    shutil.move(tmp_path / "one/train/a", tmp_path / "elsewhere")
    (tmp_path / "one/train/a").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert file_digest(tmp_path / "one") == before


def test_equal_policies_elsewhere_give_equal_bytes(tmp_path):
    for place in ("one", "other"):
        run(small(policy(tmp_path / place / "policy")), tmp_path / place / "run")
    assert lasting(tmp_path / "one/run") == lasting(tmp_path / "other/run")


def halted(config, folder):
    """Play a run for three rounds."""
    seen = []
    with pytest.raises(Interrupted):
        run(config, folder, observer=Observer(record=seen.append, wants_stop=lambda: len(seen) > 3), cadence=ALWAYS)


def test_a_run_goes_on_only_with_the_policy_that_it_was_started_with(tmp_path):
    config = small(policy(tmp_path / "policy"))
    halted(config, tmp_path / "run")
    policy(tmp_path / "policy", 2)
    with pytest.raises(RunError, match=r"policy has changed since .*run was started; restore it, or run it again"):
        resume(tmp_path / "run")
    line = r"attacks\.0\.policy is '.*policy \(sha256 [0-9a-f]{12}\)'; .*run was started with '.*policy \(sha256 "
    with pytest.raises(ConfigError, match=line):
        run(small(policy(tmp_path / "policy", 2)), tmp_path / "run", existing="resume")
    moved = small(policy(tmp_path / "moved"))
    with pytest.raises(RunError, match="restore it"):
        run(moved, tmp_path / "run", existing="resume")
    policy(tmp_path / "policy")
    outcome = run(moved, tmp_path / "run", existing="resume")
    (tmp_path / "policy").unlink()
    assert resume(tmp_path / "run") == outcome, "a complete run needs no file any more"


def test_a_run_of_an_earlier_version_goes_on_under_its_own_digest(tmp_path):
    config = small(policy(tmp_path / "policy"))
    halted(config, tmp_path / "run")
    document = {key: value for key, value in to_document(config).items() if key != "execution"}
    old = hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    for name in (NAME, "checkpoint.json", "checkpoint.previous.json"):
        (tmp_path / "run" / name).unlink(missing_ok=name != NAME)
    (tmp_path / "run" / "rounds.jsonl").unlink()
    run_before(tmp_path / "run", config, digest=old)
    assert resume(tmp_path / "run").result["digest"] == old
    assert run(config, tmp_path / "run", existing="resume").result["digest"] == old


def run_before(folder, config, *, digest):
    """Write the manifest that an earlier version wrote."""
    written = {"sparring_run": 1, "digest": digest, "versions": {}, "plugins": {}, "config": to_document(config)}
    (folder / NAME).write_text(json.dumps(written))
