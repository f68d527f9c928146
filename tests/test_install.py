"""Installing the package brings what running needs and no more, and what is published is complete."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser

import pytest

import sparring
from sparring.cli.main import main
from tests.source import ROOT, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = {
    "pot": "ot",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "stable-baselines3": "stable_baselines3",
}
"""What a package is imported as, if not by its name."""
PATH = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)*:\w+")
"""How source names what is imported when it is asked for."""
INTEGRATIONS = "sparring.integrations."


def packages(requirements):
    """Return the names of requirements, without their versions."""
    return {re.split(r"[^\w-]", requirement)[0].lower() for requirement in requirements}


def modules(requirements):
    return {MODULES.get(name, name) for name in packages(requirements)}


def imported(source):
    """Return the packages that a file imports, at once or when they are asked for."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and PATH.fullmatch(node.value):
            yield re.split(r"[.:]", node.value)[0]


def used(files):
    return {name for source in files for name in imported(source)} - sys.stdlib_module_names - {"sparring", "module"}


def test_what_running_imports_is_what_is_installed():
    files = [source for source in sources("src/sparring") if not source.module.startswith(INTEGRATIONS)]
    assert used(files) == modules(PROJECT["dependencies"])


def test_what_an_extra_installs_is_imported_by_its_integration_alone():
    asked = PROJECT["optional-dependencies"]
    extras = set().union(*(modules(requirements) for extra, requirements in asked.items() if extra != "dev"))
    files = [source for source in sources("src/sparring") if source.module.startswith(INTEGRATIONS)]
    assert used(files) - modules(PROJECT["dependencies"]) == extras


def test_every_version_that_is_developed_with_is_written_down():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {re.split("==", line)[0].lower().replace("_", "-") for line in lines if "==" in line}
    asked = [*PROJECT["dependencies"], *(each for extra in PROJECT["optional-dependencies"].values() for each in extra)]
    assert {name.replace("_", "-") for name in packages(asked)} - {"sparring"} <= pinned


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build what is published, and return the archives: of the source, and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return source, wheel


def tracked(*folders):
    """Return the files of a folder, without what Python leaves in there."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    names = {name for name in zipfile.ZipFile(built[1]).namelist() if ".dist-info/" not in name}
    assert {f"src/{name}" for name in names} == tracked("src")
    kinds = {name.rpartition(".")[2] for name in names}
    assert kinds == {"py", "typed", "html", "css", "json", "safetensors"}


def test_the_source_holds_what_is_needed_to_work_on_it(built):
    with tarfile.open(built[0]) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    folders = ("src", "tests", "examples", "docs", "tools", "benchmarks", "studies")
    assert {name for name in names if name.startswith(tuple(f"{folder}/" for folder in folders))} == tracked(*folders)
    alone = {name for name in names if "/" not in name}
    assert {
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "constraints.txt",
        "Makefile",
        "CHANGELOG.md",
        "PKG-INFO",
    } <= alone
    assert {name for name in alone if not (ROOT / name).exists()} == {"PKG-INFO"}


def test_the_version_is_the_same_everywhere(built, capsys):
    with zipfile.ZipFile(built[1]) as wheel:
        (place,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        metadata = Parser().parsestr(wheel.read(place).decode())
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"sparring {metadata['Version']}\n"
    assert metadata["Version"] == sparring.__version__


def test_the_metadata_says_what_a_registry_shows():
    for key in ("description", "readme", "license", "authors", "keywords", "classifiers", "requires-python"):
        assert PROJECT[key]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {oldest}" in PROJECT["classifiers"]
