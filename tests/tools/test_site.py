"""The generated pages of the site: complete, true to the code, and with examples that run."""

import ast
import runpy
from sys import modules

import pytest
import torch
from mkdocs.structure.files import File, Files

from sparring.attacks import ATTACKS, TRIGGERS
from sparring.defenses import DEFENSES, CenteredClipping, Krum, Mean
from sparring.experiments import parse_config, parse_document
from sparring.experiments.config.build import validate
from sparring.experiments.config.catalogues import CATALOGUES
from tools.site.examples import as_python, as_yaml, document, player
from tools.site.hook import FOLDERS, MARKER, TABLES, _drawn, _unfolded
from tools.site.members import formulas, members, parted
from tools.site.pages import cited, page, prose
from tools.site.papers import FILE, listed, named, papers, with_unlisted
from tools.site.plane import BENIGN, CLIENTS, MALICIOUS, server
from tools.site.repository import ROOT, SHOWN, relinked
from tools.site.stamps import _change

PLAYERS, STAMPS, RULES = members("attacks"), members("triggers"), members("defenses")
EVERYONE = [*PLAYERS, *STAMPS, *RULES]
MODULE = ast.parse(
    '''"""Halving (Doe et al., 2020): half of it."""
def halving(rows: Matrix, share: float = 0.5) -> Vector:
    """Return half."""
def check(rows: Matrix) -> None:
    """Refuse."""
def _hidden(rows: Matrix) -> Vector: ...
'''
)


def everyone(test):
    return pytest.mark.parametrize("member", EVERYONE, ids=lambda member: member.name)(test)


def test_every_name_of_the_catalogues_is_on_one_page():
    for shown, catalogues in ((PLAYERS, (ATTACKS,)), (STAMPS, (TRIGGERS,)), (RULES, (DEFENSES,))):
        names = [name for member in shown for name in member.names]
        assert sorted(names) == sorted(name for catalogue in catalogues for name in catalogue)


def test_one_class_has_one_page():
    mean = next(member for member in RULES if member.name == "mean")
    assert mean.names == ["mean", "fedavg"]


@everyone
def test_a_member_is_in_its_table(member):
    table = TABLES[next(folder for folder, kinds in FOLDERS.items() if member.kind in kinds)]([member])
    assert f"]({member.name}.md)<br>`{member.name}`" in table
    assert len({line.count(" | ") for line in table.splitlines()}) == 1


@everyone
def test_every_paper_that_a_member_names_is_listed(member):
    named_papers = named(member.source)
    assert len(named_papers) == len(member.source.split("; ")) * bool(member.source)
    assert cited(member.source).count("](../papers.md#") == len(named_papers)


@everyone
def test_a_class_names_the_papers_that_the_first_line_of_its_module_names(member):
    headline = modules[member.cls.__module__].__doc__.partition("\n\n")[0]
    assert {paper for paper in papers() if paper in headline} <= {paper.key for paper in named(member.source)}


def test_papers_are_listed_in_order_and_once():
    assert list(listed()) == sorted(set(listed()))


def test_the_list_of_papers_says_what_the_classes_say():
    entries = {entry.partition("\n")[0]: " ".join(entry.split()) for entry in FILE.read_text().split("\n## ")}
    for member in members(*CATALOGUES):
        for paper in named(member.source):
            entry = entries.get(paper.key)
            assert entry is None or (paper.title in entry and paper.venue in entry)


def test_a_paper_that_is_not_in_the_list_is_added_to_it_from_its_class():
    entries = with_unlisted(FILE.read_text(encoding="utf-8")).split("\n## ")[1:]
    assert [entry.partition("\n")[0] for entry in entries] == list(papers())
    (added,) = [entry for entry in entries if entry.startswith("He et al., 2016\n")]
    assert added.split("\n")[2] == "*Deep residual learning for image recognition.* CVPR."


@everyone
def test_a_page_says_what_the_class_says(member):
    text = page(member)
    assert text.startswith(f"# {prose(member.title)}\n")
    assert prose(member.cls.__doc__.split(".")[0].split("\n")[0]) in text
    assert all(f"| `{option.name}` |" in text and prose(option.meaning) in text for option in member.options)
    assert all(f"`{formula.signature}`" in text for formula in member.formulas)
    assert as_yaml(member) in text
    assert as_python(member) in text


@everyone
def test_the_configuration_on_a_page_can_be_played(member):
    written = parse_document("the page", as_yaml(member))
    assert written == document(member)
    config = parse_config(written)
    validate(config)
    named = config.defense if member.is_rule else config.attacks[0].member
    assert (named["trigger"] if member.is_trigger else named)["name"] in member.names


@everyone
def test_the_python_on_a_page_runs(member, tmp_path):
    example = tmp_path / "example.py"
    example.write_text(as_python(member), encoding="utf-8")
    made = runpy.run_path(str(example))
    used = made["rule"] if member.is_rule else made["attacker"]
    played = [used, getattr(used, "attack", None), getattr(used, "poison", None)]
    assert player(member) in (*played, getattr(played[-1], "trigger", None))


