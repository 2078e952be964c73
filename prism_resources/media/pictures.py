"""Bytes that somebody uploaded, opened with care, and what is made of them for the analyser and the public.

Belongs here: refusing what is no single picture that can be shown, in words its author understands; turning,
shrinking and re-encoding. Does not belong here: where bytes come from and go to (objects.py).
Nothing of the upload's metadata is in what is made: every copy is drawn from the pixels alone.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageCms

from prism_core.failures import PermanentFailure
from prism_core.media.keys import ending_of

MAX_BYTES: Final = 15 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
# Of the analyser: smaller pictures are not taken.
MIN_SIDE: Final = 80
# Nobody is shown more: a phone has 1,290 pixels across.
LARGEST_SIDE: Final = 1_600
COPY_WIDTHS: Final = (480, 960, LARGEST_SIDE)
# A copy of nearly the same width spares a reader nothing, and costs as much as the other one.
_WORTH_A_COPY: Final = 0.75
# Both look alike (SSIM 0.946 and 0.950 over photographs of 225 to 640 pixels). WebP by its quickest method takes
# 3.1 instead of 5.1 ms for 7 % more bytes, and is for browsers without AVIF; AVIF that is tuned for SSIM takes an
# eighth less time than by its own choice, and looks better (0.950 instead of 0.947) at the same bytes.
_WEBP: Final[Mapping[str, Any]] = {"quality": 76, "method": 0}
_AVIF: Final[Mapping[str, Any]] = {"quality": 60, "speed": 9, "max_threads": 1, "advanced": {"tune": "ssim"}}
_START: Final = 2_048
_ORIENTATION: Final = 0x0112
_AS_IT_LIES: Final = 1
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE: Final = (5, 6, 7, 8)
_MILLION: Final = 1_000_000
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"%PDF", "PDF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_ENDINGS: Final = {"JPEG": ("jpg", "jpeg"), "PNG": ("png",), "WEBP": ("webp",)}
# What readers of formats raise at a file that is broken. Whatever else is raised is a fault of ours: it is shown,
# and the picture is tried again.
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, OverflowError, struct.error, zlib.error)
_EIGHT_BIT: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})


# A public copy: file name, width, height and bytes.
Drawn = tuple[str, int, int, bytes]


class NotAPicture(PermanentFailure):
    """The upload is nothing that can be published. The message is for its author."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An upload, opened: its size as a person sees it, and its pixels, upright, in RGB, at most 1,600 a side."""

    format: str
    width: int
    height: int
    orientation: int
    pixels: Image.Image

    def for_analysis(self) -> bytes:
        """A JPEG of what the public would see, far below the 5 MB that the analyser takes."""
        return _encoded(self.pixels, "JPEG", quality=90)

    def copies(self) -> Iterator[Drawn]:
        """The public copies; no copy is larger than the picture."""
        width = self.pixels.width
        for wanted in [*(one for one in COPY_WIDTHS if one <= _WORTH_A_COPY * width), width]:
            height = max(1, round(self.pixels.height * wanted / width))
            size = (wanted, height)
            resized = self.pixels if wanted == width else self.pixels.resize(size, Image.Resampling.LANCZOS)
            yield f"{wanted}.webp", *resized.size, _encoded(resized, "WEBP", **_WEBP)
            yield f"{wanted}.avif", *resized.size, _encoded(resized, "AVIF", **_AVIF)


def open_picture(data: bytes, file_name: str) -> Picture:
    """Raises NotAPicture with what is wrong and what to do about it."""
    found = _format_of(data, file_name)
    try:
        image = Image.open(io.BytesIO(data), formats=(found,))
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(f"more than {2 * MAX_PIXELS // _MILLION}") from error
    except _BROKEN as error:
        raise _damaged() from error
    with image:
        _check(image)
        width, height = image.size
        try:
            orientation = _orientation(image)
            # A JPEG is unpacked at half, a quarter or an eighth of its size where that is enough: 50 megapixels
            # are 150 MB.
            image.draft(image.mode, (LARGEST_SIDE, LARGEST_SIDE))
            image.load()
        except _BROKEN as error:
            raise _damaged() from error
        if orientation in _ON_ITS_SIDE:
            width, height = height, width
        return Picture(found, width, height, orientation, _drawn(image, orientation))


