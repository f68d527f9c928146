"""The conformance kit: checks of the contracts of players, data sets, partitions and models, for anyone to run.

    from sparring.conformance import conformance
    assert not [finding for finding in conformance(MyRule()) if finding.failures]

The tests of Sparring's own catalogues are the same checks.
"""

from sparring.conformance.check import Check, PlayerFinding, examine, failures
from sparring.conformance.kit import CHECKS, conformance
from sparring.kinds import kind_of

__all__ = [
    "CHECKS",
    "Check",
    "PlayerFinding",
    "conformance",
    "examine",
    "failures",
    "kind_of",
]
