from dataclasses import replace

from sparring.experiments import parse_config
from sparring.experiments.report.study import run_of
from sparring.experiments.report.threat_model import (
    KNOWLEDGE,
    Fact,
    describe_choices,
    describe_players,
    describe_threat_model,
)
from sparring.experiments.runs.manifest import Manifest
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE
from sparring.experiments.sweeps.tuning import CandidateScore, Choice
from sparring.federation.threat import VIEWS
from tests.experiments.report.studies import study

AXES = {"attack": ["none", "ours"], "defense": ["clipped (max_norm=1.0, inner=median)"]}
CLIPPED = {"name": "clipped", "max_norm": 1.0, "inner": {"name": "median"}}


def told(*documents):
    """Return a study of as many attacks, each played as one of the documents says."""
    made = study(AXES, {(attack, AXES["defense"][0]): 0.5 for attack in AXES["attack"][: len(documents)]})
    configs = map(parse_config, documents)
    manifests = {run_of(cell): Manifest(config, {}, {}) for cell, config in zip(made.cells, configs, strict=False)}
    return replace(made, manifests=manifests)


def facts(*documents):
    return {fact.term: fact.words for fact in describe_threat_model(told(*documents))}


def test_every_kind_of_knowledge_has_words():
    assert KNOWLEDGE.keys() == VIEWS.keys()


def test_a_threat_model_says_who_attacks_and_what_is_known():
    found = facts({"attack": {"name": "ipm", "malicious": 20}, "threat": {"assumed_malicious": 0.3}})
    assert found["Attackers control"][0].startswith("20 of 50 clients")
    assert found["Attackers may know"] == (KNOWLEDGE["omniscient"],)
    assert "assumes that 30% of the updates" in found["The server"][0]


def test_runs_that_differ_are_all_told_of():
    found = facts({}, {"federation": {"clients": 80}, "attack": {"name": "ipm", "malicious": 20}})
    assert [words.split(",")[0] for words in found["Federation"]] == ["50 clients", "80 clients"]
    assert len(found["Data"]) == len(found["Attackers may know"]) == 1


def test_a_label_is_explained_where_it_does_not_say_everything():
    made = told({"defense": CLIPPED}, {"attack": {"name": "ipm", "malicious": 20, "scale": 5.0}, "defense": CLIPPED})
    assert describe_players(made, ATTACK) == (Fact("ours", ("ipm (scale=5.0) by 20 of 50 clients",)),)
    assert describe_players(made, DEFENSE) == ()


def test_a_choice_says_by_what_it_was_made():
    trials = tuple(
        CandidateScore({"defense.max_norm": norm}, {"ipm": norm / 4, "lmp": 0.9}, norm / 4) for norm in (1.0, 2.0)
    )
    made = replace(told(), choices=(Choice({"defense": "clipped"}, {"defense.max_norm": 2.0}, 0.5, 3, trials),))
    (fact,) = describe_choices(made)
    assert fact.term == "clipped"
    assert fact.words[0].startswith("defense.max_norm=2.0: of 2 candidates")
    assert "under ipm, lmp (0.500, n = 3)" in fact.words[0]


def test_nothing_is_told_of_runs_that_are_not_there():
    assert describe_threat_model(study(AXES, {})) == ()
    assert describe_players(study(AXES, {}), ATTACK) == ()


def test_an_oracle_is_named_in_the_threat_model():
    found = facts({"defense": {"name": "krum", "malicious": "sampled"}})
    assert found["The server"][0].startswith(
        "receives the true number of malicious updates in each round, which only an oracle"
    )
