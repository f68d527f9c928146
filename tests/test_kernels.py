import numpy as np
import pytest

from sparring.kernels import LANES, RUN, inner_means, pair_sums, weighted_sums
from sparring.random import stream

WIDTHS = (1, LANES - 1, LANES, 2 * LANES + 3)


def drawn(*shape: int, precision: str = "float32") -> np.ndarray:
    return stream(0, "kernels", *shape).standard_normal(shape).astype(precision)


@pytest.mark.parametrize("width", WIDTHS)
def test_columns_from_the_first_on_are_averaged(width):
    matrix, means = drawn(2, width + 7), np.empty(width, np.float32)
    inner_means("float32")(matrix, np.array([[0, 1]]), 0, 5, means)
    np.testing.assert_array_equal(means, matrix[:, 5 : 5 + width].mean(axis=0, dtype=np.float64).astype(np.float32))


def test_comparators_bring_the_lesser_value_to_the_first_of_their_places():
    matrix, means = np.array([[3, -2], [1, 5], [2, -7]], np.float32), np.empty(2, np.float32)
    inner_means("float32")(matrix, np.array([[0, 1], [1, 2], [0, 1]]), 1, 0, means)
    assert means.tolist() == [2, -2]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("width", WIDTHS)
def test_chosen_rows_are_added_up_row_after_row_in_float64(width, precision):
    matrix, sums = drawn(4, width + 7, precision=precision), np.empty(width, precision)
    rows, weights = np.array([3, 0]), np.array([0.1, -7.0])
    weighted_sums(precision)(matrix, rows, weights, 7, sums)
    expected = 0.1 * matrix[3, 7:].astype(np.float64) - 7.0 * matrix[0, 7:].astype(np.float64)
    np.testing.assert_array_equal(sums, expected.astype(precision))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 2, 7, 8])
def test_pair_sums_are_added_to_what_is_there(precision, rows):
    matrix, sums = drawn(rows, 3 * RUN, precision=precision), np.ones((8, 8))
    pair_sums(precision)(matrix, False, 5, 2 * RUN + 9, sums)
    part = matrix[:, 5 : 2 * RUN + 9].astype(np.float64)
    np.testing.assert_allclose(np.tril(sums[:rows, :rows]), np.tril(1 + part @ part.T), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(("precision", "size"), [("float32", 2.0**22), ("float64", 2.0**49)])
def test_pairs_that_are_apart_are_measured_by_their_differences(precision, size):
    matrix, sums = (size + np.arange(12.0).reshape(4, 3)).astype(precision), np.zeros((4, 4))
    pair_sums(precision)(matrix, True, 0, 3, sums)
    assert np.tril(sums).tolist() == [[0, 0, 0, 0], [27, 0, 0, 0], [108, 27, 0, 0], [243, 108, 27, 0]]
