"""How wide the terminal is."""

from shutil import get_terminal_size


def terminal_width() -> int:
    """Return the characters of a line; of a file, which has no width, those of a small terminal."""
    return get_terminal_size().columns
