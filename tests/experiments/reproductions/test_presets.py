from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from sparring.errors import UnknownName
from sparring.experiments import parse_document
from sparring.experiments.analysis.claims import judge_claim
from sparring.experiments.reproductions import CALCULATIONS, PRESETS, TITLES, find_preset
from sparring.experiments.reproductions.msg.setting import (
    FEDAVG,
    MIXED,
    STRONG,
    claim_mixed_attacks_win,
    make_attackers,
)
from sparring.experiments.reproductions.msg.table1 import COLUMNS, PUBLISHED
from sparring.experiments.reproductions.online_training import training_parts
from sparring.experiments.reproductions.preset import (
    NO_ATTACK,
    SCALES,
    Published,
    assumed_share,
    attack_grid,
    find_shipped,
    make_cells,
    plan_preset,
)
from sparring.experiments.reproductions.rla.fig4 import VARIANTS
from sparring.experiments.reproductions.rla.setting import KRUM, choose_training
from sparring.experiments.sweeps import plan_sweep
from sparring.experiments.sweeps.axes import SEED, replace_words
from tests.experiments.frames import made_frame

UNNUMBERED = (
    "rla-fig3-appendix",
    "rla-fig3-fashion",
    "rla-fig3-krum",
    "rla-fig4a",
    "rla-fig4a-krum",
    "rla-fig4b",
    "r2t2-fig6a",
    "r2t2-fig6b",
    "r2t2-fig7",
    "r2t2-figa9",
    "r2t2-figa9-finite",
    "r2t2-table2-fashion",
)
"""Those of which the paper's text has no numbers."""
LEARNING = ("rla-fig3", "rla-fig3-appendix", "rla-fig3-fashion", "rla-fig4a", "rla-fig4b", "rla-fig4c")
"""Those in which an attack is played that has to be learned."""
MSG = ("msg-table1", "msg-table4", "msg-table7")

CENTRAL = tuple(name for name in PRESETS if name.startswith("r2t2"))
"""Those of one learner, without clients."""

presets = pytest.mark.parametrize("name", PRESETS)
presets_and_scales = pytest.mark.parametrize(("name", "scale"), list(product(PRESETS, SCALES)))


def one_seed(name: str, scale: str, policies: str = "policies") -> dict:
    """Return a preset's sweep for its first seed."""
    document = replace_words(PRESETS[name].document(scale), {"policies": policies})
    return {**document, "axes": {**document["axes"], SEED: [0]}}


@presets_and_scales
def test_every_run_of_a_preset_is_a_valid_one(name, scale):
    plan = plan_sweep(one_seed(name, scale))
    assert len(plan.runs) == len(plan.cells)


@presets_and_scales
def test_claims_speak_of_cells_that_are_played(name, scale):
    played = [{**cell.labels} for cell in plan_sweep(one_seed(name, scale)).cells]
    claims = PRESETS[name].claims(scale)
    spoken_of = [cell for claim in claims for statement in claim.statements for cell in statement.cells]
    assert spoken_of
    assert all({**cell, SEED: "0"} in played for cell in spoken_of)
    assert all(claim.statements or claim.needs for claim in claims)


@presets_and_scales
def test_published_numbers_are_of_rules_that_are_played(name, scale):
    axes = PRESETS[name].document(scale)["axes"]
    published = PRESETS[name].published(scale)
    assert bool(published) is (name not in UNNUMBERED)
    for each in published:
        assert each.metric in PRESETS[name].metrics
        assert each.cell.keys() == axes.keys() - {SEED}
        assert all(each.cell[axis] in axes[axis] for axis in axes.keys() - {SEED, "attack"})


@pytest.mark.parametrize(("name", "scale"), [*product([name for name in PRESETS if name not in CENTRAL], SCALES)])
def test_every_rule_of_a_table_reckons_with_the_same_share(name, scale):
    played = plan_sweep(one_seed(name, scale)).cells
    shares = {(cell.labels["attack"] in STRONG and cell.labels["attack"], assumed(cell)) for cell in played}
    assert len(shares) == len({reading for reading, _ in shares})


def assumed(cell):
    """Return the share that a cell's rule assumes; a training without clients assumes none."""
    return getattr(cell.config.threat, "assumed_malicious", None)


