"""`sparring`: call the command, and report an error as one line and an exit code."""

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
from sparring.cli.completion import NAME, STAND_INS, is_completing, read_words_to_complete
from sparring.cli.standard_streams import shield_stream
from sparring.errors import ConfigError, FormerName, Interrupted, SparringError
from sparring.registry import import_member

COMMANDS = {
    "run": "Run one experiment from a file, settings or both.",
    "resume": "Resume a run that was stopped.",
    "sweep": "Run every combination of the values on the axes of a file.",
    "reproduce": "Reproduce a published table, figure or theorem.",
    "audit": "Measure a rule under hand-crafted attacks and a learned one.",
    "harden": "Learn a defense against a domain of attacks.",
    "show": "Compare runs: settings, results, curves.",
    "game": "Solve the game of attacks and defenses in a sweep.",
    "report": "Report the results of a sweep as tables, figures or a page.",
    "list": "List the names that a configuration can use.",
    "check-plugin": "Check your own class against the contract of its kind.",
    "demo": "Watch a federation learn digits under attacks and defenses.",
}

TAKES_SETTINGS = {"run", "sweep", "audit", "harden"}
"""The commands that take `section.key=value`."""
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
TRACEBACK = "--traceback"
HELP = {"help_option_names": ["-h", "--help"]}


class PlainCommand(TyperCommand):
    """A command whose help shows plain brackets: typer escapes them for rich, even where rich is not used."""

    def get_help(self, ctx: click.Context) -> str:
        return super().get_help(ctx).replace(r"\[", "[")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command given by `words`, by default `sys.argv`, and return the exit code."""
    said = list(sys.argv[1:] if words is None else words)
    with shield_stream("stderr"):
        with shield_stream("stdout") as output, _print_former_names():
            code = _run(said)
        if output.loss is None or code != 0:
            return code
        return _report_error(f"standard output: {output.loss}; files that the command saved are intact", FAILED)


@contextmanager
def _print_former_names() -> Iterator[None]:
    """Print one line for each former name, instead of Python's warning."""
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
        code = _build_application(read_words_to_complete() or given)(given, prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        return _report_error(_suggest_setting(error, given) or error.format_message(), WRONG_USAGE)
    except SparringError as error:
        if TRACEBACK in said:
            traceback.print_exception(error)
        return _report_error(str(error), _exit_code(error))
    # A command returns its exit code or None; click returns the code of an early exit, as after --help or an interrupt.
    return _report_error("interrupted", INTERRUPTED) if code == INTERRUPTED else code or 0


def _build_application(words: Sequence[str]) -> typer.Typer:
    """Build the command line. Only the named command is imported, since torch takes more than a second."""
    # Plain help wraps what does not fit; rich help cuts words off in a narrow terminal.
    application = typer.Typer(
        pretty_exceptions_enable=False, rich_markup_mode=None, callback=_about, context_settings=HELP
    )
    for name, summary in COMMANDS.items():
        is_named = name in words
        function = _load_command(name, words) if is_named else _about
        help = None if is_named else summary
        application.command(name, cls=PlainCommand, help=help, short_help=summary, context_settings=HELP)(function)
    return application


def _load_command(name: str, words: Sequence[str]) -> Callable[..., Any]:
    """Return the function of a command, or its lightweight replacement during completion."""
    if is_completing() and not words[-1].startswith("-") and name in STAND_INS:
        return STAND_INS[name]
    function: Callable[..., Any] = import_member(f"sparring.cli.{name.replace('-', '_')}:command")
    return function


def _suggest_setting(error: click.ClickException, given: Sequence[str]) -> str:
    """Suggest the setting for an unknown option that is a key: `federation.rounds=10` for `--rounds 10`."""
    if not isinstance(error, click.NoSuchOption) or not TAKES_SETTINGS.intersection(given[:1]):
        return ""
    option = error.option_name
    key = import_member("sparring.experiments.config.parse:full_key")(option.lstrip("-"))
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
        bool, typer.Option(TRACEBACK, help="Show the traceback of an error; also accepted after a command.")
    ] = False,
) -> None:
    """Simulate poisoning attacks on federated learning, and defenses against them."""


def _exit_code(error: SparringError) -> int:
    if isinstance(error, Interrupted):
        return INTERRUPTED
    return WRONG_USAGE if isinstance(error, ConfigError) else FAILED


def _report_error(message: str, code: int) -> int:
    typer.echo(f"sparring: {'; '.join(message.splitlines())}", err=True)
    return code
