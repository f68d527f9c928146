import pytest

from sparring.experiments.audit.report import (
    describe_audit,
    describe_halving,
    describe_references,
    format_gap,
    list_facts,
)
from sparring.experiments.audit.result import Breaking
from tests.experiments.audit.asking import asked
from tests.experiments.audit.verdicts import finished, verdict


def test_the_facts_name_who_was_worst():
    told = list_facts(finished(verdict()))
    assert told["clean"].startswith("0.900 ± 0.020 [")
    assert told["hand-crafted"].endswith("(eb)")
    assert told["learned"].endswith("(learned 1 of 1)")
    assert told["gap"] == format_gap(verdict())


def test_the_gap_has_its_sign_and_its_interval():
    assert format_gap(verdict()).startswith("+0.450 [+0.")
    assert format_gap(verdict((0.8, 0.9, 0.7))).startswith("-0.200 [-0.")
    assert format_gap(verdict()).endswith(", n = 3")


def test_the_sentences_say_what_is_left_and_who_takes_more():
    first, second, _ = describe_audit(finished(verdict()), asked())
    assert first == (
        "With 2 of 8 clients malicious, the accuracy of median drops from 90% to 60% under the worst "
        "hand-crafted attack (eb), and to 15% under the learned one."
    )
    assert second == (
        "The learned attack is stronger: it lowers the accuracy more than the worst hand-crafted one, and "
        "hand-crafted attacks overestimate this rule."
    )


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        (
            (0.594, 0.6945, 0.4935),
            "The learned attack is as strong as the worst hand-crafted one: they do not differ by an amount",
        ),
        (
            (0.8, 0.9, 0.7),
            "The learned attack is weaker: it lowers the accuracy less than the worst hand-crafted one. The accuracy "
            "under eb is the better estimate",
        ),
        (
            (0.58, 0.675, 0.47),
            "The learned attack is not weaker than the worst hand-crafted one by more than 0.02; whether it is",
        ),
        (
            (0.62, 0.73, 0.54),
            "The learned attack is not stronger than the worst hand-crafted one by more than 0.02; it may be weaker",
        ),
        (
            (0.1, 0.9, 0.5),
            "It is undecided whether the learned attack lowers the accuracy more or less: the interval of the gap "
            "extends beyond 0.02 on both sides",
        ),
        (
            (0.1, 0.2),
            "It is undecided whether the learned attack lowers the accuracy more: that needs 3 seeds, and there are 2.",
        ),
    ],
)
def test_it_is_said_plainly_whether_the_learned_attack_is_stronger(learned, words):
    _, second, _ = describe_audit(finished(verdict(learned)), asked())
    assert second.startswith(words)


def test_what_the_learned_attack_was_trained_against_is_said_beside_the_reference_rules():
    told = describe_references(verdict())
    assert "worst hand-crafted attack (eb) and under the learned one, as means over 2 seeds" in told
    assert "was trained against krum:" in told


def test_the_facts_name_the_method_and_what_counts():
    assert list_facts(finished(verdict()))["intervals"] == "95 % t interval in brackets; a gap counts beyond 0.02"


@pytest.mark.parametrize(
    ("breaking", "words"),
    [
        (
            Breaking({25: 0.1, 4: 0.4, 3: 0.5}, 4, 0.2),
            "eb needs 4 of 50 clients to halve the accuracy; the learned attack also halves it with this number "
            "(remaining accuracy 20%).",
        ),
        (
            Breaking({25: 0.8}, None, 0.7),
            "eb does not halve the accuracy even with 25 of 50 clients; the learned attack does not halve it with "
            "this number (remaining accuracy 70%).",
        ),
    ],
)
def test_how_many_clients_it_takes_is_told(breaking, words):
    assert describe_halving(verdict(breaking=breaking), 50) == words