@pytest.mark.parametrize(("name", "scale"), list(product(MSG, SCALES)))
def test_in_the_strong_reading_rules_assume_the_true_share(name, scale):
    strong = [cell for cell in plan_sweep(one_seed(name, scale)).cells if cell.labels["attack"] in STRONG]
    assert strong
    for cell in strong:
        true = sum(attacker.malicious for attacker in cell.config.attacks) / cell.config.federation.clients
        assert assumed(cell) == pytest.approx(true)


@pytest.mark.parametrize("name", MSG)
def test_both_readings_of_a_backdoor_are_quoted_and_claims_are_judged_on_the_strong_one(name):
    quoted = {each.cell["attack"]: each.value for each in PRESETS[name].published("laptop")}
    assert STRONG.keys() & quoted.keys()
    assert all(quoted[strong] == quoted[STRONG[strong]] for strong in STRONG.keys() & quoted.keys())
    judged_on = {
        cell["attack"]
        for claim in PRESETS[name].claims("laptop")
        for statement in claim.statements
        for cell in statement.cells
    }
    assert judged_on <= {NO_ATTACK, *STRONG}


def test_the_strong_reading_teaches_all_classes_for_an_epoch():
    rows = make_attackers("laptop", target=9, source=0)
    ((bfl,), (dba,), (ipm, beside), (lmp, parts)) = (rows[row] for row in STRONG)
    aim = {"target": 9, "source": None, "ratio": 0.5, "local_epochs": 1.0}
    assert bfl == beside == {"name": "bfl", "malicious": 5, **aim}
    assert dba == parts == {**bfl, "name": "dba", "malicious": 20, "parts": "random"}
    assert ipm == {"name": "ipm", "malicious": 10, "scale": 2.0, "of": "minimum"}
    assert lmp == {"name": "lmp", "malicious": 10}


def test_msg_s_server_holds_biased_examples():
    held = {}
    for name in MSG:
        (cell, *_) = plan_sweep(one_seed(name, "laptop")).cells
        held[name] = (cell.config.data.root_size, cell.config.data.root_bias)
    assert held == {"msg-table1": (200, 0.5), "msg-table4": (100, 0.5), "msg-table7": (200, 0.5)}


def test_msg_s_table_7_bounds_norms_and_takes_the_mean():
    rules = PRESETS["msg-table7"].document("laptop")["axes"]["defense"]
    assert rules["NormBound 0.1"]["defense"] == {"name": "norm_bounding", "max_norm": 0.1}
    assert rules["NormBound 0.1 on gradients"]["defense"] == {"name": "norm_bounding", "max_norm": 0.005}


@pytest.mark.parametrize(("name", "scale"), list(product(MSG, SCALES)))
def test_msg_s_presets_say_which_of_its_settings_they_play(name, scale):
    told = " ".join(PRESETS[name].differences[scale])
    assert "The counts are those of the main text: 10 untargeted attackers of 100, 5 with a backdoor, 20 of DBA" in told
    assert "appendix C has 20 untargeted ones" in told
    assert "main text's poisoning ratios (1, DBA 0.5)" in told
    assert "appendix C's ratio of 0.5" in told


@pytest.mark.parametrize(("name", "scale"), list(product(("rla-fig3", "marl-fig2"), SCALES)))
def test_every_rule_reckons_with_the_true_share_of_malicious_clients(name, scale):
    for cell in plan_sweep(one_seed(name, scale)).cells:
        attackers, federation = cell.config.attacks, cell.config.federation
        assert len(attackers) == (cell.labels["attack"] != NO_ATTACK)
        for attacker in attackers:
            assert attacker.malicious == cell.config.threat.assumed_malicious * federation.clients


@pytest.mark.parametrize("name", ["rla-fig3-krum", "rla-fig4a-krum"])
def test_krum_is_played_in_three_forms(name):
    played = {
        cell.labels["defense"]: (cell.config.defense["malicious"], cell.config.defense.get("variant"))
        for cell in plan_sweep(one_seed(name, "laptop")).cells
    }
    assert played == {
        "Krum, f = 2": (None, None),
        "Krum, true f": ("sampled", None),
        "Krum, as released": ("sampled", "released"),
    }


def test_the_sweep_beside_the_page_plays_the_runs_of_the_preset_and_measures_them_at_the_end():
    file = Path(__file__).parents[3] / "docs/results/krum-forms.yaml"
    found, played = (
        {frozenset(cell.labels.items()): cell.config for cell in plan_sweep(each).cells}
        for each in (parse_document(file.name, file.read_text()), PRESETS["rla-fig3-krum"].document("laptop"))
    )
    assert {config.evaluation.every for config in found.values()} == {200}
    evaluation = next(iter(played.values())).evaluation
    assert {labels: replace(config, evaluation=evaluation) for labels, config in found.items()} == played


