import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import TriggerTraining, train_trigger
from sparring.conformance.adversary import Facts
from sparring.contracts import Model
from sparring.errors import ConfigError
from sparring.models import Mlp, network
from sparring.random import stream
from tests.attacks.backdoor.triggers.pictures import images

TARGET = 1
SHAPE = (1, 8, 8)
SHORT = TriggerTraining(epsilon=0.1, steps=200, batch=32, lr=5e-3, width=4)


def halves(count, *, seed):
    """Return images of noise that are brighter in their left (class 0), their right (1) or neither half (2)."""
    labels = torch.arange(count) % 3
    pictures = 0.5 * images(count, SHAPE, seed=seed)
    pictures[labels == 0, :, :, :4] += 0.4
    pictures[labels == 1, :, :, 4:] += 0.4
    return Batch(pictures, labels)


@pytest.fixture(scope="module")
def trained():
    fitted = network(Mlp(), Facts(shape=SHAPE))
    learned = train_trigger(fitted, halves(90, seed=1), target=TARGET, rng=stream(0, "trigger"), training=SHORT)
    return learned.trigger, Model(fitted, learned.classifier)


def test_a_learned_trigger_is_faint_and_fools_a_classifier_that_is_right_without_it(trained):
    trigger, classifier = trained
    fresh = halves(60, seed=2)
    stamped = trigger.stamp(fresh.inputs)
    assert (stamped - fresh.inputs).abs().max() <= 0.1 + 1e-6
    others = fresh.labels != TARGET
    assert (classifier(fresh.inputs).argmax(dim=1) == fresh.labels).double().mean() > 0.9
    assert (classifier(stamped[others]).argmax(dim=1) == TARGET).double().mean() > 0.9


def test_equal_generators_learn_equal_triggers():
    fitted, examples = network(Mlp(), Facts(shape=SHAPE)), halves(30, seed=1)
    brief = TriggerTraining(steps=3, batch=8, width=2)
    one, other = (train_trigger(fitted, examples, target=0, rng=stream(7, "t"), training=brief) for _ in range(2))
    assert torch.equal(one.classifier, other.classifier)
    assert torch.equal(one.trigger.stamp(examples.inputs), other.trigger.stamp(examples.inputs))


@pytest.mark.parametrize(
    ("examples", "target", "message"),
    [
        (halves(6, seed=0), 3, r"^target is 3; with the labels that are given it must be 0 to 2$"),
        (
            Batch(torch.zeros(2, 5), torch.tensor([0, 1])),
            0,
            r"^trigger learned: the inputs have shape \[5\]; use images$",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused(examples, target, message):
    fitted = network(Mlp(), Facts(shape=SHAPE))
    with pytest.raises(ConfigError, match=message):
        train_trigger(fitted, examples, target=target, rng=stream(0, "trigger"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 0.0}, r"^trigger\.epsilon is 0\.0; it must be above 0 and at most 1$"),
        ({"clean": 1.5}, r"^trigger\.clean is 1\.5; it must be from 0 to 1$"),
        ({"lr": 0.0}, r"^trigger\.lr is 0\.0; it must be positive and finite$"),
        ({"steps": 0}, r"^trigger\.steps is 0; it must be at least 1$"),
        ({"width": 0}, r"^trigger\.width is 0; it must be at least 1$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TriggerTraining(**settings)
