"""The triggers by their names in a configuration."""

from collections.abc import Mapping

from sparring.attacks.backdoor.triggers.bars import Bars
from sparring.attacks.backdoor.triggers.blended import Blended
from sparring.attacks.backdoor.triggers.learned import LearnedTrigger
from sparring.attacks.backdoor.triggers.square import Square
from sparring.attacks.backdoor.triggers.unmarked import Unmarked
from sparring.contracts import Trigger

TRIGGERS: Mapping[str, type[Trigger]] = {
    "badnets": Square,
    "bars": Bars,
    "blended": Blended,
    "learned": LearnedTrigger,
    "none": Unmarked,
    "square": Square,
}
