import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, TiffImagePlugin

from sparring.data.formats.images import read_image
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


RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
"""Every value that a pixel may have."""


def gray(image: np.ndarray) -> np.ndarray:
    """Return the one channel of a gray image."""
    assert (image == image[0]).all()
    return image[0]


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_16_bits_are_scaled_by_their_range(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"a.{suffix}", RAMP.astype(np.uint16) * 257), size=16)
    np.testing.assert_array_equal(gray(image), RAMP)


def test_16_bits_in_the_other_byte_order_are_the_same(tmp_path):
    path = tmp_path / "a.tiff"
    wide = RAMP.astype(">u2") * 257
    Image.frombytes("I;16B", (16, 16), wide.astype(">u2").tobytes()).save(path)
    np.testing.assert_array_equal(gray(read_image(path, size=16)), RAMP)


def test_16_bits_of_color_are_scaled_by_their_range(tmp_path):
    rows = b"".join(b"\0" + struct.pack(">48H", *(np.repeat(row, 3).astype(int) * 257)) for row in RAMP)
    path = tmp_path / "a.png"
    path.write_bytes(png(rows, depth=16, color=2))
    np.testing.assert_array_equal(gray(read_image(path, size=16)), RAMP)


def png(rows: bytes, *, depth: int, color: int, transparent: bytes = b"") -> bytes:
    """Return a PNG of 16 x 16 pixels, which Pillow would not write."""
    header = struct.pack(">IIBBBBB", 16, 16, depth, color, 0, 0, 0)
    chunks = {b"IHDR": header, b"tRNS": transparent, b"IDAT": zlib.compress(rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks.items()
        if content or name == b"IEND"
    )


def test_a_transparent_value_of_16_bits_is_white(tmp_path):
    path = tmp_path / "a.png"
    rows = (b"\0" + struct.pack(">16H", *[1000] * 15, 257)) * 16
    path.write_bytes(png(rows, depth=16, color=0, transparent=struct.pack(">H", 257)))
    image = gray(read_image(path, size=16))
    assert (image[:, :15] == 4).all()
    assert (image[:, 15] == 255).all()


def test_a_gray_map_of_10_bits_is_scaled_by_the_value_it_says(tmp_path):
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 16 16 1023\n" + np.full((16, 16), 1023, ">u2").tobytes())
    assert (read_image(path, size=16) == 255).all()


def tiff(path: Path, pixels: np.ndarray, **tags: int) -> Path:
    """Save gray pixels as an uncompressed TIFF with exactly these tags."""
    known = {name: TiffImagePlugin.__dict__[name] for name in ("PHOTOMETRIC_INTERPRETATION", "SAMPLEFORMAT")}
    height, width = pixels.shape
    data = pixels.tobytes()
    bits = tags.pop("bits", 8 * pixels.itemsize)
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 0, 277: 1, 278: height, 279: len(data)}
    entries |= {known[name]: value for name, value in tags.items()}
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4) + data)
    return path


def test_12_bits_are_scaled_by_their_range(tmp_path):
    packed = np.full((16, 24), 0xFF, np.uint8)  # two pixels of 4095 in three bytes
    path = tiff(tmp_path / "a.tiff", packed, bits=12)
    content = bytearray(path.read_bytes())
    content[content.index(struct.pack("<HHII", 256, 4, 1, 24)) + 8] = 16
    path.write_bytes(content)
    assert (read_image(path, size=16) == 255).all()


@pytest.mark.parametrize("pixels", [RAMP, RAMP.astype(np.uint16) * 257, RAMP.astype(np.float32) / 255])
def test_where_the_lowest_value_is_white_the_image_is_inverted(tmp_path, pixels):
    floats = {"SAMPLEFORMAT": 3} if pixels.dtype == np.float32 else {}
    path = tiff(tmp_path / "a.tiff", pixels, PHOTOMETRIC_INTERPRETATION=0, **floats)
    np.testing.assert_array_equal(gray(read_image(path, size=16)), 255 - RAMP)


@pytest.mark.parametrize("suffix", ["tiff", "pfm"])
def test_floats_from_0_to_1_are_scaled_to_bytes(tmp_path, suffix):
    image = read_image(saved(tmp_path / f"a.{suffix}", RAMP.astype(np.float32) / 255), size=16)
    np.testing.assert_array_equal(gray(image), RAMP)


@pytest.mark.parametrize(("scale", "said"), [(1.0, "0 to 255"), (-1 / 255, "-1 to -?0"), (np.nan, "nan to nan")])
def test_floats_of_another_range_are_refused_by_name(tmp_path, scale, said):
    path = saved(tmp_path / "a.tiff", RAMP.astype(np.float32) * np.float32(scale))
    with pytest.raises(DataError, match=rf"a.tiff: it has float pixels from {said}; scale them to \[0, 1\], or save"):
        read_image(path, size=16)


