"""Standard output and error that may fail: a full disk or a closed pipe does not abort a command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EPIPE
from io import BufferedWriter, BytesIO, RawIOBase, TextIOWrapper
from typing import Any, BinaryIO


class Sink(RawIOBase):
    """Writes to a target until the first error; then keeps the error and discards further output."""

    def __init__(self, target: BinaryIO | RawIOBase) -> None:
        self.target = target
        self.refusal: OSError | None = None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return not self.target.closed and self.target.isatty()

    def fileno(self) -> int:
        return self.target.fileno()

    def write(self, content: Any) -> int | None:
        if self.refusal is None:
            try:
                return self.target.write(content)
            except OSError as error:
                self.refusal = error
        return len(content)

    @property
    def loss(self) -> str | None:
        """Why output was lost, or None; a reader that closed its pipe lost nothing."""
        if self.refusal is None or self.refusal.errno == EPIPE:
            return None
        return str(self.refusal.strerror).lower()


@contextmanager
def shield_stream(name: str) -> Iterator[Sink]:
    """Suppress write errors of `sys.stdout` or `sys.stderr`, and escape characters that its encoding lacks."""
    stream = getattr(sys, name)
    if not isinstance(stream, TextIOWrapper):
        yield Sink(BytesIO())
        return
    target: Any = getattr(stream.buffer, "raw", stream.buffer)  # an unbuffered stream has the raw stream as its buffer
    sink = Sink(target)
    stream.flush()
    shield = TextIOWrapper(
        BufferedWriter(sink), stream.encoding, "backslashreplace", None, stream.line_buffering, stream.write_through
    )
    setattr(sys, name, shield)
    try:
        yield sink
    finally:
        shield.flush()
        setattr(sys, name, stream)
