import pytest

from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.audit.references import reference_rules
from tests.experiments.audit.asking import WHITE_BOX, asked


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (("defense.name=krum", "data.root_size=20"), ["mean", "median", "fltrust"]),
        (("defense.name=krum", "data.root_size=0"), ["mean", "median"]),
        (("defense.name=median", "data.root_size=20"), ["mean", "fltrust"]),
        (("defense.name=fltrust", "data.root_size=20"), ["mean", "median"]),
    ],
)
def test_the_rule_itself_is_no_reference_and_root_data_are_needed(settings, names):
    assert list(reference_rules(asked(*settings))) == names


def test_reference_rules_are_run_under_the_attacks_of_the_verdict(done):
    frame = read_frame(done.folder / "references")
    assert set(frame["defense"]) == set(reference_rules(asked(WHITE_BOX)))
    assert set(frame["attack"]) == {"none", done.verdict.crafted.attack, done.verdict.learned.attack}
    assert set(frame["seed"]) == {0, 1}


def test_the_audited_rule_comes_first_with_its_own_accuracy(done):
    own, *others = done.verdict.references
    assert (own.rule, own.clean) == ("median", done.verdict.clean)
    assert own.learned == done.verdict.learned.summary
    assert [row.rule for row in others] == list(reference_rules(asked(WHITE_BOX)))
