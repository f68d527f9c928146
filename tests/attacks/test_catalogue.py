"""What every attack and every poison keeps to."""

import pytest

from sparring.attacks import (
    ATTACKS,
    TRIGGERS,
    AdaptiveLocalModelPoisoning,
    ALittleIsEnough,
    Bars,
    Blended,
    CoordinatedAttack,
    DistributedBackdoor,
    ExplicitBoosting,
    Gaussian,
    InnerProduct,
    LabelFlip,
    LearnedAttack,
    LearnedTrigger,
    LevelKClient,
    LocalModelPoisoning,
    LocalSearch,
    Mimic,
    MinMax,
    MinSum,
    Neurotoxin,
    NoAttack,
    PoisonedTraining,
    ProjectedBackdoor,
    ScaledGradient,
    SignFlip,
    Square,
    TargetedBoosting,
    Unmarked,
    WorstOf,
)
from sparring.conformance import failures
from sparring.conformance.attacks import ATTACK_CHECKS
from sparring.conformance.backdoors import BACKDOOR_CHECKS
from sparring.conformance.check import format_check_name
from sparring.conformance.poisons import POISON_CHECKS
from sparring.conformance.triggers import TRIGGER_CHECKS
from sparring.errors import ConfigError, UnknownName
from sparring.registry import build
from tests.attacks.backdoor.triggers.pictures import images

DIRECTIONS = ("unit", "sign", "std")
EXAMPLES = {
    "adaptive_lmp": [AdaptiveLocalModelPoisoning()],
    "alie": [ALittleIsEnough(), ALittleIsEnough(z=-1.5), ALittleIsEnough(knowledge="partial")],
    "bfl": [PoisonedTraining(), PoisonedTraining(source=1, ratio=1.0, boost=None)],
    "eb": [ExplicitBoosting(), ExplicitBoosting(lr=0.5, boost=3.0, stealth=0.2)],
    "gaussian": [Gaussian()],
    "ipm": [InnerProduct(), InnerProduct(scale=2.0, of="minimum")],
    "lmp": [
        LocalModelPoisoning(form=form, knowledge=knowledge)
        for form in ("auto", "trimmed_mean", "krum", "fltrust")
        for knowledge in ("full", "partial")
    ],
    "local_search": [
        LocalSearch(),
        LocalSearch(stealth=0.5, searches=2, variant="ascent"),
        LocalSearch(scale=5.0, steps=11, batch=5, shared=9),
    ],
    "mimic": [Mimic()],
    "min_max": [*map(MinMax, DIRECTIONS), MinMax(knowledge="partial")],
    "min_sum": [*map(MinSum, DIRECTIONS), MinSum(knowledge="partial")],
    "neurotoxin": [Neurotoxin(), Neurotoxin(trigger=Square(), top=0.5)],
    "none": [NoAttack()],
    "pgd": [ProjectedBackdoor(), ProjectedBackdoor(trigger=Blended(), radius=1e-30)],
    "scaled_gradient": [ScaledGradient(-1.5), ScaledGradient(-1.0, 0.5)],
    "sign_flip": [SignFlip()],
    "targeted_eb": [
        TargetedBoosting(source=0, target=2, classes=3),
        TargetedBoosting(source=None, target=1, classes=3, stealth_steps=0, lr=1e38),
    ],
    "worst_of": [WorstOf(), WorstOf(of=("alie",), factors=(1.5,), refinements=0)],
}
POISON_EXAMPLES = {
    "dba": [DistributedBackdoor(), DistributedBackdoor(source=0), DistributedBackdoor(parts="random")],
    "label_flip": [LabelFlip()],
    "level_k_client": [LevelKClient(), LevelKClient(level=3, epsilon=0.5, norm="linf", step=0.3)],
}
BOTH = [attack for name in ("bfl", "neurotoxin", "pgd", "targeted_eb") for attack in EXAMPLES[name]]
TRIGGER_EXAMPLES = [Bars(), Bars(part=1, color=0.3), Square(), Square(size=28, row=0, column=0), Blended(), Unmarked()]


def flat(examples):
    return [example for members in examples.values() for example in members]


def test_every_attack_and_poison_has_an_example():
    assert EXAMPLES.keys() | POISON_EXAMPLES.keys() == ATTACKS.keys() - {"coordinated", "learned"}
    assert POISON_EXAMPLES.keys() == {name for name, cls in ATTACKS.items() if not hasattr(cls, "craft")}


class TestCatalogue:
    def test_a_name_alone_builds_the_default(self):
        for name, member in ATTACKS.items():
            # These need the file of a policy, or a factor.
            if member not in (CoordinatedAttack, LearnedAttack, ScaledGradient):
                assert build("attack", ATTACKS, {"name": name}) == member()

    def test_unknown_options_are_refused(self):
        for name in ATTACKS:
            with pytest.raises(UnknownName, match="has no option 'strenght'"):
                build("attack", ATTACKS, {"name": name, "strenght": 2.0})


@pytest.mark.parametrize("check", ATTACK_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("attack", flat(EXAMPLES), ids=repr)
def test_an_attack_conforms(attack, check):
    assert failures(check, attack) == ()


@pytest.mark.parametrize("check", POISON_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("poison", [*flat(POISON_EXAMPLES), *BOTH], ids=repr)
def test_a_poison_conforms(poison, check):
    assert failures(check, poison) == ()


@pytest.mark.parametrize("check", BACKDOOR_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("backdoor", [*POISON_EXAMPLES["dba"], *BOTH], ids=repr)
def test_a_backdoor_conforms(backdoor, check):
    assert failures(check, backdoor) == ()


def test_what_poisons_and_crafts_is_tested_as_both():
    assert {type(attack) for attack in BOTH} == {
        cls for cls in ATTACKS.values() if hasattr(cls, "poison") and hasattr(cls, "craft")
    }


class TestTriggers:
    def test_a_name_alone_builds_the_default(self):
        for name, cls in TRIGGERS.items():
            if cls is not LearnedTrigger:
                assert build("trigger", TRIGGERS, {"name": name}) == cls()

    def test_a_learned_trigger_needs_its_file(self):
        with pytest.raises(ConfigError, match=r"^trigger 'learned' lacks 'file'; set trigger\.file$"):
            build("trigger", TRIGGERS, {"name": "learned"})

    def test_every_trigger_has_an_example(self):
        assert {type(trigger) for trigger in TRIGGER_EXAMPLES} == set(TRIGGERS.values()) - {LearnedTrigger}

    @pytest.mark.parametrize("check", TRIGGER_CHECKS, ids=format_check_name)
    @pytest.mark.parametrize("trigger", TRIGGER_EXAMPLES, ids=repr)
    def test_a_trigger_conforms(self, trigger, check):
        assert failures(check, trigger) == ()

    @pytest.mark.parametrize("trigger", TRIGGER_EXAMPLES, ids=repr)
    def test_no_images_are_no_problem(self, trigger):
        assert len(trigger.stamp(images(0))) == 0
