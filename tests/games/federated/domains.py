"""A domain of four types over a federation that learns within a few rounds."""

from dataclasses import replace

from sparring.arrays import Batch
from sparring.attacks import InnerProduct
from sparring.contracts import RoundPlan
from sparring.defenses import Mean, Median
from sparring.defenses.learned.actions import DefenseActions
from sparring.federation import Attacker, Scenario
from sparring.games.federated import (
    AttackerSeat,
    AttackType,
    DefenderTerms,
    DomainType,
    LearningAttacker,
    UntargetedObjective,
)
from tests.federation.backdooring import Lever
from tests.games.federated.playing import RANGES, SEATED
from tests.settings import clouds, small_federation

DATA = clouds()
ROOT = Batch(*(part[:60] for part in DATA.train))
TERMS = DefenderTerms(DefenseActions(repair="none"), rounds=3)
ROLE = AttackerSeat(RANGES, UntargetedObjective(DATA.train), "level")
IPM = DomainType(AttackType((Attacker(4, InnerProduct(5.0)),), weight=3.0))
BACKDOOR = DomainType(AttackType((Attacker(4, Lever(), Lever()),)))
ADAPTIVE = DomainType(SEATED, follower=LearningAttacker(ROLE, RoundPlan(Median())))
DOMAIN = {"none": DomainType(AttackType(())), "ipm": IPM, "backdoor": BACKDOOR, "rl": ADAPTIVE}


def rooted(*, test=DATA.test):
    """Return a federation of ten clients whose server holds root data."""
    return Scenario(small_federation(clients=10, data=replace(DATA, test=test), sampled=5, root=ROOT), Mean())
