import pytest
import torch

from sparring.attacks import Square
from sparring.errors import ConfigError
from tests.attacks.backdoor.triggers.pictures import COLOR, painted


def test_the_square_is_a_pixel_away_from_the_lower_right_corner():
    assert painted(Square()) == {(row, column) for row in (24, 25, 26) for column in (24, 25, 26)}
    assert painted(Square(), COLOR) == {(row, column) for row in (28, 29, 30) for column in (28, 29, 30)}


def test_a_square_in_the_upper_left_corner_counts_from_there():
    assert painted(Square(size=2, row=0, column=1)) == {(0, 1), (0, 2), (1, 1), (1, 2)}


@pytest.mark.parametrize("place", [{"row": -2}, {"column": -2}, {"row": 26}, {"row": -40}])
def test_a_square_outside_the_image_is_refused(place):
    with pytest.raises(ConfigError, match=r"^trigger square: rows .* are outside an image of 28×28 pixels; move it"):
        Square(**place).stamp(torch.zeros(1, 1, 28, 28))


def test_a_square_of_no_size_is_refused():
    with pytest.raises(ConfigError, match=r"^square\.size is 0; it must be at least 1$"):
        Square(size=0)
