"""Bytes that people upload: what is refused, and with which words; what is made of the rest."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
import skimage
from PIL import ExifTags, Image, ImageCms, ImageOps

from prism_resources.media.pictures import LARGEST_SIDE, NotAPicture, open_picture

PHOTOGRAPH = Path(skimage.__file__).parent / "data" / "coffee.png"


def photograph(form: str = "JPEG", size: tuple[int, int] | None = None, mode: str = "RGB", **how: Any) -> bytes:
    with Image.open(PHOTOGRAPH) as opened:
        image = opened.convert("RGB") if size is None else opened.convert("RGB").resize(size)
    return encoded(image.convert(mode), form, **how)


def encoded(image: Image.Image, form: str, **how: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **how)
    return target.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head promises a wall."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def animation(form: str) -> bytes:
    frames = [Image.new("RGB", (100, 100), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BAD = {
    "empty": (b"", "x.jpg", "the file is empty"),
    "cut off": (photograph()[:9_000], "x.jpg", "damaged or was cut off"),
    "cut off PNG": (photograph("PNG")[:9_000], "x.png", "damaged or was cut off"),
    "a head alone": (b"\xff\xd8\xff", "x.jpg", "damaged or was cut off"),
    "another ending": (photograph(), "x.png", "is named .png but holds JPEG; upload it as .jpg"),
    "SVG with a script": (SVG, "x.png", "SVG can carry scripts"),
    "SVG behind a comment": (b"<!-- x --><svg onload='x'/>", "x.png", "SVG can carry scripts"),
    "text": (b"hello", "x.jpg", "neither JPEG, PNG nor WebP"),
    "PDF": (b"%PDF-1.7", "x.jpg", "it looks like PDF"),
    "GIF": (animation("GIF"), "x.png", "it looks like GIF"),
    "animated PNG": (animation("PNG"), "x.png", "is animated"),
    "animated WebP": (animation("WEBP"), "x.webp", "is animated"),
    "100 megapixels": (bomb(10_000, 10_000), "x.png", "100.0 megapixels of at most 50"),
    "a bomb": (bomb(60_000, 60_000), "x.png", "megapixels of at most 50"),
    "too small": (photograph(size=(79, 200)), "x.jpg", "it needs 80 a side"),
    "too narrow": (photograph(size=(8_000, 90)), "x.jpg", "too narrow"),
    "too many bytes": (b"\xff\xd8\xff" + b"\0" * (15 * 1024 * 1024), "x.jpg", "of at most 15,728,640"),
}


@pytest.mark.parametrize(("data", "name", "words"), BAD.values(), ids=BAD)
def test_what_is_no_picture_is_refused_in_words_for_its_author(data: bytes, name: str, words: str) -> None:
    with pytest.raises(NotAPicture, match=words):
        open_picture(data, name)


@pytest.mark.parametrize(
    ("form", "mode", "name"),
    [
        ("JPEG", "RGB", "x.jpeg"), ("JPEG", "CMYK", "x.jpg"), ("JPEG", "L", "X.JPG"), ("PNG", "RGBA", "x.png"),
        ("PNG", "P", "x.png"), ("PNG", "LA", "x.png"), ("PNG", "1", "x.png"), ("PNG", "I;16", "x.png"),
        ("WEBP", "RGBA", "x.webp"),
    ],
)  # fmt: skip
def test_every_kind_of_picture_becomes_one_of_the_web(form: str, mode: str, name: str) -> None:
    picture = open_picture(photograph(form, mode=mode), name)

    assert (picture.format, picture.width, picture.height) == (form, 600, 400)
    assert (picture.pixels.mode, picture.pixels.size) == ("RGB", (600, 400))
    assert picture.for_analysis().startswith(b"\xff\xd8\xff")


def test_copies_are_of_the_web_and_none_is_larger_than_the_picture() -> None:
    copies = {
        file: (width, height, body)
        for file, width, height, body in open_picture(photograph(size=(720, 480)), "x.jpg").copies()
    }

    assert {file: found[:2] for file, found in copies.items()} == {
        "480.webp": (480, 320), "480.avif": (480, 320), "720.webp": (720, 480), "720.avif": (720, 480),
    }  # fmt: skip
    for _, _, body in copies.values():
        with Image.open(io.BytesIO(body)) as copy:
            copy.load()


def test_a_copy_of_nearly_the_same_width_is_not_made() -> None:
    widths = {width for _, width, _, _ in open_picture(photograph(size=(600, 400)), "x.jpg").copies()}

    assert widths == {600}


def test_a_large_picture_is_shrunk_and_its_own_size_is_told() -> None:
    picture = open_picture(photograph(size=(6_000, 4_000)), "x.jpg")

    assert (picture.width, picture.height) == (6_000, 4_000)
    assert max(picture.pixels.size) == LARGEST_SIDE


def test_what_a_camera_noted_turns_the_picture_and_is_in_no_copy() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Camera of Somebody"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"

    picture = open_picture(photograph(exif=exif.tobytes()), "x.jpg")

    assert (picture.orientation, picture.width, picture.height) == (6, 400, 600)
    assert picture.pixels.size == (400, 600)
    for body in [picture.for_analysis(), *(copy[3] for copy in picture.copies())]:
        assert b"Camera of Somebody" not in body
        with Image.open(io.BytesIO(body)) as copy:
            assert not dict(copy.getexif())


def exif_of(kind: int, value: bytes, count: int = 1, beside: bytes = b"") -> bytes:
    """EXIF with an orientation in a type of TIFF (2 text, 3 short, 5 fraction, 9 signed), and one more field."""
    behind = b"" if len(value) <= 4 else value
    fields = 1 + bool(beside)
    stands = value.ljust(4, b"\0") if not behind else struct.pack("<I", 14 + 12 * fields)
    entry = beside + struct.pack("<HHI", ExifTags.Base.Orientation, kind, count) + stands
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, fields) + entry + struct.pack("<I", 0) + behind


@pytest.mark.parametrize("kind", [4, 10, 12], ids=["a number", "a fraction", "a float"])
def test_metadata_of_a_wrong_type_is_no_reason_to_refuse_a_picture_on_its_side(kind: int) -> None:
    name = struct.pack("<HHI", ExifTags.Base.Make, kind, 1) + b"\0\0\0\0"

    picture = open_picture(photograph(exif=exif_of(3, struct.pack("<H", 6), beside=name)), "x.jpg")

    assert (picture.orientation, picture.pixels.size) == (6, (400, 600))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_to_hold_a_camera_is_turned_upright_as_pillow_does(orientation: int) -> None:
    data = photograph(exif=exif_of(3, struct.pack("<H", orientation)))

    with Image.open(io.BytesIO(data)) as opened:
        expected = ImageOps.exif_transpose(opened).convert("RGB")
    assert open_picture(data, "x.jpg").pixels.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "exif",
    [
        exif_of(3, struct.pack("<H", 0)), exif_of(3, struct.pack("<H", 9)), exif_of(3, struct.pack("<H", 65_535)),
        exif_of(9, struct.pack("<i", -1)), exif_of(2, b"top left", 8), exif_of(5, struct.pack("<II", 6, 0)),
    ],
    ids=["0", "9", "65535", "-1", "text", "a fraction of nothing"],
)  # fmt: skip
def test_an_orientation_that_is_none_says_nothing(exif: bytes) -> None:
    picture = open_picture(photograph(exif=exif), "x.jpg")

    assert (picture.orientation, picture.width, picture.height) == (1, 600, 400)
    assert picture.pixels.size == (600, 400)


def test_a_picture_with_a_broken_profile_is_shown_all_the_same() -> None:
    sound = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    for profile in (sound, b"no profile at all", sound[:90]):
        assert open_picture(photograph(icc_profile=profile), "x.jpg").pixels.mode == "RGB"


def test_a_fault_of_our_own_is_not_said_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("prism_resources.media.pictures._in_rgb", fault)

    with pytest.raises(ValueError, match="ours"):
        open_picture(photograph(), "x.jpg")


def test_a_bomb_of_compressed_text_in_a_picture_is_refused() -> None:
    data = photograph("PNG")
    packed = zlib.compress(b"A" * 80_000_000)
    body = b"Comment\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    spoilt = data[:33] + chunk + data[33:]

    with pytest.raises(NotAPicture, match="damaged"):
        open_picture(spoilt, "x.png")
