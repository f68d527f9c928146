"""What all the pure functions share: rows that are not finite are dropped, and a round without rows moves nothing."""

from functools import partial
from math import inf, nan

import pytest
import torch

from sparring.defenses import (
    bucketing,
    bulyan,
    centered_clipping,
    clip_rows,
    dnc,
    flame,
    fltrust,
    foolsgold,
    geometric_median,
    krum,
    mean,
    median,
    multi_krum,
    nearest_neighbor_mixing,
    safeguard,
    signguard,
    trimmed_mean,
    weak_differential_privacy,
)
from sparring.errors import ConfigError
from sparring.random import stream
from tests.matrices import gaussian

UPDATES = gaussian(9, 4)
LOST = torch.tensor([nan, inf, -inf])[:, None].expand(3, 4)
ROOT = torch.ones(4)

FUNCTIONS = {
    "mean": mean,
    "median": median,
    "trimmed_mean": partial(trimmed_mean, trim=2),
    "krum": partial(krum, malicious=2),
    "multi_krum": partial(multi_krum, malicious=2, keep=3),
    "bulyan": partial(bulyan, malicious=1),
    "geometric_median": geometric_median,
    "fltrust": partial(fltrust, root=ROOT),
    "centered_clipping": partial(centered_clipping, center=ROOT, radius=1.0, iterations=2),
    "dnc": lambda updates: dnc(updates, 2, rng=stream(0)),
    "flame": lambda updates: flame(updates, ROOT, rng=stream(0)),
    "foolsgold": lambda updates: foolsgold(updates, updates),
    "signguard": lambda updates: signguard(updates, stream(0)),
    "weak_differential_privacy": lambda updates: weak_differential_privacy(updates, 1.0, noise=0.1, rng=stream(0)),
}

OF_ROWS = {
    "bucketing": lambda updates: bucketing(updates, 2, rng=stream(0)),
    "clip_rows": partial(clip_rows, max_norm=1.0),
    "nearest_neighbor_mixing": partial(nearest_neighbor_mixing, malicious=2),
    "safeguard": safeguard,
}
"""Functions whose result is no step."""

every = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@every
def test_of_no_rows_the_result_is_zero(function):
    assert torch.equal(function(torch.empty(0, 4)), torch.zeros(4))


@every
def test_of_no_finite_rows_the_result_is_zero(function):
    assert torch.equal(function(torch.cat([LOST, LOST, LOST])), torch.zeros(4))


@every
def test_the_precision_of_the_updates_is_kept(function):
    wide = function(UPDATES.double(), **({"root": ROOT.double()} if function is FUNCTIONS["fltrust"] else {}))
    assert wide.dtype == torch.float64
    torch.testing.assert_close(wide.float(), function(UPDATES))


@every
def test_updates_may_be_a_part_of_a_larger_buffer(function):
    buffer = torch.full((10, 9), nan)
    buffer[1:, 1::2] = UPDATES
    assert torch.equal(function(buffer[1:, 1::2]), function(UPDATES))


@pytest.mark.parametrize(
    "name",
    ["mean", "median", "geometric_median", "fltrust", "centered_clipping", "flame", "foolsgold", "signguard"],
)
def test_rows_that_are_not_finite_are_dropped(name):
    function = FUNCTIONS[name]
    torch.testing.assert_close(function(torch.cat([LOST, UPDATES])), function(UPDATES))


@pytest.mark.parametrize(
    ("assuming", "lowered"),
    [
        (partial(trimmed_mean, trim=4), partial(trimmed_mean, trim=1)),
        (partial(trimmed_mean, trim=2), partial(trimmed_mean, trim=0)),
        (partial(krum, malicious=4), partial(krum, malicious=1)),
        (partial(krum, malicious=2), partial(krum, malicious=0)),
        (partial(multi_krum, malicious=4, keep=3), partial(multi_krum, malicious=1, keep=3)),
    ],
)
def test_a_dropped_row_counts_as_malicious(assuming, lowered):
    torch.testing.assert_close(assuming(torch.cat([UPDATES[:5], LOST, UPDATES[5:]])), lowered(UPDATES))


@pytest.mark.parametrize(
    ("given", "described"),
    [
        (UPDATES.long(), r"int64 of shape \[9, 4\]"),
        (UPDATES.half(), r"float16 of shape \[9, 4\]"),
        (UPDATES.bfloat16(), r"bfloat16 of shape \[9, 4\]"),
        (UPDATES[:, 0], r"float32 of shape \[9\]"),
        (UPDATES[None], r"float32 of shape \[1, 9, 4\]"),
        (UPDATES.numpy(), "a ndarray"),
    ],
    ids=["int64", "float16", "bfloat16", "one dimension", "three dimensions", "numpy"],
)
@pytest.mark.parametrize("name", [*FUNCTIONS, *OF_ROWS])
def test_what_is_no_matrix_of_updates_is_refused_by_name(name, given, described):
    function = (FUNCTIONS | OF_ROWS)[name]
    with pytest.raises(
        ConfigError, match=f"^{name}: updates is {described}; use a float32 or float64 tensor"
    ) as refusal:
        function(given)
    assert "\n" not in str(refusal.value)
