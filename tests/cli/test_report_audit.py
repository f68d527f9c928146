import shutil

import pytest

from sparring.cli.main import main
from tests.cli.test_main import refusal
from tests.experiments.audit.asking import audited, shorten


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return audited(tmp_path_factory.mktemp("audits") / "audit")


@pytest.mark.parametrize("width", [60, 80])
def test_the_verdict_of_an_audit_is_printed_with_its_tables(audit, width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["report", str(audit.folder)]) == 0
    out = capsys.readouterr().out
    for words in (
        "hand-crafted",
        "95 % t interval",
        "clients malicious, the accuracy of median drops",
        "learned td3",
        "attacks, worst first",
        "reference rules",
        "trained against median",
        "cells: mean",
    ):
        assert words in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out


def test_the_files_of_an_audit_are_written_again(audit, tmp_path):
    html, csv, latex = (tmp_path / name for name in ("a.html", "a.csv", "a.tex"))
    words = ["report", str(audit.folder), "--html", str(html), "--csv", str(csv), "--latex", str(latex)]
    assert main([*words, "--tensorboard", str(tmp_path / "board")]) == 0
    assert html.read_bytes() == (audit.folder / "report.html").read_bytes()
    assert "learned td3,accuracy,2," in csv.read_text()
    assert "learned td3" in latex.read_text()


def test_an_audit_that_is_not_complete_is_one_line(audit, tmp_path, capsys):
    copy = shutil.copytree(audit.folder, tmp_path / "audit")
    (copy / "verdict.json").unlink()
    assert main(["report", str(copy)]) == 1
    assert refusal(capsys).endswith("resume it with the command that started it")


@pytest.fixture
def joint(audit, tmp_path):
    """Return a folder with the audit for one of the goals."""
    shutil.copytree(audit.folder, tmp_path / "joint" / "untargeted")
    return tmp_path / "joint"


def test_a_folder_of_audits_is_shown_as_one(joint, tmp_path, capsys):
    html = tmp_path / "joint.html"
    assert main(["report", str(joint), "--html", str(html)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("untargeted: with 2 of 8 clients malicious, the strongest attack on median is ")
    assert "reference rules" in out
    assert "untargeted/report.html" in html.read_text()


def test_tables_of_several_audits_are_refused(joint, tmp_path, capsys):
    assert main(["report", str(joint), "--csv", str(tmp_path / "a.csv")]) == 2
    assert refusal(capsys) == f"--csv is given, and {joint} holds an audit for each goal; give {joint}/untargeted"
