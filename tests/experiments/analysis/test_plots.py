import pytest
from matplotlib.image import imread

from sparring.errors import RunError
from sparring.experiments.analysis.plots import COLORS, DPI, HEIGHT, STYLES, WIDTH, draw_accuracy

PANELS = {
    "no attack": {"mean": [(0, 0.1), (10, 0.9)], "median": [(0, 0.1), (10, 0.8)]},
    "größer <&>": {"mean": [(0, 0.1), (10, 0.0)], "median": [(0, 0.1), (10, 0.7)]},
}


@pytest.mark.parametrize("count", [1, 2])
def test_a_picture_has_a_panel_a_title(tmp_path, count):
    path = tmp_path / "Bild 1.png"
    draw_accuracy(dict(list(PANELS.items())[:count]), path)
    height, width = imread(path).shape[:2]
    assert (height, width) == (round(HEIGHT * DPI), round(WIDTH * count * DPI))


def test_lines_can_be_told_apart_in_a_picture(tmp_path):
    path = tmp_path / "picture.png"
    draw_accuracy(PANELS, path)
    seen = {tuple(pixel) for pixel in (imread(path)[..., :3].reshape(-1, 3) * 255).round().astype(int).tolist()}
    for color in COLORS[:2]:
        assert tuple(bytes.fromhex(color[1:])) in seen


def test_a_picture_is_the_same_when_it_is_drawn_again(tmp_path):
    for name in ("one.png", "other.png"):
        draw_accuracy(PANELS, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


def test_no_two_of_many_lines_look_alike():
    assert len({(COLORS[place % len(COLORS)], STYLES[place % len(STYLES)]) for place in range(28)}) == 28


def test_a_picture_that_cannot_be_written_is_told_of(tmp_path):
    with pytest.raises(RunError, match="no such file or directory; make room or choose another folder"):
        draw_accuracy(PANELS, tmp_path / "nowhere" / "picture.png")
