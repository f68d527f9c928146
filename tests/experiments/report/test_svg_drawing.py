import pytest

from sparring.experiments.report.svg_curves import (
    COLORS,
    DASHES,
    FRAME,
    MOST_TICKS,
    Band,
    Plot,
    choose_ticks,
    draw_picture,
    line_classes,
)

FLAT, RISING = Band([0, 10], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]), Band([0, 10], [0.1, 0.6], [0.0, 0.5], [0.2, 0.7])


def test_a_curve_goes_from_corner_to_corner():
    (line,) = draw_picture(Plot("", {"mean": FLAT}), ["mean"]).lines
    assert line.path == f"M{FRAME.left:.1f} {FRAME.bottom:.1f}L{FRAME.right:.1f} {FRAME.top:.1f}"


def test_a_band_of_one_seed_is_not_drawn():
    flat, rising = draw_picture(Plot("", {"mean": FLAT, "krum": RISING}), ["mean", "krum"]).lines
    assert flat.outline == ""
    assert rising.outline.count("L") == 3
    assert rising.outline.endswith("Z")


def test_a_line_has_the_style_of_its_place_in_the_legend():
    assert draw_picture(Plot("", {"krum": RISING}), ["mean", "krum"]).lines[0].style == line_classes(1)


def test_many_lines_can_be_told_apart():
    assert len({line_classes(place) for place in range(COLORS * DASHES)}) == COLORS * DASHES


def test_a_picture_says_what_it_shows():
    assert "krum 0.600" in draw_picture(Plot("", {"krum": RISING}), ["krum"]).description


@pytest.mark.parametrize("last", [0, 1, 4, 7, 10, 30, 99, 200, 250, 999, 1000])
def test_ticks_are_few_and_start_at_zero(last):
    found = choose_ticks(last)
    assert found[0] == 0
    assert found[-1] <= last
    assert len(found) <= MOST_TICKS
    assert last < 2 or len(found) > 2


def test_a_run_of_no_rounds_is_drawn():
    assert draw_picture(Plot("", {"mean": Band([0], [0.5], [0.5], [0.5])}), ["mean"]).lines[0].path.startswith("M")