@pytest.mark.parametrize(
    ("pixels", "tags"),
    [
        (RAMP.astype(np.int32), {}),
        (RAMP.astype(np.int32), {"SAMPLEFORMAT": 2}),
        (RAMP.astype("<i2"), {"SAMPLEFORMAT": 2}),
        (RAMP.astype(np.int8), {"SAMPLEFORMAT": 2}),
    ],
)
def test_integers_of_32_bits_or_with_a_sign_are_refused_by_name(tmp_path, pixels, tags):
    path = tiff(tmp_path / "a.tiff", pixels, **tags)
    with pytest.raises(DataError, match=r"a.tiff: it has 32-bit or signed pixels; save it with 8 or 16 bits"):
        read_image(path, size=16)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_what_is_transparent_lies_on_white(tmp_path, mode, suffix):
    path = tmp_path / f"a.{suffix}"
    image = Image.new(mode, (16, 16), (0,) * len(mode))
    image.putpixel((0, 0), (*(0,) * (len(mode) - 1), 255))
    image.putpixel((1, 0), (*(0,) * (len(mode) - 1), 127))
    image.save(path, **({"lossless": True, "exact": True} if suffix == "webp" else {}))
    opaque, half, clear = gray(read_image(path, size=16))[0, :3]
    assert (opaque, half, clear) == (0, 128, 255)


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_transparent_color_is_white(tmp_path, mode):
    path = tmp_path / "a.png"
    color = 0 if mode != "RGB" else (0, 0, 0)
    Image.new(mode, (16, 16), color).save(path, transparency=color)
    assert (read_image(path, size=16) == 255).all()


def test_premultiplied_gray_of_a_tiff_lies_on_white(tmp_path):
    path = tmp_path / "a.tiff"
    Image.new("LA", (16, 16), (0, 0)).save(path)
    content = path.read_bytes()
    unassociated, associated = (struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1))
    assert unassociated in content
    path.write_bytes(content.replace(unassociated, associated))
    with Image.open(path) as image:
        assert image.mode == "La"
    assert (read_image(path, size=16) == 255).all()


def test_one_bit_is_black_or_white_and_a_palette_gives_its_colors(tmp_path):
    bits = saved(tmp_path / "a.png", RAMP > 127)
    np.testing.assert_array_equal(gray(read_image(bits, size=16)), np.where(RAMP > 127, 255, 0))
    few = Image.fromarray(NOISE // 64 * 64).quantize(64)
    few.save(tmp_path / "b.png")
    np.testing.assert_array_equal(
        read_image(tmp_path / "b.png", size=16), np.asarray(few.convert("RGB")).transpose(2, 0, 1)
    )


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_inks_become_colors(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(path)
    assert np.abs(read_image(path, size=16).astype(int) - [[[255]], [[0]], [[0]]]).max() <= 2


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_other_color_spaces_become_colors(tmp_path, mode):
    path = tmp_path / "a.tiff"
    white = {"YCbCr": (255, 128, 128), "LAB": (255, 128, 128)}
    Image.new(mode, (16, 16), white[mode]).save(path)
    assert read_image(path, size=16).min() >= 253


@pytest.mark.parametrize("suffix", ["gif", "png", "tiff", "webp"])
def test_of_several_frames_the_first_is_taken(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    first, second = (Image.new("RGB", (16, 16), (value,) * 3) for value in (0, 255))
    first.save(path, save_all=True, append_images=[second], **({"lossless": True} if suffix == "webp" else {}))
    with Image.open(path) as image:
        assert image.n_frames == 2
    assert (read_image(path, size=16) == 0).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "options"), [("jpg", {"quality": 100}), ("png", {}), ("tiff", {}), ("webp", {})])
def test_an_image_is_turned_upright_by_its_orientation(tmp_path, orientation, suffix, options):
    path = tmp_path / f"a.{suffix}"
    shown = Image.fromarray(np.kron(np.arange(0, 256, 64).reshape(2, 2), np.ones((20, 20))).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown.save(path, exif=exif, **options)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("L")).astype(int)
    assert np.abs(gray(read_image(path, size=40)).astype(int) - upright).max() <= 4


def test_a_compressed_tiff_is_turned_once(tmp_path):
    shown = np.zeros((16, 16, 3), np.uint8)
    shown[:4] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.tiff", shown, exif=exif, compression="tiff_lzw")
    np.testing.assert_array_equal(read_image(path, size=16), np.rot90(shown, -1).transpose(2, 0, 1))


def test_16_bits_are_turned_too(tmp_path):
    shown = np.zeros((16, 16), np.uint16)
    shown[:4] = 65535
    exif = Image.Exif()
    exif[0x0112] = 8
    path = saved(tmp_path / "a.png", shown, exif=exif)
    np.testing.assert_array_equal(gray(read_image(path, size=16)), np.rot90(shown) // 257)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\xff"]
)
def test_damaged_exif_data_turn_nothing(tmp_path, exif):
    path = saved(tmp_path / "a.jpg", np.full((16, 16, 3), 128, np.uint8), exif=exif)
    assert np.abs(read_image(path, size=16).astype(int) - 128).max() <= 2
