from dataclasses import dataclass
from inspect import signature
from typing import Annotated

import typer

from sparring.cli.gathering import gathered


@dataclass(frozen=True)
class Size:
    """How large something is."""

    width: Annotated[int, typer.Option(min=1)] = 3
    height: int = 4


@gathered
def area(name: str, size: Size, unit: str = "m²") -> str:
    """Say how large something is."""
    return f"{name}: {size.width * size.height} {unit}"


def test_a_dataclass_is_given_by_its_fields():
    assert area(name="floor", width=5, height=2, unit="ft²") == "floor: 10 ft²"


def test_the_fields_are_options_with_their_defaults():
    parameters = signature(area).parameters
    assert list(parameters) == ["name", "unit", "width", "height"]
    assert parameters["width"].default == 3
    assert parameters["width"].annotation.__metadata__[0].min == 1
    assert area.__doc__ == "Say how large something is."


def test_the_command_line_takes_them(capsys):
    application = typer.Typer()
    application.command()(lambda: None)
    application.command("area")(area)
    assert application(["area", "floor", "--width", "2"], standalone_mode=False) == "floor: 8 m²"
