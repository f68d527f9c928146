"""What CONTRIBUTING says of a new rule is true: one file, one line and one row, and everything knows it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.defenses.contract import UNCONDITIONAL
from tests.source import ROOT

COPIED = ("src", "tools", "docs/results", "tests/tools", "tests/defenses", "tests/experiments/config")
FILES = ("pyproject.toml", "docs/papers.md", *(f"tests/{name}.py" for name in ("__init__", "conftest", "matrices")))
LEFT_OUT = shutil.ignore_patterns("*.safetensors", "recorded")

PROBE = """
import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from sparring import defenses
from sparring.cli.completion import MEMBERS, list_names
from sparring.cli.main import main
from tools.site.members import members
from tools.site.pages import page, rules_table


def listed(*words):
    with redirect_stdout(StringIO()) as out:
        assert main(["list", *words, "--json"]) == 0
    return json.loads(out.getvalue())


class Passed:
    def __init__(self):
        self.names = []

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.names.append(report.nodeid.partition("::")[2])


passed = Passed()
(member,) = [member for member in members("defenses") if member.name == "midrange"]
told = {
    "module": defenses.Midrange.__module__,
    "file": defenses.__file__,
    "page": page(member),
    "table": rules_table([member]),
    "completed": [*list_names(MEMBERS["defenses"])],
    "listed": listed("midrange"),
    "names": [entry["name"] for entry in listed("defenses")["defenses"]],
}
with redirect_stdout(StringIO()) as out:
    told["code"] = int(pytest.main(ARGUMENTS, plugins=[passed]))
print(json.dumps({**told, "passed": passed.names, "printed": out.getvalue()}))
"""
TESTS = (
    "tests/defenses/test_catalogue.py",
    "tests/experiments/config/test_catalogues.py",
    "tests/tools/test_site.py",
)
CHOSEN = "midrange or every_rule or every_name_of or (defenses and (has_a_meaning or states_its_paper))"
ARGUMENTS = ["-p", "no:cacheprovider", "-k", CHOSEN, *TESTS]


def insert(file: Path, mark: str, *lines: str) -> None:
    """Put lines below the line that is a mark."""
    text = file.read_text(encoding="utf-8")
    assert text.count(f"{mark}\n") == 1, f"{file.name} does not have {mark!r} once"
    file.write_text(text.replace(f"{mark}\n", "\n".join([mark, *lines, ""])), encoding="utf-8")


def told(copy: Path) -> dict[str, Any]:
    """Return what a copy of the project says in which a rule was added as the page says."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=LEFT_OUT)
    for file in FILES:
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file)
    add_rule(copy)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy / "src"), str(copy)])}
    script = PROBE.replace("ARGUMENTS", repr(ARGUMENTS))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def add_rule(copy: Path) -> None:
    """Add the rule of the page: its file, its line and its row, the last two with their imports."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## A rule\n")[2].partition("\n## ")[0]
    (path,) = re.findall(r"^\*One file\*: `([^`]+)`", section, re.MULTILINE)
    line, row = re.findall(r'`("midrange": [^`]+,)`', section)
    source = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0]
    (copy / path).write_text(source, encoding="utf-8")
    module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    catalogue, table = copy / "src/sparring/defenses/__init__.py", copy / "tests/defenses/test_catalogue.py"
    insert(
        catalogue,
        "from sparring.contracts import Defense, Purification, Repair, Server",
        f"from {module} import Midrange",
    )
    insert(catalogue, "DEFENSES: Mapping[str, type[Defense | Server]] = {", f"    {line}")
    insert(catalogue, "__all__ = [", '    "Midrange",')
    insert(table, "from sparring.defenses import (", "    Midrange,")
    insert(table, "EXAMPLES = {", f"    {row}")


def test_a_rule_that_is_one_file_one_line_and_one_row_is_known_everywhere(tmp_path):
    said = told(tmp_path)
    assert said["module"] == "sparring.defenses.aggregation.midrange"
    assert Path(said["file"]).is_relative_to(tmp_path), "it is not the copy that was imported"
    check_site(said["page"], said["table"].splitlines()[-1])
    assert "midrange" in said["names"]
    assert "midrange" in said["completed"]
    listed = {key: said["listed"][key] for key in ("kind", "name", "cost", "assumption")}
    assert listed == {"kind": "defenses", "name": "midrange", "cost": "O(n d)", "assumption": "no update is malicious"}
    assert said["code"] == 0, said["printed"]
    check_tests(said["passed"])


def check_site(page: str, row: str) -> None:
    assert page.startswith("# Coordinate-wise midrange\n")
    assert "| assumes | no update is malicious |" in page
    assert row.startswith("| [Coordinate-wise midrange](midrange.md)<br>`midrange` |")
    assert row.endswith("| no update is malicious | 0 · 0 · 0 | $O(n d)$ |")


def check_tests(passed: list[str]) -> None:
    """Say whether the table of the contract, the catalogues' tests and the site's ran with it, and passed."""
    conforms = [name for name in passed if name.startswith("TestDefenses::test_it_conforms[")]
    assert len(conforms) == len(UNCONDITIONAL)
    assert {
        "TestDefenses::test_any_count_is_survived[midrange]",
        "test_an_unknown_option_is_refused[midrange]",
        "test_a_page_says_what_the_class_says[midrange]",
        "test_the_python_on_a_page_runs[midrange]",
        "test_every_rule_has_an_example",
        "test_every_rule_can_be_imported_by_its_name",
        "test_every_option_of_every_member_has_a_meaning[defenses]",
        "test_the_class_of_every_member_states_its_paper_cost_and_assumption[defenses]",
    } <= set(passed)
