"""How large a file, a function and a class may be, and that nothing is written twice."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import combinations
from statistics import median, quantiles
from typing import NamedTuple

import pytest

from tests.source import Function, Source, length, parameters, sources

LINES_OF_FILE = 400
LINES_OF_MEDIAN_FILE = 120
LINES_OF_FUNCTION = 50
LINES_OF_NINE_FUNCTIONS_IN_TEN = 30
LINES_OF_MEDIAN_FUNCTION = 8
ARGUMENTS = 6
NESTING = 3
METHODS = 6
ANCESTORS = 2
FEWEST_LINES_TO_COMPARE = 5
FEWEST_LINES_ELSEWHERE = 11
ALIKE = 0.8
TESTS_PER_SOURCE = 0.6

COMMANDS = "sparring.cli."
"""A command has as many arguments as the command line has options."""

BLOCKS = ast.For | ast.AsyncFor | ast.While | ast.If | ast.With | ast.AsyncWith | ast.Try | ast.Match

PACKAGE = sources("src/sparring")
EVERYTHING = sources("src", "benchmarks", "tools", "studies", "examples", "tests")


class Body(NamedTuple):
    """The words of a function that is long enough to compare, without its docstring."""

    name: str
    words: list[str]
    counts: Counter[str]


def functions(files: tuple[Source, ...]) -> Iterator[tuple[str, Function]]:
    """Return every function beside the place where it starts."""
    return ((f"{file.at(each.lineno)} {each.name}", each) for file in files for each in file.functions())


def nesting(node: ast.AST) -> int:
    """Return how deep blocks stand in each other below `node`; `elif` goes no deeper than `if`."""
    chained = node.orelse if isinstance(node, ast.If) and len(node.orelse) == 1 else []
    return max(
        (nesting(child) + (isinstance(child, BLOCKS) and child not in chained) for child in ast.iter_child_nodes(node)),
        default=0,
    )


def verbs(each: ast.ClassDef) -> list[str]:
    """Return the names of a class's public methods; a property is read like a field."""
    methods = [member for member in each.body if isinstance(member, Function) and not member.name.startswith("_")]
    return [method.name for method in methods if "property" not in " ".join(map(ast.unparse, method.decorator_list))]


def ancestors() -> dict[str, int]:
    """Return for each class of the package how many of the package's classes stand above it in the longest line."""
    bases = defaultdict(set)
    for source in PACKAGE:
        for each in source.classes():
            bases[each.name] |= {ast.unparse(base).split(".")[-1].split("[")[0] for base in each.bases} - {each.name}

    def above(name: str) -> int:
        return max((1 + above(base) for base in bases[name] if base in bases), default=0)

    return {name: above(name) for name in list(bases)}


def body(place: str, function: Function) -> Body:
    statements = function.body[ast.get_docstring(function) is not None :]
    words = re.findall(r"\w+|[^\w\s]", "\n".join(map(ast.unparse, statements)))
    return Body(place, words, Counter(words))


def likeness(one: Body, other: Body) -> float:
    """Return the share of words that two functions have in common, in order; 0 where it cannot reach the limit."""
    words = len(one.words) + len(other.words)
    if (
        2 * min(len(one.words), len(other.words)) <= ALIKE * words
        or 2 * (one.counts & other.counts).total() <= ALIKE * words
    ):
        return 0.0
    return SequenceMatcher(None, one.words, other.words, autojunk=False).ratio()


def lines(files: tuple[Source, ...]) -> int:
    return sum(bool(line.strip()) for file in files for line in file.text.splitlines())


def test_no_file_is_long():
    sizes = {str(file.path): len(file.text.splitlines()) for file in EVERYTHING}
    long = [f"{path}: {size}" for path, size in sizes.items() if size > LINES_OF_FILE]
    assert not long, f"more than {LINES_OF_FILE} lines: {', '.join(long)}"


def test_most_files_are_short():
    assert median(len(file.text.splitlines()) for file in PACKAGE) <= LINES_OF_MEDIAN_FILE


def test_no_function_is_long():
    long = [f"{place}: {length(each)}" for place, each in functions(EVERYTHING) if length(each) > LINES_OF_FUNCTION]
    assert not long, f"more than {LINES_OF_FUNCTION} lines: {', '.join(long)}"


def test_most_functions_are_short():
    sizes = [length(function) for _, function in functions(PACKAGE)]
    assert median(sizes) <= LINES_OF_MEDIAN_FUNCTION
    assert quantiles(sizes, n=10)[-1] <= LINES_OF_NINE_FUNCTIONS_IN_TEN


def test_no_function_takes_many_arguments():
    below = tuple(source for source in PACKAGE if not source.module.startswith(COMMANDS))
    many = [place for place, function in functions(below) if len(parameters(function)) > ARGUMENTS]
    assert not many, f"more than {ARGUMENTS} arguments: {', '.join(many)}"


def test_no_function_is_deeply_nested():
    deep = [place for place, function in functions(EVERYTHING) if nesting(function) > NESTING]
    assert not deep, f"blocks nested more than {NESTING} deep: {', '.join(deep)}"


def test_no_class_offers_many_methods():
    offered = {f"{file.at(each.lineno)} {each.name}": len(verbs(each)) for file in PACKAGE for each in file.classes()}
    many = [f"{place}: {count}" for place, count in offered.items() if count > METHODS]
    assert not many, f"more than {METHODS} methods: {', '.join(many)}"


def test_no_class_has_many_ancestors():
    deep = [name for name, above in ancestors().items() if above > ANCESTORS]
    assert not deep, f"more than {ANCESTORS} ancestors inside sparring: {', '.join(deep)}"


def test_no_function_is_written_twice():
    own = {place for place, _ in functions(PACKAGE)}
    bodies = [
        body(place, each)
        for place, each in functions(EVERYTHING)
        if length(each) >= (FEWEST_LINES_TO_COMPARE if place in own else FEWEST_LINES_ELSEWHERE)
    ]
    copies = [
        f"{one.name} and {other.name}: {alike:.0%}"
        for one, other in combinations(bodies, 2)
        if (alike := likeness(one, other)) > ALIKE
    ]
    assert not copies, "nearly the same function twice:\n" + "\n".join(copies)


@pytest.mark.parametrize(
    ("copy", "found"),
    [
        ("total = 0\nfor item in items:\n    total += item * 2\nreturn total", True),
        ("total = 0\nfor item in items:\n    total += item * 3\nreturn total", True),
        ("return sum(2 * item for item in items if item is not None)", False),
    ],
)
def test_a_copy_with_small_changes_is_found(copy, found):
    one, other = (
        body("", ast.parse(f"def example(items):\n{indented}").body[0])
        for indented in (
            "    total = 0\n    for item in items:\n        total += item * 2\n    return total",
            "\n".join(f"    {line}" for line in copy.splitlines()),
        )
    )
    assert (likeness(one, other) > ALIKE) == found


def test_tests_keep_up_with_the_source():
    tests, source = lines(sources("tests")), lines(PACKAGE)
    assert tests >= TESTS_PER_SOURCE * source, f"{tests} lines of tests for {source} of source"
