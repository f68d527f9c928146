import json

import pytest

from sparring.errors import RunError
from sparring.experiments import digest, to_document
from sparring.experiments.runs.manifest import (
    NAME,
    has_manifest,
    list_versions,
    read_manifest,
    read_old_manifest,
    write_manifest,
)
from tests.experiments.small import small


def test_a_manifest_says_what_is_played_and_with_what(tmp_path):
    config = small("seed=3", "execution.threads=2")
    write_manifest(tmp_path, config)
    written = json.loads((tmp_path / NAME).read_text())
    assert written["config"] == to_document(config)
    assert written["digest"] == digest(config)
    assert (written["seed"], written["threads"], written["device"]) == (3, 2, "cpu")
    assert written["versions"].keys() == {"sparring", "python", "torch", "numpy"}


def test_a_manifest_is_read_back(tmp_path):
    config = small("defense={name: clipped, inner: {name: median}}", "attack.start=2")
    write_manifest(tmp_path, config)
    assert has_manifest(tmp_path)
    assert read_manifest(tmp_path) == (config, list_versions(), {}, ())


def test_a_manifest_of_another_version_is_read_where_that_is_enough(tmp_path):
    config = small()
    write_manifest(tmp_path, config)
    path = tmp_path / NAME
    path.write_text(path.read_text().replace(digest(config), "0" * 64))
    with pytest.raises(RunError, match="written by another version"):
        read_manifest(tmp_path)
    assert read_old_manifest(tmp_path).config == config


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"sparring_run": 2}', '{"sparring_run": 1, "config": {}}', "\x80"]
)
def test_a_folder_without_a_manifest_of_ours_is_no_run(tmp_path, content):
    assert not has_manifest(tmp_path)
    (tmp_path / NAME).write_text(content)
    assert not has_manifest(tmp_path)
    with pytest.raises(RunError, match="is not a run folder; give one that `sparring run` created"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda written: written["config"].update(seed=7), "was changed, or written by another version"),
        (lambda written: written["config"].update(seeed=7), "has no key 'seeed'; did you mean 'seed'?"),
        (lambda written: written.update(digest=""), "was changed, or written by another version"),
        (lambda written: written["config"].update(data=3), "data is 3; it must be a section"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(tmp_path, change, message):
    write_manifest(tmp_path, small())
    written = json.loads((tmp_path / NAME).read_text())
    change(written)
    (tmp_path / NAME).write_text(json.dumps(written))
    with pytest.raises(RunError, match=message) as raised:
        read_manifest(tmp_path)
    assert str(raised.value).endswith("run it again with --overwrite")


@pytest.mark.parametrize(
    "rule", ["{name: krum, malicious: sampled}", "{name: clipped, inner: {name: krum, malicious: sampled}}"]
)
def test_the_manifest_of_an_oracle_says_so(tmp_path, rule):
    config = small("federation.sampled=5", f"defense={rule}")
    write_manifest(tmp_path, config)
    assert json.loads((tmp_path / NAME).read_text())["oracle"].startswith("the rule is told how many updates")
    assert read_manifest(tmp_path).config == config
    write_manifest(tmp_path, small())
    assert "oracle" not in json.loads((tmp_path / NAME).read_text())


def test_a_manifest_names_the_classes_where_they_have_names(tmp_path):
    write_manifest(tmp_path, small())
    assert "class_names" not in json.loads((tmp_path / NAME).read_text())
    write_manifest(tmp_path, small(), class_names=("cat", "dog"))
    assert json.loads((tmp_path / NAME).read_text())["class_names"] == ["cat", "dog"]
    assert read_manifest(tmp_path).class_names == ("cat", "dog")