def test_fixed_searches_take_all_shared_examples_in_each_step():
    attacks = PRESETS["rla-fig3-krum"].document("laptop")["axes"]["attack"]
    common = {"name": "local_search", "batch": 200, "shared": 200, "start": 40, "malicious": 20}
    assert attacks["search 5 / 11"]["attack"] == {**common, "scale": 5.0, "steps": 11}
    assert attacks["search 15 / 25"]["attack"] == {**common, "scale": 15.0, "steps": 25}


def test_at_paper_scale_rla_s_search_takes_200_examples_at_the_clients_learning_rate():
    how, federation = (
        choose_training("paper", {"defense": KRUM}),
        PRESETS["rla-fig3"].document("paper")["base"]["federation"],
    )
    assert (how.acting.batch, how.acting.lr, how.learner.settings.pace) == (200, 0.01, 1)
    assert federation["lr"] == how.acting.lr


@pytest.mark.parametrize("name", ["msg-table1", "msg-table4"])
def test_mixed_attacks_are_judged_against_every_fixed_defense(name):
    (claim,) = (claim for claim in PRESETS[name].claims("laptop") if claim.words.startswith("Mixed attacks"))
    spoken_of = {cell["defense"] for statement in claim.statements for cell in statement.cells}
    assert spoken_of == set(PRESETS[name].document("laptop")["axes"]["defense"])
    assert len(claim.statements) == len(spoken_of - {FEDAVG})


def published_frame():
    """Return MSG's table 1 as three runs of each cell that came to the same, as far as the claim reads it."""
    pairs = {
        (attack, column): pair for attack, row in PUBLISHED.items() for column, pair in zip(COLUMNS, row, strict=True)
    }
    runs = made_frame({place: [accuracy] * 3 for place, (accuracy, _) in pairs.items()})
    return runs.assign(backdoor_accuracy=[backdoor for _, backdoor in pairs.values() for _ in range(3)])


def test_in_the_published_table_mixed_attacks_defeat_every_fixed_defense():
    assert judge_claim(claim_mixed_attacks_win(COLUMNS), published_frame()).verdict == "holds"


def test_one_of_the_mixed_attacks_alone_does_not_defeat_all_of_them():
    alone = judge_claim(claim_mixed_attacks_win(COLUMNS, attacks=MIXED[:1]), published_frame())
    assert alone.verdict == "does not hold"
    withstands = [finding for finding in alone.findings if finding.verdict != "holds"]
    assert [finding.statement.cells[-1]["defense"] for finding in withstands] == ["FLTrust + NeuroClip"]


@presets
def test_the_plan_says_what_it_reproduces(name):
    assert plan_preset(PRESETS[name], "smoke").preset == {"id": name, "scale": "smoke"}


@presets
def test_it_is_known_how_learned_attacks_are_learned(name):
    assert (PRESETS[name].training is not None) is (name in LEARNING)


@pytest.mark.parametrize(("name", "scale"), list(product(LEARNING, SCALES)))
def test_every_learned_attack_of_a_preset_has_a_file_of_its_own(name, scale, tmp_path):
    cells = plan_sweep(one_seed(name, scale, str(tmp_path))).cells
    played = [cell for cell in cells if cell.config.attacks and cell.config.attacks[0].member["name"] == "learned"]
    found = training_parts(cells, partial(PRESETS[name].training, scale))
    assert len(found) == len(played) > 0
    for cell, part in zip(played, found.values(), strict=True):
        (attacker,) = cell.config.attacks
        assert part.policy == Path(attacker.member["policy"])
        assert part.policy.parent == tmp_path
        assert part.training.schedule.attacks_from == attacker.start
        assert part.training.schedule.learns_until <= cell.config.federation.rounds


@pytest.mark.parametrize("scale", SCALES)
def test_variants_of_the_learned_attack_have_less_and_less_to_learn_from(scale):
    variants = PRESETS["rla-fig4c"].training
    usual, uninverted, unlabeled = (variants(scale, {"defense": KRUM, "attack": name}) for name in VARIANTS)
    assert usual.inverting is not None
    assert usual.is_labeled
    assert (uninverted.inverting, uninverted.is_labeled) == (None, True)
    assert (unlabeled.inverting, unlabeled.is_labeled) == (usual.inverting, False)


