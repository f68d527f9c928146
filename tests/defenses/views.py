"""What a server is shown in tests."""

from collections.abc import Sequence
from typing import Any

import torch

from sparring.conformance.server import defender_view
from sparring.contracts import DefenderView


class Notes(dict[str, tuple[int, ...]]):
    """A record that remembers what a rule tells it."""

    def __call__(self, event: str, rows) -> None:
        self[event] = tuple(rows)


def view(
    updates: torch.Tensor, *, clients: Sequence[int] | None = None, root: torch.Tensor | None = None, **seen: Any
) -> DefenderView:
    """Return the conformance kit's view of `updates`, with the ids of the clients and the root update as they are."""
    if clients is not None:
        seen["clients"] = tuple(clients)
    if root is not None:
        seen["root"] = lambda: root
    return defender_view(updates, **{"note": Notes(), **seen})
