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
