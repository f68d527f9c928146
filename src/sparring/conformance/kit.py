"""The checks of each kind of catalogue member."""

from collections.abc import Iterator, Mapping

from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.backdoors import BACKDOOR_CHECKS
from sparring.conformance.check import Check, PlayerFinding, examine
from sparring.conformance.datasets import DATASET_CHECKS
from sparring.conformance.models import MODEL_CHECKS
from sparring.conformance.partitions import PARTITION_CHECKS
from sparring.conformance.poisons import POISON_CHECKS
from sparring.conformance.repairs import REPAIR_CHECKS
from sparring.conformance.rules import DEFENSE_CHECKS
from sparring.conformance.triggers import TRIGGER_CHECKS
from sparring.contracts import Backdoor
from sparring.kinds import kind_of, kinds_of

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "attacks": ATTACK_CHECKS,
    "poisons": POISON_CHECKS,
    "triggers": TRIGGER_CHECKS,
    "defenses": DEFENSE_CHECKS,
    "post-training": REPAIR_CHECKS,
    "datasets": DATASET_CHECKS,
    "partitions": PARTITION_CHECKS,
    "models": MODEL_CHECKS,
}
"""The checks of each catalogue's members, by the catalogue's name."""


def conformance(subject: object) -> Iterator[PlayerFinding]:
    """Yield the finding of each check of an object's kind."""
    return examine(checks_of(subject), subject)


def checks_of(subject: object) -> tuple[Check, ...]:
    """Return an object's checks: as an attack and as a poison if it is both, and as a backdoor if it is one."""
    kind_of(type(subject))
    checks = [check for name in kinds_of(type(subject)) for check in CHECKS[name]]
    backdoor = BACKDOOR_CHECKS if isinstance(subject, Backdoor) else ()
    return tuple(dict.fromkeys((*checks, *backdoor)))
