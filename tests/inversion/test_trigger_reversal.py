import pytest
import torch

from sparring.arrays import Batch, pixels
from sparring.contracts import Model
from sparring.errors import ConfigError
from sparring.inversion import ReversedTrigger, TriggerReversal, reverse_triggers, suspicious
from sparring.inversion.trigger_reversal import Progress, Triggers, _update, initial_penalties, stamp
from sparring.random import stream
from tests.inversion.planted import BROAD, CLASSES, NARROW, NEVER, SIDE, USUAL, black, planted


def reversed_triggers(model=None, root=None, **settings):
    return reverse_triggers(
        planted() if model is None else model,
        black() if root is None else root,
        rng=stream(0, "reversal"),
        search=TriggerReversal(**settings),
    )


def turned(model, trigger, root):
    """Return the share of the images that the model takes for the trigger's target."""
    return (model(trigger.stamp(pixels(root.inputs))).argmax(dim=1) == trigger.target).double().mean().item()


@pytest.fixture(scope="module")
def triggers():
    return reversed_triggers()


def trigger(norm, *, found=True):
    return ReversedTrigger(0, torch.tensor([[[norm]]]), torch.ones(1, 1, 1), success=float(found), found=found)


def test_the_trigger_is_where_the_model_looks(triggers):
    narrow = triggers[NARROW].mask * triggers[NARROW].pattern
    assert narrow.argmax().item() == 0
    assert 5 / 20 < triggers[NARROW].norm < 1


def test_a_trigger_is_hardly_larger_than_it_must_be(triggers):
    assert triggers[USUAL].norm < 0.5, "it needs none"
    assert 4 < triggers[BROAD].norm < 7, "it needs 5 pixels less what the images have"


def test_every_trigger_is_within_the_range_of_pixels(triggers):
    for each in triggers:
        assert each.mask.shape == each.pattern.shape == (1, SIDE, SIDE)
        assert 0 <= min(each.mask.min(), each.pattern.min()) <= max(each.mask.max(), each.pattern.max()) <= 1


def test_what_is_said_of_a_trigger_is_so(triggers):
    assert [each.target for each in triggers] == list(range(CLASSES))
    assert [each.success for each in triggers] == [turned(planted(), each, black()) for each in triggers]


def test_a_class_without_a_trigger_is_said_to_have_none(triggers):
    assert [each.found for each in triggers] == [True, True, True, False]
    assert triggers[NEVER].success == 0


@pytest.mark.parametrize("lr", [1e3, 1e30])
def test_a_search_that_diverges_is_bounded_and_keeps_the_best(lr):
    for each in reversed_triggers(lr=lr, interval=1):
        assert torch.isfinite(each.mask).all()
        assert 0 <= each.mask.min() <= each.mask.max() <= 1
        assert each.success == turned(planted(), each, black())


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        pytest.param((9.0, 0.5), (5.0, 0.4), 9.0, id="neither works, the old one more often"),
        pytest.param((5.0, 0.4), (9.0, 0.5), 9.0, id="neither works, the new one more often"),
        pytest.param((5.0, 0.4), (9.0, 1.0), 9.0, id="the new one works"),
        pytest.param((9.0, 1.0), (5.0, 0.9), 9.0, id="the old one works"),
        pytest.param((9.0, 0.99), (5.0, 1.0), 5.0, id="both work, the new one is smaller"),
        pytest.param((5.0, 0.99), (9.0, 1.0), 5.0, id="both work, the old one is smaller"),
    ],
)
def test_the_smallest_trigger_that_works_is_kept_or_else_the_most_successful(before, after, kept):
    old, new = (
        Triggers(torch.full((1, 1, 1, 1), norm), torch.zeros(1, 1, 1, 1), torch.tensor([success]))
        for norm, success in (before, after)
    )
    progress = Progress(old, initial_penalties(1), torch.zeros(1, dtype=torch.int64))
    assert _update(progress, new, search=TriggerReversal()).best.norms.item() == kept


def test_a_model_that_answers_no_numbers_has_no_triggers():
    model = planted()
    for each in reversed_triggers(Model(model.network, torch.full_like(model.parameters, torch.nan)), steps=20):
        assert not each.found
        assert each.success == 0
        assert torch.isfinite(each.mask).all()


def test_the_search_ends_when_nothing_more_is_to_be_found():
    search, longer = (reversed_triggers(steps=steps)[NARROW].mask for steps in (400, 800))
    torch.testing.assert_close(search, longer, rtol=0, atol=0)


def test_equal_streams_give_equal_triggers(triggers):
    for first, second in zip(triggers, reversed_triggers(), strict=True):
        torch.testing.assert_close((first.mask, first.pattern), (second.mask, second.pattern), rtol=0, atol=0)


def test_model_and_root_data_are_left_alone():
    model, root = planted(), black()
    reversed_triggers(model, root, steps=20)
    torch.testing.assert_close(model.parameters, planted().parameters, rtol=0, atol=0)
    torch.testing.assert_close(root.inputs, black().inputs, rtol=0, atol=0)


def test_images_may_be_bytes():
    images = Batch(torch.zeros(8, 1, SIDE, SIDE, dtype=torch.uint8), torch.zeros(8, dtype=torch.int64))
    as_floats = Batch(pixels(images.inputs), images.labels)
    masks = [reversed_triggers(root=root, steps=20)[NARROW].mask for root in (images, as_floats)]
    torch.testing.assert_close(*masks, rtol=0, atol=0)


def test_a_trigger_shows_as_far_as_its_mask_lets_it():
    image, mask, pattern = torch.tensor([[[[0.8]]]]), torch.tensor([[[0.25]]]), torch.tensor([[[0.4]]])
    assert stamp(image, mask, pattern=pattern).item() == pytest.approx(0.75 * 0.8 + 0.25 * 0.4)
    assert ReversedTrigger(0, mask, pattern, 1.0, True).stamp(image).item() == pytest.approx(0.7)


def test_only_a_trigger_that_works_is_suspicious():
    others = [trigger(norm) for norm in (10.0, 11.0, 12.0, 13.0)]
    assert [each.norm for each in suspicious([trigger(1.0), *others])] == [1.0]
    assert suspicious([trigger(1.0, found=False), *others]) == ()
    assert suspicious([trigger(1.0), *others], 10.0) == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"success": 0.0}, "reversal.success is 0.0; it must be above 0 and at most 1"),
        ({"success": 1.1}, "reversal.success is 1.1"),
        ({"steps": 0}, "reversal.steps is 0; it must be at least 1"),
        ({"batch": 0}, "reversal.batch is 0"),
        ({"interval": 0}, "reversal.interval is 0"),
        ({"lr": float("inf")}, "reversal.lr is inf; it must be positive and finite"),
    ],
)
def test_a_search_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TriggerReversal(**settings)


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (8, 16)])
def test_root_data_must_be_images(shape):
    root = Batch(torch.zeros(shape), torch.zeros(shape[0], dtype=torch.int64))
    with pytest.raises(ConfigError, match=r"the root inputs have shape \[.*\]; use at least one image"):
        reversed_triggers(root=root)
