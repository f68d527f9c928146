"""Which defense: every number of the page stands in a page of results, and every rule in the table of rules."""

import re

import pytest

from tools.site.decisions import MARKER, TABLES, insert_measurements, list_situations
from tools.site.measurements import (
    CLEAN,
    Cell,
    Score,
    _cell,
    read_backdoors,
    read_few_attackers,
    read_gallery,
    read_learned,
    read_tables,
)
from tools.site.repository import ROOT

PAGE = ROOT / "docs" / "which-defense.md"
RESULTS = ROOT / "docs" / "results"
TABLE = "| rule | `none` | `eb` |\n| --- | ---: | ---: |\n| `krum` * | 0.90 | **0.10** |\n"


def score(clean=0.9, backdoor=None, **accuracies):
    cells = {name: Cell(accuracy, backdoor) for name, accuracy in accuracies.items()}
    return Score("rule", {CLEAN: Cell(clean), **cells})


def test_the_page_has_a_place_for_each_table():
    text = PAGE.read_text(encoding="utf-8")
    assert all(text.count(MARKER.format(name=name)) == 1 for name in TABLES)
    assert "<!--" not in insert_measurements(text)


def test_other_pages_stay_as_they_are():
    assert insert_measurements("# Title\n") == "# Title\n"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_equal_rows_and_links_to_pages(name):
    text = TABLES[name]()
    assert len({line.count(" | ") for line in text.splitlines()}) == 1
    rules = set(re.findall(r"\]\(rules/(\w+)\.md\)", text))
    assert rules
    assert all((RESULTS / f"{page}.md").is_file() for page in re.findall(r"\]\(results/([\w-]+)\.md\)", text))


@pytest.mark.parametrize("situation", list_situations(), ids=lambda situation: situation.name)
def test_what_a_situation_says_was_measured(situation):
    text = (RESULTS / f"{situation.source.page}.md").read_text(encoding="utf-8")
    for best in situation.best():
        accuracy = best.cells[best.worst].accuracy
        assert f"{accuracy:.2f}" in text or f"{1 - accuracy:.3f}" in text, "of one page errors are read"


def test_a_situation_without_root_data_names_no_rule_that_needs_them():
    named = {each.name: [best.label for best in each.best()] for each in list_situations()}
    assert "fltrust" in named["Untargeted attackers, up to 20\u00a0%"]
    assert "fltrust" not in named["… and no root data"]


def test_a_situation_with_a_bound_on_the_cost_leaves_out_rules_that_compare_all_pairs():
    scores = {each.name: [score.label for score in each.scores] for each in list_situations()}
    linear = scores["… and a cost that grows no faster than the number of clients"]
    assert {"centered_clipping", "median"} < {*linear}
    assert not {"krum", "bulyan", "flame", "foolsgold"} & {*linear}


def test_an_attack_that_takes_more_than_half_is_a_failure():
    found = score(strong=0.44, weak=0.46)
    assert found.failures == ["strong"]
    assert found.worst == "strong"


def test_a_backdoor_that_is_planted_is_a_failure():
    assert score(backdoor=0.6, bfl=0.9).failures == ["bfl"]
    assert score(backdoor=0.4, bfl=0.9).failures == []
    assert score(backdoor=0.4, bfl=0.9).strongest_backdoor == 0.4
    assert score(weak=0.9).strongest_backdoor is None


def test_rules_rank_by_failures_and_then_by_the_worst_accuracy():
    assert score(a=0.46, b=0.9).merit > score(a=0.1, b=0.9).merit
    assert score(a=0.5, b=0.9).merit > score(a=0.46, b=0.9).merit


def test_tables_are_read_by_their_heads():
    assert list(read_tables(f"Text.\n\n{TABLE}\nMore.")) == [
        [{"rule": "`krum` *", "`none`": "0.90", "`eb`": "**0.10**"}]
    ]


def test_the_pages_of_results_are_read_whole():
    assert len(read_gallery()) >= 18
    assert all(each.cells.keys() == read_gallery()[0].cells.keys() for each in read_gallery())
    assert {each.label for each in read_few_attackers()[0]} == {"median", "FLTrust", "Safeguard", "centered clipping"}
    assert read_few_attackers()[0][0].cells[CLEAN].accuracy != read_few_attackers()[1][0].cells[CLEAN].accuracy
    assert all("RL" in each.cells for each in read_learned())
    assert all(each.strongest_backdoor is not None for each in read_backdoors())


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("0.94", Cell(0.94)),
        ("**0.10**", Cell(0.10)),
        ("**0.20** [0.18,\u00a00.22]", Cell(0.20)),
        ("0.41 ± 0.27", Cell(0.41)),
        ("0.83/0.13 (published –/0.83)", Cell(0.83, 0.13)),
    ],
)
def test_a_cell_is_read_in_each_of_its_forms(text, cell):
    assert _cell(text) == cell
