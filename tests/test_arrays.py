from math import inf, nan
from threading import current_thread

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from sparring import arrays
from sparring.arrays import (
    column_blocks,
    finite_rows,
    gram,
    in_chunks,
    in_threads,
    is_finite,
    neighbor_scores,
    pixels,
    row_norms,
    squared_distances,
)
from tests.matrices import gaussian, matrices


def exact_squared_distances(matrix: torch.Tensor) -> torch.Tensor:
    wide = matrix.double()
    return torch.stack([(wide - row).square().sum(dim=1) for row in wide])


def test_bytes_are_scaled_to_pixels():
    assert pixels(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx([0, 0.2, 1])


def test_floats_are_pixels_already():
    images = gaussian(2, 3)
    assert torch.equal(pixels(images), images)


@pytest.mark.parametrize(
    ("values", "finite"),
    [([1.0, -3e38, -3e38], True), ([1.0, nan], False), ([inf, -inf], False), ([1.0, inf], False), ([], True)],
)
def test_a_tensor_is_finite_when_every_value_is(values, finite):
    assert is_finite(torch.tensor(values)) == finite


def test_rows_are_judged_one_by_one():
    matrix = torch.tensor([[1.0, 2.0], [nan, 0.0], [3e38, 3e38], [inf, -inf], [-inf, 1.0]])
    assert finite_rows(matrix).tolist() == [True, False, True, False, False]


def test_norms_are_right_where_squares_leave_float32():
    norms = row_norms(torch.tensor([[3.0, 4.0], [3e38, 0.0], [1e38, 1e38], [3e-30, 4e-30], [0.0, 0.0]]))
    assert norms.tolist() == pytest.approx([5, 3e38, 2**0.5 * 1e38, 5e-30, 0], rel=1e-6, abs=0)


def test_norms_of_long_rows_lose_no_digits():
    matrix = gaussian(2, 3_000_000)
    torch.testing.assert_close(row_norms(matrix), matrix.double().norm(dim=1), rtol=2e-6, atol=0)


def test_norms_of_rows_that_are_not_finite_are_not_finite():
    assert not torch.isfinite(row_norms(torch.tensor([[nan, 1.0], [inf, 1.0], [-inf, inf]]))).any()


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (1, 1), (7, 1000), (5000, 3)])
def test_blocks_cover_every_column_once(shape, monkeypatch):
    monkeypatch.setattr(arrays, "CELLS", 700)
    columns = torch.arange(shape[1])
    assert torch.cat([columns[:0], *(columns[block] for block in column_blocks(torch.empty(shape)))]).equal(columns)


@pytest.mark.parametrize("number", [1, 3])
def test_work_comes_back_in_the_order_of_its_parts(number, threads):
    threads(number)
    assert in_threads(lambda part: part.start, (slice(start, start + 1) for start in range(20))) == list(range(20))


@pytest.mark.parametrize(("parts", "most"), [(1, 1), (3, 1), (4, 2), (100, 3)])
def test_no_more_threads_work_than_torch_may_use_nor_than_have_two_parts(parts, most, threads):
    threads(3)
    workers = set(in_threads(lambda _: current_thread().name, [slice(0, 1)] * parts))
    assert len(workers) <= most
    assert most > 1 or workers == {current_thread().name}


@pytest.mark.parametrize("rows", [4, 7])
def test_the_number_of_threads_changes_no_byte_of_a_distance(rows, threads, monkeypatch):
    monkeypatch.setattr(arrays, "CELLS", 1000)
    matrix = gaussian(rows, 5003)
    alone = squared_distances(matrix)
    threads(3)
    assert torch.equal(squared_distances(matrix), alone)


def test_inner_products_of_a_long_matrix_are_exact_enough():
    matrix = gaussian(6, 100_003)
    center = matrix.mean(dim=0)
    offsets = matrix.double() - center
    torch.testing.assert_close(gram(matrix, center), offsets @ offsets.T)


def test_inner_products_are_of_offsets_from_the_center():
    matrix = torch.tensor([[1.0, 1.0], [2.0, 4.0]])
    assert gram(matrix, torch.tensor([1.0, 2.0])).tolist() == [[1, -2], [-2, 5]]


