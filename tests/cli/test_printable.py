import pytest

from sparring.cli.console import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [("größer, q 0.5", "größer, q 0.5"), ("\x1b[2J", r"\x1b[2J"), ("a\nb", r"a\nb"), ("\u202eb", r"\u202eb")],
)
def test_what_a_terminal_would_obey_is_written_out(text, shown):
    assert printable(text) == shown
