import re
import shutil
import subprocess

import pytest

from sparring.experiments.report.latex import as_latex
from sparring.experiments.report.study import read_study
from tests.experiments.report.studies import study

AXES = {"attack": ["none", "50 % & more"], "defense": ["mean", "a_rule"], "seed": ["0", "1", "2"]}
BASES = {("none", "mean"): 0.9, ("none", "a_rule"): 0.8, ("50 % & more", "mean"): 0.1, ("50 % & more", "a_rule"): 0.6}
RESULTS = {(*cell, seed): base + int(seed) / 100 for cell, base in BASES.items() for seed in AXES["seed"]}
PDFLATEX = shutil.which("pdflatex")


def stacked(mean, interval):
    return rf"\begin{{tabular}}[t]{{@{{}}c@{{}}}}{mean}\\ {{\scriptsize {interval}}}\end{{tabular}}"


def rows(text):
    return [line.strip() for line in text.splitlines() if "&" in line]


def test_a_cell_has_its_mean_and_below_it_its_interval_and_the_best_of_a_column_is_bold():
    text = as_latex(study(AXES, RESULTS))
    header, mean, other, *_ = rows(text)
    assert header == r"defense & none & 50 \% \& more \\"
    best, worse = stacked(r"\textbf{0.910}", "[0.885, 0.935]"), stacked("0.110", "[0.085, 0.135]")
    assert mean == rf"mean & {best} & {worse} \\ \addlinespace[3pt]"
    assert stacked(r"\textbf{0.610}", "[0.585, 0.635]") in other


def test_a_table_has_a_label_of_its_own_and_a_caption_that_names_the_method():
    sets = ["digits", "mnist"]
    results = {(data, *labels): value for labels, value in RESULTS.items() for data in sets}
    text = as_latex(study({"data": sets, **AXES}, results))
    labels = re.findall(r"\\label\{(.*)\}", text)
    assert labels[0] == "tab:my-sweep-digits-accuracy-after-the-last-round"
    assert len(labels) == len(set(labels)) == text.count(r"\begin{table}") == 4
    caption = (
        r"digits: Accuracy after the last round. The mean over seeds (n = 3), and below it the 95 \% t interval; bold"
    )
    assert caption in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 4
    assert text.startswith("% in the preamble: \\usepackage{booktabs}")


def test_one_seed_has_no_interval():
    text = as_latex(
        study(AXES | {"seed": ["0"]}, {labels: value for labels, value in RESULTS.items() if labels[-1] == "0"})
    )
    assert "interval" not in text
    assert "(n = 1)" in text


def test_what_is_missing_is_said_and_fewer_runs_are_counted():
    results = {labels: value for labels, value in RESULTS.items() if labels[:2] != ("none", "a_rule")}
    del results["none", "mean", "2"]
    text = as_latex(study(AXES, results))
    assert r"a\_rule & \emph{not run} & " in text
    assert "], n = 2}" in text
    assert "No run is complete yet." in as_latex(study(AXES, {}))


def test_many_columns_go_over_both_columns_of_a_paper():
    axes = AXES | {"attack": [f"attack {place}" for place in range(5)]}
    assert r"\begin{table*}" in as_latex(study(axes, {}))


def test_a_long_name_is_set_in_several_lines():
    axes = AXES | {"defense": ["clipped (max_norm=1.0, inner=median)"]}
    text = as_latex(study(axes, {}))
    assert r"\raggedright clipped (max\_norm=1.0, inner=median) & " in text
    assert "{@{}p{2.6cm}cc@{}}" in text


def test_a_long_heading_is_set_in_several_lines():
    text = as_latex(study(AXES | {"attack": ["an attack with a long name"]}, {}))
    assert r"defense & \begin{tabular}[b]{@{}c@{}}an attack with a\\ long name\end{tabular} \\" in text


def test_latex_is_told_what_it_would_not_print():
    axes = AXES | {"defense": ["<b> |", "{x} \\ ~^$#", "[a] ± ≤"]}
    text = as_latex(study(axes, {}))
    assert r"\textless{}b\textgreater{} \textbar{} & " in text
    assert r"\{x\} \textbackslash{} \textasciitilde{}\textasciicircum{}\$\# & " in text
    assert r"{[}a{]} $\pm$ $\leq$ & " in text


@pytest.mark.skipif(PDFLATEX is None, reason="needs pdflatex")
def test_latex_sets_the_tables_within_their_columns(sweep_folder, tmp_path):
    (tmp_path / "tables.tex").write_text(as_latex(study(AXES, RESULTS)) + as_latex(read_study(sweep_folder)))
    document = (
        "\\documentclass[twocolumn]{article}\\usepackage{booktabs}\\begin{document}\\input{tables}\\end{document}"
    )
    (tmp_path / "paper.tex").write_text(document)
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout
