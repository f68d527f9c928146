"""Images of the usual formats as arrays of bytes."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT, TiffImageFile

from sparring.errors import DataError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""The formats that are decoded; Pillow supports more, but decoding EPS runs an external program."""

DAMAGE = (
    *(OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""Pillow's errors for files that cannot be decoded or that exceed its pixel limit."""

WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
"""Grayscale modes with more than a byte per pixel; Pillow would clip them to 255."""

SIGNED = 2
"""The sample format of a TIFF with signed integers; Pillow ignores the sign of 8-bit samples."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transformation that turns an image upright, by its EXIF orientation."""


def read_image(path: Path, *, size: int) -> NDArray[np.uint8]:
    """Return `[3, size, size]`: the image in RGB with its shorter side scaled to `size`, cropped at the center.

    Only the first frame is read, rotated by its EXIF orientation, with transparency on white. 16-bit gray pixels and
    floats in [0, 1] are scaled to bytes; other floats and wider integers have no known range and are rejected.
    """
    try:
        return np.asarray(_fit(path, size)).transpose(2, 0, 1)
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path}: cannot be read as an image ({error}); replace or remove it") from None


def _fit(path: Path, size: int) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about metadata; only the pixels matter here
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=FORMATS) as image:
            # A JPEG decodes several times faster at reduced size; twice the target size loses no quality.
            image.draft("RGB", (2 * size, 2 * size))
            image.load()
            picture = _on_white(_of_bytes(path, image) if image.mode in WIDE or _has_sign(image) else image)
            turn = UPRIGHT.get(_orientation(image))
            upright = picture if turn is None else picture.transpose(turn)
            return ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; unreadable EXIF data count as upright."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        return 1
    return found if isinstance(found, int) else 1


def _has_sign(image: Image.Image) -> bool:
    return isinstance(image, TiffImageFile) and SIGNED in image.tag_v2.get(SAMPLEFORMAT, ())


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image in RGB, with transparency on white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    picture = image.convert("LA") if image.mode == "La" else image
    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(picture.convert("RGBA"))
    return canvas.convert("RGB")


def _of_bytes(path: Path, image: Image.Image) -> Image.Image:
    """Scale the gray pixels of a wide mode from their range to bytes."""
    pixels = np.asarray(image)
    shares = pixels / _largest(path, image, pixels=pixels)
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    if tags.get(PHOTOMETRIC_INTERPRETATION) == 0:  # the lowest value is white; Pillow inverts only 8-bit pixels
        shares = 1 - shares
    if "transparency" in image.info:
        shares[pixels == image.info["transparency"]] = 1
    return Image.fromarray(np.rint(255 * shares).astype(np.uint8))


def _largest(path: Path, image: Image.Image, *, pixels: NDArray[np.generic]) -> int:
    """Return the value of a white pixel."""
    if image.mode == "F":
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            given = f"float pixels from {pixels.min():g} to {pixels.max():g}"
            raise DataError(f"{path}: it has {given}; scale them to [0, 1], or save it with 8 or 16 bits")
        return 1
    if not isinstance(image, TiffImageFile):
        return 65535
    if image.mode == "I" or _has_sign(image):
        raise DataError(f"{path}: it has 32-bit or signed pixels; save it with 8 or 16 bits, unsigned")
    return 4095 if image.tag_v2[BITSPERSAMPLE] == (12,) else 65535
