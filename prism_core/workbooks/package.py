"""The container of a workbook: a ZIP of XML parts, looked at with suspicion before anything is unpacked.

Belongs here: what is refused and why (size, ZIP bombs, old and protected files), the parts, the list of sheets,
and writing the package back with some parts replaced. Does not belong here: cells (sheets.py, cells.py).
Macros, external links, drawings and everything else stay in the package, unread and untouched.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote
from xml.parsers import expat

from prism_core.failures import PermanentFailure

MIB: Final = 1024 * 1024
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CHUNK: Final = 256 * 1024
_ENCODING: Final = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,30})[\"']")


class WorkbookRefused(PermanentFailure):
    """The file as a whole cannot be read; the message says why and what to do. No row of it is loaded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at most. A sheet of 100,000 rows and 15 columns unpacks to about 100 MiB."""

    file_bytes: int = 32 * MIB
    unpacked_bytes: int = 256 * MIB
    parts: int = 5_000
    sheets: int = 60
    rows: int = 100_000
    columns: int = 300


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet of the package: its name as the person sees it, and where its XML lies."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Package:
    """An opened workbook. `date_1904`: its day numbers count from 1904 (old Macintosh files)."""

    data: bytes
    sheets: tuple[SheetPart, ...]
    styles: str | None
    strings: str | None
    date_1904: bool

    def read(self, part: str) -> bytes:
        """One part, in UTF-8. Raises WorkbookRefused when it is damaged."""
        return read_part(self.data, part)

    def replaced(self, parts: Mapping[str, bytes]) -> bytes:
        """The package with some parts replaced; every other byte of content is copied."""
        target = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(self.data)) as old,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for info in old.infolist():
                content = parts[info.filename] if info.filename in parts else old.read(info.filename)
                new.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED)
        return target.getvalue()


def open_package(data: bytes, limits: Limits) -> Package:
    """Look at a file and list its sheets. Raises WorkbookRefused."""
    if len(data) > limits.file_bytes:
        raise WorkbookRefused(
            f"the file has {len(data):,} bytes; at most {limits.file_bytes:,} are read, split it"
        )
    if not data.startswith(b"PK\x03\x04"):
        raise WorkbookRefused(_not_a_workbook(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise WorkbookRefused(f"the file is damaged or cut off: {error}") from error
    names = {entry.filename for entry in entries}
    if len(entries) > limits.parts:
        raise WorkbookRefused(f"the file has {len(entries):,} parts; at most {limits.parts:,} are read")
    if len(names) != len(entries):
        raise WorkbookRefused("the file names one part twice; save it again in the spreadsheet program")
    # What a part unpacks to is what it declares: zipfile stops there, whatever the stream goes on to hold.
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked_bytes:
        raise WorkbookRefused(
            f"the file unpacks to {unpacked:,} bytes; at most {limits.unpacked_bytes:,} are read, split it"
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise WorkbookRefused("the file is a ZIP with a password; save the workbook without one")
    return _described(data, names, limits)


def _described(data: bytes, names: set[str], limits: Limits) -> Package:
    main = next((target for kind, target in _relations(data, "", names) if kind == "officeDocument"), "")
    if main.endswith(".bin"):
        raise WorkbookRefused("this is a binary workbook (.xlsb); save it as Excel workbook (.xlsx)")
    if main not in names or "content.xml" in names:
        other = "an OpenDocument file (.ods)" if "content.xml" in names else "a ZIP, but no workbook"
        raise WorkbookRefused(f"this is {other}; save it as Excel workbook (.xlsx)")
    ids: dict[str, tuple[str, str]] = {}
    found: dict[str, str] = {}
    for identity, kind, target in _relations_of(data, main, names):
        ids[identity] = (kind, target)
        found.setdefault(kind, target)
    sheets: list[SheetPart] = []
    macintosh = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal macintosh
        tag = local(name)
        if tag == "workbookPr":
            macintosh = attributes.get("date1904") in ("1", "true", "on")
        elif tag == "sheet":
            reference = next((value for key, value in attributes.items() if local(key) == "id" and ":" in key), "")
            kind, target = ids.get(reference, ("", ""))
            if kind == "worksheet" and target in names:  # a chart sheet has no cells
                hidden = attributes.get("state", "visible") != "visible"
                sheets.append(SheetPart(attributes.get("name", ""), target, hidden))

    parse(read_part(data, main), main, start)
    if len(sheets) > limits.sheets:
        raise WorkbookRefused(f"the workbook has {len(sheets)} sheets; at most {limits.sheets} are read")
    if not sheets:
        raise WorkbookRefused("the workbook has no sheet with cells")
    styles, strings = (found.get(kind) for kind in ("styles", "sharedStrings"))
    return Package(
        data,
        tuple(sheets),
        styles if styles in names else None,
        strings if strings in names else None,
        macintosh,
    )


def read_part(data: bytes, part: str) -> bytes:
    """One part of a package that was looked at, in UTF-8. Raises WorkbookRefused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = archive.read(part)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise WorkbookRefused(f"the part {part} of the file is damaged: {error}") from error
    declared = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    encoding = (
        "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else declared[1].decode() if declared else "utf-8"
    )
    if encoding.lower() in ("utf-8", "us-ascii"):
        return content.removeprefix(b"\xef\xbb\xbf")
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise WorkbookRefused(f"the part {part} of the file is damaged: {error}") from error
    head, separator, rest = text.partition("?>")
    return (rest if separator and head.startswith("<?xml") else text).encode()


