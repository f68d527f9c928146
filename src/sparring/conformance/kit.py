"""The checks of each kind of catalogue member."""

from collections.abc import Iterator, Mapping

from sparring.conformance.attacks import ATTACK_CHECKS, MEMORY_CHECKS
from sparring.conformance.backdoors import BACKDOOR_CHECKS
from sparring.conformance.check import Check, PlayerFinding, examine
from sparring.conformance.datasets import DATASET_CHECKS
from sparring.conformance.minibatches import PERTURBATION_CHECKS, PURIFICATION_CHECKS
from sparring.conformance.models import MODEL_CHECKS
from sparring.conformance.partitions import PARTITION_CHECKS
from sparring.conformance.plans import SERVER_CHECKS
from sparring.conformance.poisons import POISON_CHECKS
from sparring.conformance.repairs import REPAIR_CHECKS
from sparring.conformance.rules import DEFENSE_CHECKS
from sparring.conformance.triggers import TRIGGER_CHECKS
from sparring.contracts import Backdoor, RememberingAttack
from sparring.kinds import KINDS, has_method, kind_of

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "craft": ATTACK_CHECKS,
    "poison": POISON_CHECKS,
    "perturb": PERTURBATION_CHECKS,
    "purify": PURIFICATION_CHECKS,
    "stamp": TRIGGER_CHECKS,
    "aggregate": DEFENSE_CHECKS,
    "plan": SERVER_CHECKS,
    "repair": REPAIR_CHECKS,
    "load": DATASET_CHECKS,
    "assign": PARTITION_CHECKS,
    "module": MODEL_CHECKS,
}
"""The checks of a class that has the method of this name."""


def conformance(subject: object) -> Iterator[PlayerFinding]:
    """Yield the finding of each check of an object's kind."""
    return examine(checks_of(subject), subject)


def checks_of(subject: object) -> tuple[Check, ...]:
    """Return an object's checks: as an attack and as a poison if it is both, as a backdoor, and with a memory."""
    verbs = KINDS[kind_of(type(subject))].verbs
    checks = [check for verb in verbs if has_method(type(subject), [verb]) for check in CHECKS[verb]]
    backdoor = BACKDOOR_CHECKS if isinstance(subject, Backdoor) else ()
    memory = MEMORY_CHECKS if isinstance(subject, RememberingAttack) else ()
    return tuple(dict.fromkeys((*checks, *backdoor, *memory)))
