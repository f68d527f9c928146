import pytest
import torch

from sparring.attacks import Bars
from sparring.errors import ConfigError
from tests.attacks.backdoor.triggers.pictures import COLOR, images, painted


def bar(row, first, last):
    return {(row, column) for column in range(first, last + 1)}


def test_the_bars_on_mnist_are_the_published_ones():
    assert painted(Bars()) == bar(0, 0, 3) | bar(0, 6, 9) | bar(3, 0, 3) | bar(3, 6, 9)


def test_the_bars_on_cifar_are_the_published_ones():
    assert painted(Bars(), COLOR) == bar(0, 0, 5) | bar(0, 9, 14) | bar(4, 0, 5) | bar(4, 9, 14)


def test_the_parts_are_the_four_bars_row_by_row():
    parts = Bars().parts
    assert list(map(painted, parts)) == [bar(0, 0, 3), bar(0, 6, 9), bar(3, 0, 3), bar(3, 6, 9)]
    assert parts[2] == Bars(part=2)
    assert parts[2].parts == (parts[2],)


def test_bars_may_be_anywhere_and_of_any_gray():
    trigger = Bars(rows=(1, 2), columns=(0, 4), length=2, color=0.5)
    stamped = trigger.stamp(torch.zeros(1, 1, 5, 6))[0, 0]
    assert stamped.nonzero().tolist() == [[1, 0], [1, 1], [1, 4], [1, 5], [2, 0], [2, 1], [2, 4], [2, 5]]
    assert set(stamped.unique().tolist()) == {0.0, 0.5}


def test_a_black_bar_covers_what_was_bright():
    white = torch.ones(2, 1, 28, 28)
    assert Bars(color=0.0).stamp(white).sum() == white.sum() - 2 * 16


def test_pixels_beside_the_bars_are_kept():
    pictures = images(3)
    changed = Bars().stamp(pictures) != pictures
    assert changed.sum() == 3 * 16


@pytest.mark.parametrize(
    ("settings", "shape", "message"),
    [
        ({}, (1, 8, 8), r"^trigger bars: images of 8×8 pixels have no published bars; set rows, columns and length$"),
        ({}, (3,), r"^trigger bars: the inputs have shape \[3\]; use images$"),
        (
            {"rows": (0, 3), "columns": (0, 6), "length": 4},
            (1, 8, 8),
            r"^trigger bars: rows 0 to 0, columns 6 to 9 are outside an image of 8×8 pixels; "
            r"move it or use larger images$",
        ),
        ({"rows": (0, -1), "columns": (0, 4), "length": 4}, (1, 8, 8), r"rows -1 to -1, .* are outside"),
    ],
)
def test_bars_outside_the_image_are_refused(settings, shape, message):
    with pytest.raises(ConfigError, match=message):
        Bars(**settings).stamp(torch.zeros(2, *shape))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"color": 1.5}, r"^bars\.color is 1\.5; it must be from 0 \(black\) to 1 \(white\)$"),
        ({"part": 4}, r"^bars\.part is 4; it must be 0 to 3, or null for all bars$"),
        ({"length": 2}, r"^bars has some of rows, columns and length; set all three, or none of them$"),
        ({"rows": (0, 1), "columns": (0, 1), "length": 0}, r"^bars\.length is 0; it must be at least 1$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Bars(**settings)