def test_the_policies_of_a_plan_are_beside_its_runs_or_where_it_is_said():
    policies = [
        {
            Path(each.member["policy"]).parent
            for cell in plan.cells
            for each in cell.config.attacks
            if "policy" in each.member
        }
        for plan in (
            plan_preset(PRESETS["rla-fig4c"], "smoke"),
            plan_preset(PRESETS["rla-fig4c"], "smoke", policies="@mine"),
        )
    ]
    assert policies == [{Path("policies")}, {Path("@mine")}]


def test_policies_that_come_with_sparring_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.policies.saved_policy.SHIPPED", tmp_path)
    assert find_shipped(PRESETS["rla-fig3"], "smoke") is None
    (tmp_path / "rla-fig3-smoke").mkdir()
    assert find_shipped(PRESETS["rla-fig3"], "smoke") == "@rla-fig3-smoke"
    assert find_shipped(PRESETS["rla-fig3"], "laptop") is None


@pytest.mark.parametrize(("name", "scale"), list(product(LEARNING, SCALES)))
def test_where_policies_come_with_sparring_none_is_missing(name, scale):
    policies = find_shipped(PRESETS[name], scale)
    if policies is not None:
        assert not training_parts(
            plan_preset(PRESETS[name], scale, policies=policies).cells, partial(PRESETS[name].training, scale)
        )


@presets
def test_a_preset_is_called_by_its_id_and_says_where_it_departs_from_the_paper(name):
    assert find_preset(name.replace("-", "_")) is PRESETS[name]
    assert PRESETS[name].id == name
    assert all(PRESETS[name].differences[scale] for scale in SCALES)


@presets
def test_scales_above_smoke_have_at_least_three_seeds(name):
    assert all(len(PRESETS[name].document(scale)["axes"][SEED]) >= 3 for scale in SCALES[1:])


def test_an_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="unknown preset 'rla-fig2'; did you mean 'rla-fig3'"):
        find_preset("rla-fig2")


def test_no_rule_is_to_reckon_with_more_than_it_allows():
    rules = [{"name": "median"}, {"name": "krum"}]
    assert assumed_share(0.2, sampled=10, rules=rules) == 0.2
    assert assumed_share(0.45, sampled=10, rules=rules) == 0.3  # Krum bears 3 of 10
    assert assumed_share(0.45, sampled=10, rules=rules[:1]) == 0.4


def test_a_grid_is_capped_at_the_weakest_rule():
    base = {"federation": {"clients": 10, "sampled": 10}}
    rules = {"median": {"defense": {"name": "median"}}, "Krum": {"defense": {"name": "krum"}}}
    grid = attack_grid(
        base, partitions={"iid": {"name": "iid"}}, rules=rules, attacks={"IPM": {"name": "ipm"}}, malicious=4, seeds=2
    )
    assert grid["base"]["threat"] == {"assumed_malicious": 0.3}
    assert {axis: list(values) for axis, values in grid["axes"].items()} == {
        "partition": ["iid"],
        "defense": ["median", "Krum"],
        "attack": ["none", "IPM"],
        "seed": [0, 1],
    }
    assert grid["axes"]["attack"]["IPM"] == {"attack": {"name": "ipm", "malicious": 4}}


def test_cells_are_all_combinations():
    assert make_cells(attack=["a", "b"], defense=["x"]) == (
        {"attack": "a", "defense": "x"},
        {"attack": "b", "defense": "x"},
    )


@pytest.mark.parametrize(("relation", "text"), [("=", "0.90"), ("≈", "≈ 0.90"), ("<", "< 0.90")])
def test_a_number_that_is_not_exact_says_so(relation, text):
    assert str(Published({}, 0.9, relation)) == text


def test_a_number_with_a_standard_deviation_says_both():
    assert str(Published({}, 0.095, std=0.029)) == "0.095 ± 0.029"


def test_what_a_list_says_of_presets_is_what_they_say():
    known = {**PRESETS, **CALCULATIONS}
    assert {name: (each.title, each.source) for name, each in known.items()} == TITLES


@pytest.mark.parametrize("name", ["RLA-Fig3", "rla_fig3", "r2t2-figa9", "R2T2_figA9"])
def test_a_preset_is_known_by_more_than_one_spelling(name):
    assert find_preset(name) in (PRESETS["rla-fig3"], PRESETS["r2t2-figa9"])
