"""Print facts, paragraphs and run results on a terminal."""

import json
import os
from collections.abc import Iterable, Mapping
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

import typer

from sparring.experiments import Outcome


def terminal_width() -> int:
    """Return the width of the terminal in characters; output to a file has the width of a small terminal."""
    return get_terminal_size().columns


def printable(text: str) -> str:
    """Return a text in which control characters are escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


LEAST = 30
"""The minimum width of a fact in characters, on any terminal."""


def show_facts(facts: Mapping[str, str]) -> None:
    """Print each fact after its name, wrapped to the terminal; a fact with a path stays on one line, for copying."""
    width = max(map(len, facts)) + 2
    room = max(LEAST, terminal_width() - width)
    for name, fact in facts.items():
        text = printable(fact)
        lines = [text] if os.sep in text else wrap(text, room, break_long_words=False, break_on_hyphens=False)
        typer.echo(typer.style(f"{name:<{width}}", bold=True) + f"\n{' ' * width}".join(lines))


WIDTH = 80
"""The maximum width of a paragraph in characters."""


def show_paragraphs(lines: Iterable[str]) -> None:
    """Print each line as a paragraph, wrapped to at most `WIDTH` characters; words, such as paths, are not broken."""
    for line in lines:
        for part in wrap(
            printable(line),
            min(WIDTH, terminal_width()),
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        ):
            typer.echo(part)


RATES = {"conversion_rate": "converted", "evasion_rate": "evaded"}
"""What a targeted attack on minibatches is measured by, with the word that is shown."""


def show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print the outcome of a run as one JSON object or as a few lines."""
    result, speed = outcome.result, outcome.rounds_per_second
    if as_json:
        typer.echo(json.dumps({**result, "rounds_per_second": speed, "run": str(outcome.folder)}, allow_nan=False))
        return
    accuracy, average, loss = (result[key] for key in ("accuracy", "average_accuracy", "loss"))
    facts = {
        "accuracy": f"{accuracy:.3f} after {result['rounds']} rounds, {average:.3f} on average",
        **_describe_backdoor(result),
        **{RATES[name]: f"{result[name]:.3f}" for name in RATES if name in result},
        "loss": "not finite" if loss is None else f"{loss:.4g}",
        "speed": "not measured" if speed is None else f"{speed:.3g} rounds per second",
        "run": str(outcome.folder),
    }
    show_facts(facts)


def _describe_backdoor(result: Mapping[str, Any]) -> dict[str, str]:
    """Describe how often triggered images are classified as the target class, if there is a trigger."""
    if result.get("backdoor_accuracy") is None:
        return {}
    last, average = result["backdoor_accuracy"], result["average_backdoor_accuracy"]
    counted, of_all = result["backdoor_accuracy_with_target"], result.get("backdoor_accuracy_of_all")
    # Folders of earlier versions lack the accuracy on all images.
    rest = "" if of_all is None else f", {of_all:.3f} of all images"
    return {"backdoor": f"{last:.3f}, {average:.3f} on average; {counted:.3f} with images of the target class{rest}"}


def show_block(lines: Iterable[str]) -> None:
    """Print paragraphs and an empty line."""
    show_paragraphs(lines)
    typer.echo()
