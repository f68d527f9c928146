import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.data import root_sample
from sparring.errors import ConfigError
from sparring.random import stream
from tests.data.examples import balanced_labels

LABELS = balanced_labels(10, 100)


@given(st.integers(1, 100), st.none() | st.floats(0, 1), st.integers(0, 99))
def test_a_sample_has_as_many_different_examples_as_asked(size, bias, seed):
    chosen = root_sample(LABELS, size=size, bias=bias, rng=stream(seed, "root"))
    assert len(chosen) == len(set(chosen.tolist())) == size
    assert chosen.min() >= 0
    assert chosen.max() < len(LABELS)


def test_full_bias_takes_one_class_only():
    chosen = root_sample(LABELS, size=100, bias=1.0, rng=stream(0, "root"))
    assert (LABELS[chosen] == 0).all()


def test_no_bias_at_all_leaves_that_class_out():
    chosen = root_sample(LABELS, size=100, bias=0.0, rng=stream(0, "root"))
    assert (LABELS[chosen] != 0).all()


def test_bias_is_the_probability_of_the_first_class_and_the_others_share_the_rest():
    samples = [root_sample(LABELS, size=100, bias=0.4, rng=stream(seed, "root")) for seed in range(100)]
    shares = LABELS[torch.cat(samples)].bincount() / 10_000
    # Five standard deviations of a share of 10,000 draws.
    assert abs(shares[0] - 0.4) < 0.025
    assert (shares[1:] - 0.6 / 9).abs().max() < 0.0125


def test_without_a_bias_every_example_is_as_likely():
    samples = [root_sample(LABELS, size=500, bias=None, rng=stream(seed, "root")) for seed in range(100)]
    times = torch.cat(samples).bincount(minlength=len(LABELS))
    assert times.sum() == 50_000
    assert times.min() > 15  # the mean is 50, its standard deviation 5
    assert times.max() < 85


def test_a_sample_depends_on_the_stream_alone():
    for bias in (None, 0.3):
        one, again, other = (root_sample(LABELS, size=50, bias=bias, rng=stream(seed, "root")) for seed in (0, 0, 1))
        assert torch.equal(one, again)
        assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("size", "bias", "message"),
    [
        (0, None, "root data size is 0; it must be 1 to 1000"),
        (1001, None, "root data size is 1001"),
        (10, 1.5, "root data bias is 1.5; it must be 0 to 1"),
        (10, float("nan"), "root data bias is nan"),
        (500, 1.0, "take 500 examples of class 0, which has 100; use a smaller size or another bias"),
    ],
)
def test_a_sample_that_cannot_be_taken_is_refused(size, bias, message):
    with pytest.raises(ConfigError, match=message):
        root_sample(LABELS, size=size, bias=bias, rng=stream(0, "root"))