@pytest.mark.parametrize(
    ("headline", "title", "source", "tagline"),
    [
        ("Krum (Blanchard et al., 2017): the nearest.", "Krum", "Blanchard et al., 2017", "The nearest"),
        ("Coordinate-wise median (Yin et al., 2018).", "Coordinate-wise median", "Yin et al., 2018", ""),
        ("Adaptive (Fang et al., 2020), unseen (or not).", "Adaptive", "Fang et al., 2020", "Unseen (or not)"),
        ("Worst-of: one, or the other.", "Worst-of", "", "One, or the other"),
        ("Random updates, the weakest.", "Random updates", "", "The weakest"),
    ],
)
def test_the_first_line_of_a_module_is_parted(headline, title, source, tagline):
    assert parted(headline) == (title, source, tagline)


@pytest.mark.parametrize(
    ("name", "cost", "assumption"),
    [
        ("krum", "$O(n^2 d)$", r"$n \ge 2f + 3$, and benign updates lie close together"),
        ("dnc", "$O(n d + T (n^2 b + n^3))$ for T iterations on b coordinates", "benign updates are the majority, and"),
        ("median", r"$O(n d \log n)$", "benign updates are the majority and differ little on each coordinate"),
        ("sign_flip", "$O(f d)$", "the rule averages updates whatever their direction"),
    ],
)
def test_a_page_shows_the_cost_and_the_assumption_of_the_class_as_formulas(name, cost, assumption):
    text = page(next(member for member in EVERYONE if member.name == name))
    assert f"| cost | {cost} |" in text
    assert f"| assumes | {assumption}" in text


def test_formulas_are_the_public_functions_that_return_something():
    assert formulas(MODULE) == [("halving(rows: Matrix, share: float=0.5) -> Vector", "Return half.")]


def test_prose_is_plain_but_for_its_code():
    assert prose("|m|² + <m, p> * `a < b | c`") == r"\|m\|² + &lt;m, p&gt; \* `a < b | c`"


@pytest.mark.parametrize(
    ("place", "link", "there"),
    [
        ("index.md", "../README.md", "start.md"),
        ("index.md", "federation.md", "federation.md"),
        ("attacks/index.md", "../../CONTRIBUTING.md#a-rule", "../contributing.md#a-rule"),
        ("start.md", "docs/index.md", "index.md"),
        ("start.md", "LICENSE", "LICENSE.txt"),
        ("start.md", "docs/missing.md", "docs/missing.md"),
        ("start.md", "https://example.org/README.md", "https://example.org/README.md"),
        ("start.md", "#data", "#data"),
    ],
)
def test_links_are_led_to_where_files_are_in_the_site(place, link, there):
    assert relinked(f"See [this]({link}).", place) == f"See [this]({there})."


def test_the_files_that_the_site_shows_exist():
    assert all((ROOT / file).is_file() for file in SHOWN)


@pytest.mark.parametrize("folder", ["attacks", "triggers", "rules"])
def test_an_index_has_a_place_for_its_table(folder):
    assert (ROOT / "docs" / folder / "index.md").read_text(encoding="utf-8").count(MARKER) == 1


def test_a_folder_in_the_navigation_lists_its_pages_with_the_index_first():
    places = ["rules/krum.md", "rules/index.md", "rules/bulyan.md", "rules/krum.png", "other.md"]
    files = Files([File(place, None, "site", use_directory_urls=True) for place in places])
    assert _unfolded({"Rules": "rules/*"}, files) == {"Rules": ["rules/index.md", "rules/bulyan.md", "rules/krum.md"]}
    assert _unfolded({"Other": "other.md"}, files) == {"Other": "other.md"}
    assert _unfolded("other.md", files) == "other.md"


def test_the_mean_follows_all_alike_and_krum_only_one():
    torch.testing.assert_close(server(Mean()).influence(), torch.full((CLIENTS,), 1 / CLIENTS), atol=1e-4, rtol=0)
    followed = server(Krum()).influence()
    assert followed.sort().values.tolist() == pytest.approx([0.0] * (CLIENTS - 1) + [1.0], abs=1e-4)


def test_the_mean_errs_by_the_malicious_share_of_the_distance():
    played = server(Mean())
    benign = played.view.updates[:BENIGN].mean(dim=0)
    points = benign + torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert played.errors(points).tolist() == pytest.approx([0.0, 5.0 * MALICIOUS / CLIENTS], abs=1e-5)


def test_a_rule_is_drawn_with_what_it_remembers():
    played = server(CenteredClipping())
    assert played.memory.keys() == {"center"}
    assert played.memory["center"].norm() > played.rule.radius, "one round cannot go so far"


@pytest.mark.parametrize(
    ("difference", "name", "shown"),
    [
        ([0.0, 0.0, 0.0, 0.25], "change × 2", [0.5, 0.5, 0.5, 1.0]),
        ([0.1, 0.1, 0.1, 0.0], "(change -0.10) × 5", [0.5, 0.5, 0.5, 0.0]),
        ([0.0, 0.1, 0.2, -0.2], "change × 2.5", [0.5, 0.75, 1.0, 0.0]),
        ([0.0, 0.0, 0.0, 0.0], "change × 1", [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_a_change_is_drawn_as_its_name_says(difference, name, shown):
    ((said, drawn),) = _change(torch.tensor(difference)).items()
    assert said == name
    assert drawn.tolist() == pytest.approx(shown)


@pytest.mark.parametrize("name", ["alie", "label_flip", "dba", "square", "krum"])
def test_a_member_is_drawn_the_same_twice(name):
    member = next(member for member in EVERYONE if member.name == name)
    first, second = _drawn(member), _drawn(member)
    assert first == second
    assert all(picture.startswith(b"\x89PNG") for picture in first.values())