def parse(
    content: bytes,
    part: str,
    start: Callable[[str, dict[str, str]], Any],
    end: Callable[[str], Any] | None = None,
    text: Callable[[str], Any] | None = None,
) -> None:
    """Walk through an XML part. Raises WorkbookRefused when it is no XML, or declares entities."""
    parser = parser_of(part)
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text
    for at in range(0, len(content), _CHUNK):
        feed(parser, content[at : at + _CHUNK], part)
    feed(parser, b"", part, last=True)


def parser_of(part: str) -> "expat.XMLParserType":
    """A parser that refuses a document type: the format forbids it, and entities are how XML explodes."""

    def refuse(*_: object) -> None:
        raise WorkbookRefused(f"the part {part} of the file declares a document type, which no workbook does")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    return parser


def feed(parser: "expat.XMLParserType", content: bytes, part: str, *, last: bool = False) -> None:
    """Parse some more bytes. Raises WorkbookRefused."""
    try:
        parser.Parse(content, last)
    except (expat.ExpatError, LookupError, UnicodeError) as error:
        raise WorkbookRefused(f"the part {part} of the file is damaged: {error}") from error


def local(name: str) -> str:
    """`row` of `x:row`: programs choose their own prefixes."""
    return name.rpartition(":")[2]


def _relations(data: bytes, part: str, names: set[str]) -> list[tuple[str, str]]:
    return [(kind, target) for _, kind, target in _relations_of(data, part, names)]


def _relations_of(data: bytes, part: str, names: set[str]) -> list[tuple[str, str, str]]:
    """Id, kind and target of the parts that a part refers to, external ones left out."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in names:
        return []
    found: list[tuple[str, str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            target = unquote(attributes.get("Target", ""))
            whole = (
                target.lstrip("/")
                if target.startswith("/")
                else posixpath.normpath(posixpath.join(folder, target))
            )
            found.append((attributes.get("Id", ""), attributes.get("Type", "").rpartition("/")[2], whole))

    parse(read_part(data, path), path, start)
    return found


def _not_a_workbook(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return "the workbook is protected with a password; save it without one"
        return "this is an old Excel file (.xls), whatever its name says; save it as Excel workbook (.xlsx)"
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table")):
        return "this is a web page, whatever its name says; open it and save it as Excel workbook (.xlsx)"
    if b"\x00" not in data[:4096]:
        return "this is text (CSV?), no workbook; open it and save it as Excel workbook (.xlsx)"
    return "this is no Excel workbook (.xlsx)"
