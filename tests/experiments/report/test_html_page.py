"""The page, read as a browser without scripts would."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sparring.experiments.report.html_page import LONGEST_TRACEBACK, render_page
from sparring.experiments.report.study import read_study
from sparring.experiments.reproductions.comparison import judge_reproduction
from tests.experiments.report.studies import EVIL, study

MEBIBYTE = 1 << 20
AXES = {"data": ["digits", "mnist"], "attack": ["none", "ipm"], "defense": ["mean", EVIL], "seed": ["0", "1"]}
RESULTS = {
    (data, attack, rule, seed): 0.5 + 0.1 * int(seed)
    for data in AXES["data"]
    for attack in AXES["attack"]
    for rule in AXES["defense"]
    for seed in AXES["seed"]
}


class Reader(HTMLParser):
    """Collects the tags of a page, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.extend(data.split())


def read(html):
    reader = Reader()
    reader.feed(html)
    return reader


def text(html):
    return " ".join(read(html).words)


def test_a_name_is_no_markup():
    read_page = read(render_page(study(AXES, RESULTS)))
    assert "script" not in {tag for tag, _ in read_page.tags}
    assert EVIL in read_page.words


def test_an_error_is_no_markup():
    html = render_page(study(AXES, RESULTS | {("digits", "none", "mean", "0"): None}))
    assert "RuleError: &lt;b&gt;no&lt;/b&gt;" in html
    assert "Traceback &lt;i&gt;" in html


def test_nothing_comes_from_elsewhere(sweep_folder):
    links = [
        (tag, value)
        for tag, attributes in read(render_page(read_study(sweep_folder))).tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "srcset", "data", "poster")
    ]
    assert links
    assert [link for link in links if not link[1].startswith(("#", "data:"))] == []
    assert "url(" not in render_page(read_study(sweep_folder))


def test_every_heading_of_a_table_has_a_scope(sweep_folder):
    headings = [attributes for tag, attributes in read(render_page(read_study(sweep_folder))).tags if tag == "th"]
    assert {heading.get("scope") for heading in headings} == {"col", "row"}


def test_every_picture_is_told_in_words(sweep_folder):
    pictures = [attributes for tag, attributes in read(render_page(read_study(sweep_folder))).tags if tag == "svg"]
    assert pictures
    assert all("aria-hidden" in picture or "Accuracy over rounds" in picture["aria-label"] for picture in pictures)


def test_every_run_has_its_command(sweep_folder):
    assert render_page(read_study(sweep_folder)).count('<pre class="command">sparring run seed=') == 8


def test_a_cell_says_of_how_many_runs_it_is():
    results = dict(RESULTS)
    del results["digits", "none", "mean", "1"]
    told = text(render_page(study(AXES, results)))
    assert "0.500 no interval n = 1 of 2" in told
    assert "0.550 0.000–1.000 n = 2" in told


def test_what_is_missing_is_said():
    results = RESULTS | dict.fromkeys([("mnist", "ipm", "mean", seed) for seed in AXES["seed"]])
    del results["digits", "none", "mean", "1"]
    told = text(render_page(study(AXES, results)))
    assert "13 of 16 runs are complete" in told
    assert "2 runs failed." in told
    assert "1 run not complete." in told
    assert "digits, none, mean, seed 1" in told
    assert "failed ≤ 0.550 n = 2 none 1 missing" in told
    assert "RuleError: <b>no</b> (2 runs)" in told


def test_a_complete_sweep_misses_nothing(sweep_folder):
    told = text(render_page(read_study(sweep_folder)))
    assert "8 of 8 runs are complete" in told
    assert 'role="note"' not in render_page(read_study(sweep_folder))


