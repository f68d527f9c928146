"""How many malicious rows a rule reckons with."""

from sparring.contracts import DefenderView


def minority(clients: int) -> int:
    """Return the largest number of clients that the others outnumber."""
    return max(0, (clients - 1) // 2)


def remaining(malicious: int, dropped: int) -> int:
    """Return how many malicious rows are left when rows were dropped, each of which counts as one of them."""
    return max(0, malicious - dropped)


def assumed(malicious: int | None, view: DefenderView, *, limit: int) -> int:
    """Return a rule's own count, or else the threat model's, lowered to `limit` in a round with too few rows for it."""
    return min(view.malicious if malicious is None else malicious, limit)
