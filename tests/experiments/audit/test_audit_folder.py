import json
import shutil

import pytest

from sparring.errors import RunError
from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.report import audit_page, command_to_repeat_audit, describe_audit
from sparring.experiments.report import read_study
from tests.experiments.audit.asking import WHITE_BOX, asked


@pytest.fixture
def copied(done, tmp_path):
    return shutil.copytree(done.folder, tmp_path / "audit")


def test_a_finished_audit_is_read_from_its_folder(done):
    read, request = read_audit(done.folder)
    assert read == done
    original = asked(WHITE_BOX)
    assert request.document == original.document
    for fact in ("defense", "malicious", "start", "budget", "fresh"):
        assert getattr(request, fact) == getattr(original, fact)


def test_its_page_is_the_one_that_was_written(done):
    read, request = read_audit(done.folder)
    html = audit_page(read_study(done.folder / "attacks"), read, request=request)
    assert html == (done.folder / "report.html").read_text()


def test_an_attack_with_settings_of_its_own_is_in_the_command(copied):
    request = asked(WHITE_BOX, "attack.name=ipm", "attack.scale=2.0")
    path = copied / "audit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"asked": request.document}))
    assert command_to_repeat_audit(read_audit(copied)[1]) == command_to_repeat_audit(request)


def test_what_counts_is_up_to_the_reader(done):
    for gap in (0.0, 0.9):
        assert read_audit(done.folder, gap=gap)[0].verdict.gap.gap == gap


def test_a_rule_that_is_not_at_hand_is_read_by_its_name(copied):
    for path in [copied / "audit.json", *copied.rglob("manifest.json")]:
        path.write_text(path.read_text().replace('"name": "median"', '"name": "agreement"'))
    content = json.loads((copied / "audit.json").read_text()) | {"plugins": ["my_rules:Agreement"]}
    (copied / "audit.json").write_text(json.dumps(content))
    read, request = read_audit(copied)
    assert describe_audit(read, request)[0].startswith(
        "With 2 of 8 clients malicious, the accuracy of agreement drops from"
    )
    assert "sparring audit --plugin my_rules:Agreement " in command_to_repeat_audit(request)


def test_an_audit_that_is_not_complete_is_told_of(copied):
    (copied / "verdict.json").unlink()
    with pytest.raises(RunError, match="an audit that is not complete; resume it with the command that started it"):
        read_audit(copied)


def test_another_folder_is_no_audit(tmp_path):
    with pytest.raises(RunError, match="holds no audit; give a folder that `sparring audit` created"):
        read_audit(tmp_path)


def test_an_audit_without_reference_rules_is_read_too(copied, done):
    shutil.rmtree(copied / "references")
    read, request = read_audit(copied)
    assert read.verdict == done.verdict._replace(references=())
    assert "Reference rules" not in audit_page(read_study(copied / "attacks"), read, request=request)
