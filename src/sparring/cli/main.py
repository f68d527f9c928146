"""`sparring`: find the command, and turn what goes wrong into one line and an exit code."""

import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import click
import typer
from typer.core import TyperCommand

import sparring
from sparring.cli.completion import COMPLETED, NAME, completed, is_completing
from sparring.cli.standard_streams import shielded
from sparring.errors import ConfigError, FormerName, Interrupted, SparringError
from sparring.registry import imported

COMMANDS = {
    "run": "Play one run, as a configuration and settings describe it.",
    "resume": "Go on with a run that was stopped.",
    "sweep": "Play many runs: every combination of what a file lets vary.",
    "reproduce": "Play a published table or figure again.",
    "audit": "Find out what an attacker that learns does to a rule.",
    "show": "Show runs beside each other: settings, results, curves.",
    "report": "Show what a sweep came to, in tables and on a page.",
    "list": "List what a configuration can name.",
    "check-plugin": "Check a class of your own against what is asked of its kind.",
    "demo": "Watch digits being learned, attacked and defended.",
}

TAKING = {"run", "sweep", "audit"}
"""Those that take `section.key=value`."""
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
TRACEBACK = "--traceback"
HELP = {"help_option_names": ["-h", "--help"]}


class PlainCommand(TyperCommand):
    """A command whose help has brackets as they are: typer escapes them for rich, even where rich is not used."""

    def get_help(self, ctx: click.Context) -> str:
        return super().get_help(ctx).replace(r"\[", "[")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words`, by default those of the process, give, and return the exit code."""
    said = list(sys.argv[1:] if words is None else words)
    with shielded("stderr"):
        with shielded("stdout") as output, _former_names_told():
            code = _run(said)
        if output.loss is None or code != 0:
            return code
        return _complain(f"standard output: {output.loss}; what the command saved is intact", FAILED)


@contextmanager
def _former_names_told() -> Iterator[None]:
    """Tell of each former name once, in a line, where Python would show the place of a warning."""
    told: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", FormerName)
        show = warnings.showwarning

        def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, FormerName):
                show(message, category, *place, **more)
            elif str(message) not in told:
                told.add(str(message))
                typer.echo(f"sparring: {message}", err=True)

        warnings.showwarning = tell
        yield


def _run(said: Sequence[str]) -> int:
    given = [word for word in said if word != TRACEBACK] or ["--help"]
    try:
        code = _application(completed() or given)(given, prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        return _complain(_remedy(error, given) or error.format_message(), WRONG_USAGE)
    except SparringError as error:
        if TRACEBACK in said:
            traceback.print_exception(error)
        return _complain(str(error), _exit_code(error))
    # A command returns nothing; click returns the code with which it left early, as after --help or an interrupt.
    return _complain("interrupted", INTERRUPTED) if code == INTERRUPTED else code or 0


def _application(words: Sequence[str]) -> typer.Typer:
    """Assemble the command line. Only a command that is named is imported: torch takes more than a second."""
    # Plain help wraps what does not fit; rich help cuts words off in a narrow terminal.
    application = typer.Typer(
        pretty_exceptions_enable=False, rich_markup_mode=None, callback=_about, context_settings=HELP
    )
    for name, summary in COMMANDS.items():
        is_named = name in words
        function = _function(name, words) if is_named else _about
        help = None if is_named else summary
        application.command(name, cls=PlainCommand, help=help, short_help=summary, context_settings=HELP)(function)
    return application


def _function(name: str, words: Sequence[str]) -> Callable[..., Any]:
    """Return a command; what completes its words stands for it where that is enough."""
    if is_completing() and not words[-1].startswith("-") and name in COMPLETED:
        return COMPLETED[name]
    function: Callable[..., Any] = imported(f"sparring.cli.{name.replace('-', '_')}:command")
    return function


def _remedy(error: click.ClickException, given: Sequence[str]) -> str:
    """Say what to write for an option that is none but a key: `--rounds 10` is `federation.rounds=10`."""
    if not isinstance(error, click.NoSuchOption) or not TAKING.intersection(given[:1]):
        return ""
    option = error.option_name
    key = imported("sparring.experiments.config.parse:full_key")(option.lstrip("-"))
    said = [part for word in given for part in (word.split("=", 1) if word.startswith(f"{option}=") else [word])]
    value = [*said, "VALUE"][said.index(option) + 1] if option in said else "VALUE"
    return f"No such option {option}; write {key}={value}" if key else ""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sparring {sparring.__version__}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option(TRACEBACK, help="Show all of an error, and not its line alone; after any command, too.")
    ] = False,
) -> None:
    """Poisoning attacks on federated learning, and defenses against them, in simulation."""


def _exit_code(error: SparringError) -> int:
    if isinstance(error, Interrupted):
        return INTERRUPTED
    return WRONG_USAGE if isinstance(error, ConfigError) else FAILED


def _complain(message: str, code: int) -> int:
    typer.echo(f"sparring: {'; '.join(message.splitlines())}", err=True)
    return code
