"""The folder list is the architecture: who may import whom, what a file is called, and what importing it may do."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import pytest

from tests.source import ROOT, Source, parameters, sources

ROWS = (
    {"kernels"},
    {"errors", "arrays", "random", "records", "snapshot"},
    {"validation", "named_tensors"},
    {"contracts", "kinds", "registry"},
    {"data", "models", "player_checks"},
    {"training"},
    {"policies"},
    {"attacks", "defenses", "inversion", "generation"},
    {"federation"},
    {"conformance"},
    {"games"},
    {"learning"},
    {"integrations"},
    {"experiments"},
    {"cli"},
)
"""Imports point to earlier rows; names on one row do not know each other."""

CHILDREN = {
    "attacks": ("untargeted", "backdoor", "minibatch", "learned"),
    "defenses": ("aggregation", "post_training", "purification", "learned"),
    "games": ("env", "federated", "recursive", "exact"),
    "learning": (
        "calls",
        "training_env",
        "types_in_turn",
        "learner",
        "evaluation",
        "sb3",
        "search",
        "actor_critic",
        "meta",
        "stackelberg",
        "distribution",
        "online",
        "theory",
    ),
    "experiments": ("config", "jobs", "runs", "sweeps", "analysis", "report", "audit", "hardening", "reproductions"),
}
"""A later child may use an earlier one."""

VAGUE = {"utils", "util", "misc", "helpers", "helper", "common", "base", "manager", "handler"}
SHAPELESS = {"config", "args", "params", "kwargs"}

PACKAGE = sources("src/sparring")
MODULES = {source.module for source in PACKAGE}


class Place(NamedTuple):
    """Where a module stands: its row, the name on that row, and which child of that name it belongs to."""

    row: int
    name: str
    child: int


class Import(NamedTuple):
    """A line of `source` that uses another module of the package."""

    source: Source
    module: str
    line: int


def place(module: str) -> Place:
    """Return a module's place; a folder's own `__init__` stands after its children, a stray after everything."""
    _, name, *rest = module.split(".")
    row = next((row for row, names in enumerate(ROWS) if name in names), len(ROWS))
    children = CHILDREN.get(name, ())
    child = children.index(rest[0]) if rest and rest[0] in children else len(children)
    return Place(row, name, child)


def is_inside(module: str) -> bool:
    """Say whether a module stands on a row; the package's own two entry points stand above them all."""
    return module not in ("sparring", "sparring.__main__")


def is_allowed(importer: Place, imported: Place) -> bool:
    if importer.name == imported.name:
        return imported.child <= importer.child
    return imported.row < importer.row


def imports(source: Source) -> Iterator[Import]:
    """Find the modules of the package that a file imports, wherever in the file it does."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else str(node.module) for name in dotted]
        else:
            continue
        yield from (Import(source, name, node.lineno) for name in names if name in MODULES)


def test_every_module_stands_on_a_row():
    known = set().union(*ROWS)
    strays = [
        source.path for source in PACKAGE if is_inside(source.module) and source.module.split(".")[1] not in known
    ]
    assert not strays, f"on no row of the layer list: {', '.join(map(str, strays))}"


@pytest.mark.parametrize("source", [each for each in PACKAGE if is_inside(each.module)], ids=lambda each: each.module)
def test_imports_point_up_the_layer_list(source):
    wrong = [
        f"{source.at(each.line)} imports {each.module}"
        for each in imports(source)
        if is_inside(each.module) and not is_allowed(place(source.module), place(each.module))
    ]
    assert not wrong, "against the layers:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("training.local", "data", True),
        ("models", "data", False),
        ("data", "training.local", False),
        ("attacks.backdoor.poison", "attacks.untargeted.noise", True),
        ("attacks.untargeted.noise", "attacks.backdoor.poison", False),
        ("attacks.untargeted.noise", "attacks.untargeted.none", True),
        ("attacks", "attacks.learned", True),
        ("attacks.learned", "attacks", False),
        ("defenses.aggregation.mean", "attacks.untargeted.none", False),
        ("federation", "attacks", True),
        ("experiments.runs.run", "experiments.config.parse", True),
        ("experiments.config.parse", "experiments.runs.run", False),
        ("experiments.report.html_page", "experiments.reproductions.preset", False),
    ],
)
def test_the_layer_list_is_read_as_written(importer, imported, allowed):
    assert is_allowed(place(f"sparring.{importer}"), place(f"sparring.{imported}")) == allowed


def test_no_modules_import_each_other_in_a_circle():
    graph = {source.module: {each.module for each in imports(source)} for source in PACKAGE}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " -> ".join(error.args[1]))


def test_every_class_has_a_name_of_its_own():
    homes = defaultdict(list)
    for source in PACKAGE:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(source.module)
    twice = [f"{name}: {' and '.join(modules)}" for name, modules in homes.items() if len(modules) > 1]
    assert not twice, f"classes with the same name: {', '.join(twice)}"


def bound_names(source: Source) -> Iterator[str]:
    """Yield what a package's own file binds, other than its submodules."""
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names if node.module != source.module)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def test_no_name_of_a_package_hides_a_module_of_it():
    hidden = [
        f"{source.module}.{name}"
        for source in PACKAGE
        if source.path.name == "__init__.py"
        for name in bound_names(source)
        if f"{source.module}.{name}" in MODULES
    ]
    assert not hidden, f"modules that cannot be imported from their package: {', '.join(hidden)}"


def test_functions_import_nothing():
    local = [
        source.at(node.lineno)
        for source in sources("src", "benchmarks", "tools", "studies", "examples", "tests")
        for function in source.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not local, f"imports inside a function: {', '.join(local)}"


def test_files_are_named_by_what_they_hold():
    vague = [
        str(source.path)
        for source in sources("src", "benchmarks", "tools", "studies", "examples", "tests")
        if VAGUE & set(source.path.stem.split("_")) or re.search(r"_v\d+$", source.path.stem)
    ]
    assert not vague, f"names that say nothing: {', '.join(vague)}"


def test_below_the_experiments_every_parameter_says_what_it_is():
    top = next(row for row, names in enumerate(ROWS) if "experiments" in names)
    shapeless = [
        f"{source.at(function.lineno)} {function.name}({name})"
        for source in PACKAGE
        if is_inside(source.module) and place(source.module).row < top
        for function in source.functions()
        for name in SHAPELESS.intersection(parameters(function))
    ]
    assert not shapeless, f"pass objects, not settings: {', '.join(shapeless)}"


def test_importing_sparring_leaves_no_trace():
    probe = [sys.executable, "-B", str(ROOT / "tests" / "importing.py")]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