def grey_picture(side: int) -> bytes:
    """A JPEG without anything on it: what an analyser is tried with."""
    return _encoded(Image.new("RGB", (side, side), "grey"), "JPEG", quality=90)


def _format_of(data: bytes, file_name: str) -> str:
    """By the first bytes; the name must agree, since browsers go by names."""
    if not data:
        raise NotAPicture("the file is empty; upload it again")
    if len(data) > MAX_BYTES:
        raise NotAPicture(f"the file has {len(data):,} bytes of at most {MAX_BYTES:,}; export it smaller")
    start = data[:_START].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")) or b"<svg" in start:
        raise NotAPicture("SVG can carry scripts and is not taken; export the picture as PNG")
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    found = "WEBP" if webp else next((name for sign, name in _SIGNATURES if data.startswith(sign)), None)
    if found not in _ENDINGS:
        looks = f" (it looks like {found})" if found is not None else ""
        raise NotAPicture(f"the file is neither JPEG, PNG nor WebP{looks}; export it as one of these")
    ending = ending_of(file_name)
    if ending not in _ENDINGS[found]:
        raise NotAPicture(f"the file is named .{ending} but holds {found}; upload it as .{_ENDINGS[found][0]}")
    return found


def _check(image: Image.Image) -> None:
    """What the head of the file says, before a single pixel is unpacked."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f"{width * height / _MILLION:,.1f}")
    if min(width, height) < MIN_SIDE:
        raise NotAPicture(f"the picture has {width} by {height} pixels; it needs {MIN_SIDE} a side")
    # Phones put a second view into a JPEG (MPO), which is no movement.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise NotAPicture("the picture is animated; upload one still picture")
    if min(width, height) * LARGEST_SIDE < MIN_SIDE * max(width, height):
        raise NotAPicture(f"the picture has {width} by {height} pixels, which is too narrow to be shown; crop it")


def _too_many_pixels(said: str) -> NotAPicture:
    return NotAPicture(f"the picture has {said} megapixels of at most {MAX_PIXELS // _MILLION}; export it smaller")


def _damaged() -> NotAPicture:
    return NotAPicture("the file is damaged or was cut off; export it again and upload it anew")


def _drawn(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels of an unpacked picture as the public is shown them."""
    profile = image.info.get("icc_profile")
    small = _eight_bit(image)
    small.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    # Not by ImageOps, which writes all other metadata anew and fails on what cameras put there.
    upright = small if orientation == _AS_IT_LIES else small.transpose(_UPRIGHT[orientation])
    pixels = Image.new("RGB", upright.size)
    pixels.paste(_in_rgb(upright, profile))
    return pixels


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8. What is none of these says nothing: the picture is taken as it lies."""
    value: object = image.getexif().get(_ORIENTATION)
    return value if isinstance(value, int) and value in _UPRIGHT else _AS_IT_LIES


def _eight_bit(image: Image.Image) -> Image.Image:
    """Sixteen bits a channel become eight, and a palette colours, before anything is shrunk."""
    if image.mode in {"P", "PA", "1"}:
        return image.convert("RGBA" if image.mode != "1" else "L")
    if image.mode in _EIGHT_BIT:
        return image
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGB")


def _in_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of the web, by the picture's own profile where it has a sound one; white behind what is
    transparent."""
    if image.mode in {"RGBA", "LA"}:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    if profile and image.mode in {"RGB", "CMYK"}:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):  # a broken profile is no reason to refuse a sound picture
            made = None
        if made is not None:
            return made
    return image.convert("RGB")


def _encoded(image: Image.Image, form: str, **how: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **how)
    return target.getvalue()
