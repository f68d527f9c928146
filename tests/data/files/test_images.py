import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring.data.files.images import read_image
from sparring.errors import DataError
from sparring.random import stream

NOISE = stream(0, "images").integers(0, 256, (16, 16, 3)).astype(np.uint8)


def saved(path: Path, values: np.ndarray, **options: object) -> Path:
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["bmp", "png", "ppm", "tiff"])
def test_an_image_of_the_right_size_comes_as_it_is_channels_first(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"a.{suffix}", NOISE), size=16)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, NOISE.transpose(2, 0, 1))


@pytest.mark.parametrize("suffix", ["gif", "jpg", "webp"])
def test_lossy_formats_are_read(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"a.{suffix}", np.full((20, 30, 3), 128, np.uint8)), size=10)
    assert np.abs(image.astype(int) - 128).max() <= 4


def test_gray_images_have_three_equal_channels(tmp_path):
    image = read_image(saved(tmp_path / "a.png", NOISE[:, :, 0]), size=16)
    np.testing.assert_array_equal(image, np.broadcast_to(NOISE[:, :, 0], (3, 16, 16)))


@pytest.mark.parametrize("mode", ["1", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "a.tiff"
    Image.fromarray(NOISE).convert(mode).save(path)
    assert read_image(path, size=8).shape == (3, 8, 8)


@pytest.mark.parametrize("upright", [True, False])
def test_the_center_of_the_longer_side_is_kept(tmp_path, upright):
    values = np.zeros((40, 120, 3), np.uint8)
    values[:, 40:80] = 200
    path = saved(tmp_path / "a.png", values.transpose(1, 0, 2) if upright else values)
    # The outermost pixels also average a little of what is cut off.
    assert (read_image(path, size=20)[:, 1:-1, 1:-1] == 200).all()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_shrinking_averages_what_it_merges(tmp_path, suffix):
    checkers = (np.indices((400, 400)).sum(axis=0) % 2 * 200).astype(np.uint8)
    image = read_image(saved(tmp_path / f"a.{suffix}", checkers), size=20)
    assert np.abs(image[:, 2:-2, 2:-2].astype(int) - 100).max() <= 3


def test_a_strip_of_one_row_is_not_scaled_as_a_whole(tmp_path):
    image = read_image(saved(tmp_path / "a.png", np.full((1, 60_000, 3), 7, np.uint8)), size=512)
    assert (image == 7).all()


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff", "webp"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_an_image_cut_short_is_named(tmp_path, suffix, share):
    path = saved(tmp_path / f"a.{suffix}", NOISE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError) as refusal:
        read_image(path, size=16)
    assert str(refusal.value).startswith(f"{path}: cannot be read as an image (")
    assert str(refusal.value).endswith("); replace or remove it")


@pytest.mark.parametrize("content", [b"<html></html>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_image_of_a_usual_format_is_named(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.png: cannot be read as an image"):
        read_image(path, size=16)


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_decompression_bomb_is_refused_undecoded(tmp_path, side):
    path = saved(tmp_path / "a.png", NOISE)
    header = bytearray(path.read_bytes())
    header[16:24] = side.to_bytes(4) * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4)
    path.write_bytes(header)
    with pytest.raises(DataError, match=r"a.png: cannot be read as an image .* decompression bomb"):
        read_image(path, size=16)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(DataError, match="cannot be read as an image"):
        read_image(tmp_path, size=16)