def test_cells_are_compared_seed_by_seed():
    told = text(render_page(study(AXES, RESULTS | {("digits", "ipm", EVIL, "0"): 0.9})))
    assert told.count("Paired differences over common seeds") == 2
    assert told.count("p of Wilcoxon's signed-rank test") == 1
    assert f"Accuracy after the last round, defenses compared with mean defense none ipm {EVIL}" in told
    assert "+0.200 -2.341 to +2.741 d 0.7 n = 2 undecided" in told


def test_what_else_was_measured_of_a_backdoor_is_folded_away():
    made = study(AXES, RESULTS)
    words = "Backdoor accuracy averaged over rounds, including images of the target class, and over all images"
    assert words not in text(render_page(made))
    made.frame["average_backdoor_accuracy_with_target"] = 0.75
    folded = text(
        render_page(made).partition("<details><summary>Backdoor accuracy averaged")[2].partition("</details>")[0]
    )
    assert "Average backdoor accuracy over the rounds, images of the target class counted" in folded
    assert "0.750" in folded


def test_what_speaks_for_one_side_is_shaded():
    axes = AXES | {"seed": ["0", "1", "2"]}
    results = {(*labels, seed): 0.9 - 0.4 * (labels[1] == "ipm") for *labels, _ in RESULTS for seed in axes["seed"]}
    classes = [
        attributes.get("class") for tag, attributes in read(render_page(study(axes, results))).tags if tag == "td"
    ]
    assert classes.count("attacker") == 2 * 2 * len(AXES["defense"])
    assert "defender" not in classes


def test_one_seed_is_said_to_be_one():
    single = {labels: accuracy for labels, accuracy in RESULTS.items() if labels[-1] == "0"}
    told = text(render_page(study(AXES | {"seed": ["0"]}, single)))
    assert "One seed (n = 1)." in told
    assert "0.500 no interval n = 1" in told
    assert "0.500 n = 1 none" in told
    assert "Regret: accuracy after the last round, n = 1" in told
    assert "Paired comparisons" not in told


@pytest.mark.parametrize("axes", [AXES, {"q": ["0.1", "0.5"], "seed": ["0"]}, {"attack": ["none"]}, {}])
def test_a_study_of_which_nothing_is_complete_has_a_page(axes):
    assert "No run is complete yet." in text(render_page(study(axes, {})))


def test_a_page_is_the_same_when_it_is_made_again(sweep_folder):
    assert render_page(read_study(sweep_folder)) == render_page(read_study(sweep_folder))


def test_panels_are_in_the_order_of_the_file():
    html = render_page(study(AXES, RESULTS))
    assert html.index('<h2 id="panel-1">digits</h2>') < html.index('<h2 id="panel-2">mnist</h2>')


def test_a_preset_shows_its_claims():
    made = replace(study(AXES, RESULTS), preset={"id": "rla-fig3", "scale": "laptop"})
    told = text(render_page(made, judge_reproduction(made)))
    assert "Claims" in told
    assert "– not judged" in told
    assert "sparring reproduce rla-fig3 --scale laptop" in told


def test_120_runs_make_a_small_page():
    axes = {
        "data": ["digits", "mnist"],
        "attack": ["none", "ipm", "lmp", "eb"],
        "defense": ["mean", "median", "krum", "clipped (max_norm=1.0, inner=median)", "FLTrust"],
        "seed": ["0", "1", "2"],
    }
    cells = [cell.labels for cell in study(axes, {}).cells]
    curve = [(round, round % 7 / 7) for round in range(2000)]
    assert len(cells) == 120
    made = study(axes, {tuple(labels.values()): 0.5 for labels in cells}, curve=curve)
    assert len(render_page(made).encode()) < MEBIBYTE
    broken = study(axes, dict.fromkeys(tuple(labels.values()) for labels in cells))
    long = tuple(
        failure._replace(error=f"error {place}", traceback="x" * 10 * LONGEST_TRACEBACK)
        for place, failure in enumerate(broken.failures)
    )
    assert len(render_page(replace(broken, failures=long)).encode()) < MEBIBYTE
