"""What a run came to, for people and for programs."""

import json
from collections.abc import Mapping
from typing import Any

import typer

from sparring.cli.facts import show_facts
from sparring.experiments import Outcome


def show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print the outcome: one JSON object, or a few lines."""
    result, speed = outcome.result, outcome.rounds_per_second
    if as_json:
        typer.echo(json.dumps({**result, "rounds_per_second": speed, "run": str(outcome.folder)}, allow_nan=False))
        return
    accuracy, average, loss = (result[key] for key in ("accuracy", "average_accuracy", "loss"))
    facts = {
        "accuracy": f"{accuracy:.3f} after {result['rounds']} rounds, {average:.3f} on average",
        **_backdoor(result),
        "loss": "not finite" if loss is None else f"{loss:.4g}",
        "speed": "not measured" if speed is None else f"{speed:.3g} rounds per second",
        "run": str(outcome.folder),
    }
    show_facts(facts)


def _backdoor(result: Mapping[str, Any]) -> dict[str, str]:
    """Say how often triggered images are taken for the target, if there is a trigger."""
    if result["backdoor_accuracy"] is None:
        return {}
    last, average = result["backdoor_accuracy"], result["average_backdoor_accuracy"]
    counted, of_all = result["backdoor_accuracy_with_target"], result.get("backdoor_accuracy_of_all")
    # Folders of earlier versions do not have the last.
    rest = "" if of_all is None else f", {of_all:.3f} of all images"
    return {"backdoor": f"{last:.3f}, {average:.3f} on average; {counted:.3f} with images of the target class{rest}"}
