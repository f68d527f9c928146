"""An audit that fields a team: its policies are played by rank, and it resumes and is read as any other."""

import json

import pytest

from sparring.attacks import CoordinatedAttack
from sparring.cli.main import main
from sparring.errors import ConfigError
from sparring.experiments import apply_overrides
from sparring.experiments.audit import audit, read_audit, read_request
from sparring.experiments.audit.goals import TEAM, UNTARGETED
from sparring.experiments.audit.report import command_to_repeat_audit, describe_audit
from sparring.experiments.audit.team_contenders import TEAM_CONTENDERS
from tests.experiments.audit.asking import TASK, WHITE_BOX, asked, left, shorten

TEAM_OF_TWO = (*TASK, WHITE_BOX, "attack.malicious=2")


def wanted(goal=TEAM.name):
    return read_request(apply_overrides({}, TEAM_OF_TWO), seeds=2, budget=600.0, goal=goal)


@pytest.fixture(scope="module")
def fielded(tmp_path_factory):
    """A finished audit by a team."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return audit(wanted(), tmp_path_factory.mktemp("audits") / "audit")


def test_every_contender_is_played_as_a_coordinated_attack(fielded):
    assert fielded.policies.keys() == {f"learned {name}" for name in TEAM_CONTENDERS}
    for trained in fielded.policies.values():
        attack = CoordinatedAttack(str(trained.policy))
        assert attack.trained.team.ranks == 2
    document = json.loads((fielded.folder / "attacks" / "sweep.json").read_text(encoding="utf-8"))
    assert "coordinated" in json.dumps(document)
    assert {cell.attack for cell in fielded.verdict.ranking} >= {"none", *fielded.policies}


def test_it_is_read_again_from_its_folder(fielded):
    read, request = read_audit(fielded.folder)
    assert request.goal is TEAM
    assert read.verdict == fielded.verdict
    assert list(describe_audit(read, request)) == list(describe_audit(fielded, wanted()))
    assert "--team 2 " in command_to_repeat_audit(request)


def test_the_same_audit_again_changes_nothing(fielded, monkeypatch):
    shorten(monkeypatch)
    before = left(fielded.folder)
    assert audit(wanted(), fielded.folder).verdict == fielded.verdict
    assert left(fielded.folder) == before


def test_it_is_another_audit_than_that_of_one_attacker():
    assert wanted().digest != wanted(UNTARGETED.name).digest
    assert wanted(UNTARGETED.name).digest == asked(WHITE_BOX).digest
    assert wanted().attacks == wanted(UNTARGETED.name).attacks


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--team", "3", "attack.malicious=2"], "--team is 3, and attack.malicious is 2; choose one"),
        (["--team", "3", "--goal", "backdoor"], "--team is given, and --goal is backdoor; a team's goal is untargeted"),
        (["--team", "0"], "attack.malicious is 0; it must be from 1 to 49"),
        (["--goal", "team"], "goal is 'team'; it must be one of: untargeted, backdoor, both"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words, message, capsys):
    assert main(["audit", *words]) == 2
    assert capsys.readouterr().err == f"sparring: {message}\n"


def test_a_white_box_team_needs_that_knowledge():
    with pytest.raises(ConfigError, match=r"^threat\.knowledge is black_box; the learned attacker is trained against"):
        read_request(
            apply_overrides({}, (*TASK, "attack.malicious=2", "threat.knowledge=black_box")),
            seeds=2,
            budget=600.0,
            goal=TEAM.name,
        )
