"""Names that somebody else chose, on a terminal."""


def printable(text: str) -> str:
    """Return a text in which everything that a terminal would obey is written out."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
