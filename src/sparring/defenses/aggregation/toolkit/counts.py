"""The number of malicious rows that a rule assumes."""

from sparring.contracts import Count, DefenderView
from sparring.errors import ConfigError
from sparring.validation import at_least


def minority(clients: int) -> int:
    """Return the largest number of clients that is a strict minority."""
    return max(0, (clients - 1) // 2)


def lower_by_dropped(malicious: int, dropped: int) -> int:
    """Return the assumed malicious rows that remain after rows were dropped, each of which counts as malicious."""
    return max(0, malicious - dropped)


def check_count(rule: str, malicious: Count | None) -> None:
    """Reject a count that is neither a non-negative number nor `sampled`; None leaves it to the threat model."""
    if not isinstance(malicious, str):
        at_least(0, rule, malicious=malicious)
    elif malicious != "sampled":
        raise ConfigError(f"{rule}: malicious={malicious!r}; use a number, sampled or null")


def resolve_count(malicious: Count | None, view: DefenderView, *, limit: int | None) -> int:
    """Return a rule's own count, else the view's, lowered to `limit` if there is one.

    The view has the true count of the round for a rule that is set to `sampled`.
    """
    count = malicious if isinstance(malicious, int) else view.malicious
    return count if limit is None else min(count, limit)
