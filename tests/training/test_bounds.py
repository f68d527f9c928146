"""Unit directions, projections into balls, and the range of pixels."""

import pytest
import torch

from sparring.errors import ConfigError
from sparring.random import stream
from sparring.training.bounds import (
    bounded_inputs,
    check_norm,
    clip_to_pixels,
    project_rows,
    row_sizes,
    unit_rows,
)

ROWS = torch.from_numpy(stream(0, "rows").standard_normal((6, 2, 3, 3)))
NORMS = ("l2", "linf")


@pytest.mark.parametrize("norm", NORMS)
def test_directions_have_norm_one(norm):
    assert row_sizes(unit_rows(ROWS, norm), norm).flatten().tolist() == pytest.approx([1] * 6, abs=1e-14)


def test_a_direction_points_where_its_row_points():
    torch.testing.assert_close(unit_rows(ROWS) * row_sizes(ROWS), ROWS, rtol=1e-14, atol=1e-14)
    assert torch.equal(unit_rows(ROWS, "linf"), ROWS.sign())


@pytest.mark.parametrize("norm", NORMS)
def test_rows_without_a_direction_give_zeros(norm):
    rows = torch.tensor([[0.0, 0.0], [torch.nan, 1.0], [torch.inf, 1.0], [3.0, -4.0]])
    units = unit_rows(rows, norm)
    assert not units[:3].any()
    assert units[3].tolist() == pytest.approx([0.6, -0.8] if norm == "l2" else [1, -1])
    assert torch.equal(project_rows(rows, norm, radius=9)[1:3], torch.zeros(2, 2))


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e30, 3e38])
def test_any_finite_magnitude_has_a_direction(scale):
    direction = unit_rows(torch.tensor([[scale, -scale]]))
    assert direction.tolist()[0] == pytest.approx([0.5**0.5, -(0.5**0.5)], abs=1e-6)
    assert row_sizes(project_rows(torch.tensor([[scale, -scale]]))).item() <= 1 + 1e-6


@pytest.mark.parametrize("norm", NORMS)
def test_a_projection_moves_what_is_outside_to_the_boundary_and_keeps_the_rest(norm):
    radius = row_sizes(ROWS, norm).flatten().median().item()
    projected = project_rows(ROWS, norm, radius=radius)
    inside = row_sizes(ROWS, norm).flatten() <= radius
    assert 0 < inside.sum() < 6
    assert torch.equal(projected[inside], ROWS[inside])
    assert row_sizes(projected[~inside], norm).flatten().tolist() == pytest.approx([radius] * int((~inside).sum()))


@pytest.mark.parametrize("norm", NORMS)
def test_no_point_of_the_ball_is_nearer_than_the_projection(norm):
    projected = project_rows(ROWS, norm, radius=0.5)
    others = project_rows(ROWS + 0.3 * ROWS.roll(1, 0), norm, radius=0.5)
    assert (row_sizes(ROWS - projected) <= row_sizes(ROWS - others)).all()


@pytest.mark.parametrize("norm", NORMS)
def test_bounded_inputs_are_pixels_within_the_ball(norm):
    inputs = torch.from_numpy(stream(0, "inputs").uniform(0, 1, (6, 2, 3, 3)))
    bounded = bounded_inputs(inputs, inputs + 5 * ROWS, epsilon=0.7, norm=norm)
    assert torch.equal(bounded, clip_to_pixels(bounded))
    assert row_sizes(bounded - inputs, norm).max() <= 0.7 + 1e-12
    assert (bounded != inputs).any()


def test_an_unknown_norm_is_named():
    with pytest.raises(ConfigError, match="noise: norm='l1'; use 'l2' or 'linf'"):
        check_norm("noise", "l1")
