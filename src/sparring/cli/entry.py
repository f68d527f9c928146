"""`sparring`: find the command, and turn what goes wrong into one line and an exit code."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import click
import typer
from typer.core import TyperCommand

import sparring
from sparring.errors import ConfigError, Interrupted, SparringError

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

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class PlainCommand(TyperCommand):
    """A command whose help has brackets as they are: typer escapes them for rich, even where rich is not used."""

    def get_help(self, ctx: click.Context) -> str:
        return super().get_help(ctx).replace(r"\[", "[")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words`, by default those of the process, give, and return the exit code."""
    given = list(sys.argv[1:] if words is None else words) or ["--help"]
    _print_everything()
    try:
        code = _application(given)(given, prog_name="sparring", standalone_mode=False)
    except click.ClickException as error:
        return _complain(error.format_message(), WRONG_USAGE)
    except SparringError as error:
        return _complain(str(error), _exit_code(error))
    # A command returns nothing; click returns the code with which it left early, as after --help or an interrupt.
    return _complain("interrupted", INTERRUPTED) if code == INTERRUPTED else code or 0


def _application(words: Sequence[str]) -> typer.Typer:
    """Assemble the command line. Only a command that is named is imported: torch takes more than a second."""
    # Plain help wraps what does not fit; rich help cuts words off in a narrow terminal.
    application = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, callback=_about
    )
    for name, summary in COMMANDS.items():
        is_named = name in words
        function = import_module(f"sparring.cli.{name.replace('-', '_')}").command if is_named else _about
        help = None if is_named else summary
        application.command(name, cls=PlainCommand, help=help, short_help=summary)(function)
    return application


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sparring {sparring.__version__}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
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


def _print_everything() -> None:
    """Let names that the terminal's encoding lacks be printed in another way than by a traceback."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
