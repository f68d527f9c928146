"""However a matrix lies in memory, and whatever its precision, a function gives the same numbers or refuses it."""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sparring import arrays, defenses
from sparring.attacks.learned import team_acting
from sparring.attacks.untargeted import (
    a_little_is_enough,
    mimic,
    min_max,
    min_sum,
    observed_updates,
    perturbation,
    worst_of,
)
from sparring.attacks.untargeted.local_model_poisoning import fltrust as fltrust_form
from sparring.attacks.untargeted.local_model_poisoning import krum as krum_form
from sparring.attacks.untargeted.local_model_poisoning import trimmed_mean as trimmed_mean_form
from sparring.contracts import DefenderView
from sparring.defenses.aggregation import (
    bucketing,
    bulyan,
    centered_clipping,
    clipped,
    crfl,
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
from sparring.defenses.aggregation.toolkit import arithmetic, client_memory
from sparring.errors import ConfigError
from sparring.random import stream
from tests.defenses.test_catalogue import EXAMPLES
from tests.defenses.views import view
from tests.matrices import gaussian
from tests.source import Function, sources

Matrix = Tensor


def weights(matrix: Matrix) -> Tensor:
    return torch.linspace(0.1, 1, len(matrix), dtype=torch.float64)


def sums(matrix: Matrix) -> Matrix:
    return client_memory.add_updates(torch.ones(len(matrix), matrix.shape[1]), matrix, scale=0.5)


def cut(matrix: Matrix) -> list[slice]:
    return list(arrays.column_blocks(matrix))


def harmful(matrix: Matrix) -> Matrix:
    root, ascent = torch.ones(matrix.shape[1]), fltrust_form.TrustAscent(sweeps=1, steps=1)
    return fltrust_form.most_harmful(matrix, benign=matrix, root=root, rng=stream(0), ascent=ascent)


def beyond(matrix: Matrix) -> Matrix:
    return trimmed_mean_form.beyond_range(matrix, matrix[0], rows=2, scale=2.0, rng=stream(0))


PUBLIC: Mapping[str, Callable[[Matrix], Any]] = {
    "a_little_is_enough.a_little_is_enough": lambda matrix: a_little_is_enough.a_little_is_enough(matrix, 1.5),
    "bucketing.bucketing": lambda matrix: bucketing.bucketing(matrix, 2, rng=stream(0)),
    "bulyan.bulyan": lambda matrix: bulyan.bulyan(matrix, 1),
    "centered_clipping.centered_clipping": lambda matrix: centered_clipping.centered_clipping(
        matrix, matrix[0], radius=1.0, iterations=3
    ),
    "clipped.clip_rows": lambda matrix: clipped.clip_rows(matrix, 1.0),
    "crfl.crfl": lambda matrix: crfl.crfl(matrix[0], matrix[1], max_norm=1.0, noise=0.1, rng=stream(0)),
    "dnc.dnc": lambda matrix: dnc.dnc(matrix, 2, rng=stream(0)),
    "flame.flame": lambda matrix: flame.flame(matrix, matrix[0], rng=stream(0)),
    "fltrust.fltrust": lambda matrix: fltrust.fltrust(matrix, matrix[0]),
    "foolsgold.foolsgold": lambda matrix: foolsgold.foolsgold(matrix, matrix),
    "local_model_poisoning.fltrust.most_harmful": harmful,
    "local_model_poisoning.krum.farthest_expected": krum_form.farthest_expected,
    "local_model_poisoning.krum.farthest_selected": lambda matrix: krum_form.farthest_selected(
        matrix, crafted=2, assumed=2
    ),
    "local_model_poisoning.trimmed_mean.beyond_deviation": lambda matrix: trimmed_mean_form.beyond_deviation(
        matrix, stream(0)
    ),
    "local_model_poisoning.trimmed_mean.beyond_range": beyond,
    "geometric_median.geometric_median": geometric_median.geometric_median,
    "krum.krum": lambda matrix: krum.krum(matrix, 2),
    "mean.mean": mean.mean,
    "median.median": median.median,
    "mimic.most_extreme": mimic.most_extreme,
    "min_max.min_max": lambda matrix: min_max.min_max(matrix, "std"),
    "min_sum.min_sum": lambda matrix: min_sum.min_sum(matrix, "unit"),
    "multi_krum.multi_krum": lambda matrix: multi_krum.multi_krum(matrix, 2, 3),
    "nearest_neighbor_mixing.nearest_neighbor_mixing": lambda matrix: nearest_neighbor_mixing.nearest_neighbor_mixing(
        matrix, 2
    ),
    "safeguard.safeguard": safeguard.safeguard,
    "signguard.signguard": lambda matrix: signguard.signguard(matrix, stream(0), fraction=1.0),
    "trimmed_mean.trimmed_mean": lambda matrix: trimmed_mean.trimmed_mean(matrix, 2),
    "weak_differential_privacy.weak_differential_privacy": lambda matrix: (
        weak_differential_privacy.weak_differential_privacy(matrix, 1.0, noise=0.1, rng=stream(0))
    ),
}
"""The functions that are called from outside: what is no matrix of float32 or float64 is refused."""

INNER: Mapping[str, Callable[[Matrix], Any]] = {
    "client_memory.add_updates": sums,
    "arrays.column_blocks": cut,
    "arrays.finite_rows": arrays.finite_rows,
    "arrays.gram": lambda matrix: arrays.gram(matrix, matrix[0]),
    "arrays.gram_by_torch": lambda matrix: arrays.gram_by_torch(matrix, matrix[0]),
    "arrays.row_norms": arrays.row_norms,
    "arrays.squared_distances": arrays.squared_distances,
    "arrays.squared_distances_by_torch": arrays.squared_distances_by_torch,
    "arithmetic.average": lambda matrix: arithmetic.average(matrix, [0, 2]),
    "arithmetic.columnwise": lambda matrix: arithmetic.columnwise(lambda block: block.amax(dim=0), matrix),
    "arithmetic.inner_mean": lambda matrix: arithmetic.inner_mean(matrix, 2),
    "arithmetic.inner_mean_by_torch": lambda matrix: arithmetic.inner_mean_by_torch(matrix, 2),
    "arithmetic.weighted_inner_mean": lambda matrix: arithmetic.weighted_inner_mean(
        matrix, weights(matrix), factors=weights(matrix), trim=1
    ),
    "arithmetic.weighted_inner_mean_by_torch": lambda matrix: arithmetic.weighted_inner_mean_by_torch(
        matrix, weights(matrix), trim=1
    ),
    "arithmetic.weighted_sum_by_torch": lambda matrix: arithmetic.weighted_sum_by_torch(weights(matrix), matrix),
    "arithmetic.weighted_sum": lambda matrix: arithmetic.weighted_sum(weights(matrix), matrix),
    "local_model_poisoning.krum.measure": lambda matrix: krum_form.measure(matrix, matrix[0].detach().sign()).search(
        crafted=2, neighbors=3
    ),
    "observed_updates.directions": observed_updates.directions,
    "observed_updates.mean_update": observed_updates.mean_update,
    "observed_updates.moments": observed_updates.moments,
    "observed_updates.products": lambda matrix: observed_updates.products(matrix, matrix[:2]),
    "krum.krum_rows": lambda matrix: krum.krum_rows(matrix, 2, keep=3),
    "perturbation.ray": lambda matrix: perturbation.ray(matrix, "std").at(2.0),
    "arithmetic.drop_non_finite": arithmetic.drop_non_finite,
    "arithmetic.distances_to": lambda matrix: arithmetic.distances_to(matrix[0], matrix),
    "arithmetic.products_with": lambda matrix: arithmetic.products_with(matrix[0], matrix),
    "arithmetic.share_average": lambda matrix: arithmetic.share_average(matrix, weights(matrix)),
    "team_acting.drawn_to_others": lambda matrix: team_acting.drawn_to_others(matrix, matrix[0], weight=0.5),
    "worst_of.lines": lambda matrix: worst_of.lines(matrix)["alie"].at(1.5),
}
"""The functions that these are made of: what they are given has been checked, and has no gradient."""

FUNCTIONS = PUBLIC | INNER


def spaced(matrix: Matrix, dim: int) -> Matrix:
    """Return the matrix as every second row or column of a buffer."""
    buffer = matrix.repeat_interleave(2, dim=dim).mul_(torch.nan)
    chosen = buffer[:, 1::2] if dim else buffer[::2]
    return chosen.copy_(matrix)


LAYOUTS: Mapping[str, Callable[[Matrix], Matrix]] = {
    "row by row": torch.clone,
    "transposed": lambda matrix: matrix.T.contiguous().T,
    "every second column": lambda matrix: spaced(matrix, 1),
    "every second row": lambda matrix: spaced(matrix, 0),
    "within a buffer": lambda matrix: nn.functional.pad(matrix, (3, 2, 1, 1), value=torch.nan)[1:-1, 3:-2],
    "one row for all": lambda matrix: matrix[:1].expand(matrix.shape),
    "one column for all": lambda matrix: matrix[:, :1].expand(matrix.shape),
    "a leaf with a gradient": lambda matrix: matrix.clone().requires_grad_(),
    "a part of a graph": lambda matrix: matrix.clone().requires_grad_() * 1,
    "a part of a graph, transposed": lambda matrix: matrix.T.contiguous().requires_grad_().T,
    "a parameter": lambda matrix: nn.Parameter(matrix.clone()),
}
WITHOUT_GRADIENT = sorted(name for name, lay in LAYOUTS.items() if not lay(torch.ones(2, 2)).requires_grad)
OTHER_DTYPES = (
    *(torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.complex64, torch.complex128),
)


def numbers(answer: Any) -> Iterator[Tensor]:
    """Yield all that a function returned as float64 tensors without a gradient."""
    if isinstance(answer, Tensor):
        assert not answer.requires_grad
        yield answer.double()
    elif isinstance(answer, int | float):
        yield torch.tensor(float(answer), dtype=torch.float64)
    elif isinstance(answer, slice):
        yield torch.tensor([answer.start, answer.stop], dtype=torch.float64)
    else:
        for part in answer:
            yield from numbers(part)


def plain(matrix: Matrix) -> Matrix:
    return matrix.detach().clone(memory_format=torch.contiguous_format)


def annotations(function: Function) -> set[str]:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return {ast.unparse(each.annotation) for each in arguments if each.annotation}


def found(*folders: str, of: Collection[str] = ("Matrix",)) -> Iterator[str]:
    """Yield the public functions with an argument that is a matrix, or of another of these types, by file and name."""
    for source in sources(*folders):
        start = "local_model_poisoning." if "local_model_poisoning" in source.path.parts else ""
        for node in source.tree.body:
            if isinstance(node, Function) and not node.name.startswith("_") and annotations(node).intersection(of):
                yield f"{start}{source.path.stem}.{node.name}"


def test_every_function_of_a_matrix_has_a_row():
    named = set(found("src/sparring/attacks", "src/sparring/defenses"))
    own = {name for name in found("src/sparring") if name.startswith("arrays.")}
    assert named | own | {"crfl.crfl"} == FUNCTIONS.keys()


def test_every_function_that_is_exported_as_a_rule_is_public():
    rules = set(found("src/sparring/defenses/aggregation", of=("Matrix", "Vector")))
    exported = {name for name in rules if name.partition(".")[2] in defenses.__all__}
    assert "crfl.crfl" in exported
    assert exported <= PUBLIC.keys()
    assert {name for name in PUBLIC if name in rules} == exported


SEEDS, HEIGHTS, WIDTHS = st.integers(0, 2**32), st.integers(9, 12), st.integers(1, 6)


@pytest.mark.parametrize("name", PUBLIC)
@settings(max_examples=2 * len(LAYOUTS))
@given(seed=SEEDS, layout=st.sampled_from(sorted(LAYOUTS)), height=HEIGHTS, width=WIDTHS)
def test_the_layout_makes_no_difference(name, layout, seed, height, width):
    given = LAYOUTS[layout](gaussian(height, width, name=str(seed)))
    before = plain(given)
    expected = list(numbers(PUBLIC[name](before.clone())))
    actual = list(numbers(PUBLIC[name](given)))
    assert all(torch.equal(one, other) for one, other in zip(actual, expected, strict=True))
    assert torch.equal(given.detach(), before)


@pytest.mark.parametrize("name", INNER)
@settings(max_examples=2 * len(WITHOUT_GRADIENT))
@given(seed=SEEDS, layout=st.sampled_from(WITHOUT_GRADIENT), height=HEIGHTS, width=WIDTHS)
def test_the_layout_makes_a_difference_of_rounding_at_most_to_inner_functions(name, layout, seed, height, width):
    given = LAYOUTS[layout](gaussian(height, width, name=str(seed)))
    expected, actual = (numbers(INNER[name](each)) for each in (plain(given), given))
    for one, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), height=st.integers(9, 12), width=st.integers(2, 6))
