"""The pictures of the site are drawn once for the same inputs."""

import pytest

from tools.site.cache import digest_inputs, draw_once


def test_pictures_are_drawn_once(tmp_path):
    drawn = []

    def draw():
        drawn.append(1)
        return {"krum": b"one", "krum-reach": b"two"}

    first, second = (draw_once("rules/krum", draw, tmp_path) for _ in range(2))
    assert first == second == {"krum": b"one", "krum-reach": b"two"}
    assert len(drawn) == 1


def test_a_member_without_pictures_is_kept_as_well(tmp_path):
    assert draw_once("attacks/learned", dict, tmp_path) == {}
    assert draw_once("attacks/learned", lambda: {"other": b""}, tmp_path) == {}


def test_what_was_drawn_from_other_inputs_is_forgotten(tmp_path):
    (tmp_path / "earlier" / "rules").mkdir(parents=True)
    draw_once("rules/krum", lambda: {"krum": b"one"}, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [digest_inputs()]


def test_a_drawing_that_fails_leaves_nothing(tmp_path):
    def fail():
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        draw_once("rules/krum", fail, tmp_path)
    assert draw_once("rules/krum", lambda: {"krum": b"one"}, tmp_path) == {"krum": b"one"}
