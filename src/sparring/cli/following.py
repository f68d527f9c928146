"""How a run is followed on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from sparring.cli.interruption import stop_request
from sparring.cli.progress import progress
from sparring.experiments import Observer
from sparring.federation import RoundRecord


@contextmanager
def following(rounds: int) -> Iterator[Observer]:
    """Yield an observer that shows how far a run is, and stops it where a signal asks for that."""
    with stop_request() as request, progress("round", rounds) as shown:

        def take(record: RoundRecord) -> None:
            request.can_wait = True
            shown.show(record.round, _news(record))

        yield Observer(record=take, notice=show_notice, wants_stop=lambda: request.is_made)


def _news(record: RoundRecord) -> str | None:
    if record.accuracy is None:
        return None
    loss = "not finite" if record.loss is None else f"{record.loss:.4g}"
    backdoor = "" if record.backdoor_accuracy is None else f", backdoor {record.backdoor_accuracy:.3f}"
    return f"accuracy {record.accuracy:.3f}{backdoor}, loss {loss}"


def show_notice(message: str) -> None:
    """Tell something in passing."""
    typer.echo(f"sparring: {message}", err=True)