def test_in_double_precision_the_numbers_are_the_same(name, seed, height, width):
    matrix = gaussian(height, width, name=str(seed))
    wide = matrix.double()
    expected, actual = (list(numbers(FUNCTIONS[name](each))) for each in (matrix, wide))
    assert torch.equal(wide, matrix.double())
    for one, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", OTHER_DTYPES, ids=str)
@pytest.mark.parametrize("name", PUBLIC)
def test_another_type_of_numbers_is_refused_in_one_line(name, dtype):
    described = rf"^[\w.]+: \w+ is {str(dtype).removeprefix('torch.')} of shape \[[\d, ]+\]; use a float32 or float64"
    with pytest.raises(ConfigError, match=described) as refusal:
        PUBLIC[name](gaussian(9, 4).to(dtype))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_sparse_matrix_is_refused(name):
    with pytest.raises(ConfigError, match=r"is sparse|is a sparse"):
        PUBLIC[name](gaussian(9, 4).to_sparse())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rule_of_the_catalogue_gives_the_same_step(name, layout):
    rule = EXAMPLES[name].rule

    def step(matrix: Matrix) -> Tensor:
        seen: DefenderView = view(matrix, malicious=2, root=torch.ones(4), parameters=torch.ones(4))
        return rule.aggregate(seen, {})[0]

    given = LAYOUTS[layout](gaussian(9, 4))
    (actual,), (expected,) = numbers(step(given)), numbers(step(plain(given)))
    assert torch.equal(actual, expected)