def test_distances_by_hand():
    matrix = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    assert squared_distances(matrix).tolist() == [[0, 25, 1], [25, 0, 18], [1, 18, 0]]


@given(matrices(values=st.integers(-100, 100)))
def test_distances_of_small_integers_are_exact(matrix):
    assert torch.equal(squared_distances(matrix), exact_squared_distances(matrix))


@given(matrices())
@example(torch.tensor([[1e38, 1.0], [1e38, 1.0], [-1e38, 0.0], [1e38, 3e30]]))
@example(torch.tensor([[0.0], [1e8], [1e8 + 8], [1e8 + 16], [1e30], [-3e38]]))
def test_distances_equal_exact_differences(matrix):
    torch.testing.assert_close(squared_distances(matrix), exact_squared_distances(matrix), rtol=1e-6, atol=0)


@pytest.mark.parametrize("size", [1e3, 1e8, 1e38])
def test_small_distances_between_huge_rows_are_measured_right(size):
    clusters = size * torch.tensor([[0.1], [1.0], [1.0], [-1.0]]) + size * 1e-6 * gaussian(12, 50).view(3, 4, 50)
    matrix = clusters.flatten(0, 1)
    torch.testing.assert_close(squared_distances(matrix), exact_squared_distances(matrix), rtol=1e-6, atol=0)


def test_distances_do_not_depend_on_the_block_size(monkeypatch):
    matrix = gaussian(5, 1001)
    whole = squared_distances(matrix)
    monkeypatch.setattr(arrays, "CELLS", 100)
    # Other blocks add products of single precision in another order.
    torch.testing.assert_close(squared_distances(matrix), whole, rtol=1e-6, atol=0)


def test_a_distance_that_vanishes_in_float32_is_measured_again():
    matrix = torch.tensor([[1.0, 0.0], [1.0, 1e-30], [1.0, 0.0], [2.0, 0.0]])
    expected = torch.tensor([1e-60, 0, 1e-60, 1], dtype=torch.float64)
    torch.testing.assert_close(squared_distances(matrix)[1], expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_have_no_distance(rows):
    assert torch.equal(squared_distances(torch.ones(rows, 3)), torch.zeros(rows, rows, dtype=torch.float64))


def test_rows_that_are_not_finite_have_no_distance_and_end_no_loop():
    distances = squared_distances(torch.tensor([[1.0], [nan], [4.0], [inf]]))
    assert distances[0, 2] == 9
    assert not torch.isfinite(distances[1, [0, 2, 3]]).any()


def test_measuring_leaves_the_matrix_alone():
    matrix = gaussian(4, 7).double()
    before = matrix.clone()
    squared_distances(matrix)
    assert torch.equal(matrix, before)


def test_scores_add_up_the_nearest_others():
    distances = torch.tensor([[0.0, 1.0, 4.0], [1.0, 0.0, 9.0], [4.0, 9.0, 0.0]])
    assert neighbor_scores(distances, 1).tolist() == [1, 1, 4]
    assert neighbor_scores(distances, 2).tolist() == [5, 10, 13]


def test_a_duplicate_is_a_neighbor_at_distance_zero():
    assert neighbor_scores(torch.tensor([[0.0, 0.0, 4.0], [0.0, 0.0, 4.0], [4.0, 4.0, 0.0]]), 1).tolist() == [0, 0, 4]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, [0]), (1, [1]), (250, [250]), (251, [126, 125]), (500, [250, 250]), (501, [167, 167, 167])],
)
def test_no_chunk_is_a_small_rest(count, sizes):
    numbers = torch.arange(count)
    chunks = in_chunks(numbers, 250)
    assert [len(chunk) for chunk in chunks] == sizes
    assert torch.cat(chunks).equal(numbers)


def test_rows_that_are_true_are_new():
    old, new = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    rows = torch.tensor([True, False, True])
    assert arrays.choose_rows(rows, new, old=old)[:, 0, 0].tolist() == [1, 0, 1]
    assert arrays.choose_rows(rows, new[:, 0, 0], old=old[:, 0, 0]).tolist() == [1, 0, 1]
    assert old.sum() == 0
