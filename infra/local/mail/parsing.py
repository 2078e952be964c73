"""What a message says: bytes in, plain values out, whatever the bytes are.

Belongs here: headers, bodies, attachments, and the reasons why a file cannot be read. Pure. Does not
belong here: files (keeping), HTML pages and HTTP (mailbox). Python's `compat32` policy is used on purpose:
the modern one raises on headers that real mailers write.
"""

import base64
import binascii
import mimetypes
import quopri
import re
import unicodedata
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message as RawMessage
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from urllib.parse import unquote

from infra.local.mail.keeping import Envelope, split_envelope

LONGEST_LINE_BYTES = 998  # RFC 5322, 2.1.1
NAME_LIMIT = 120
NESTING_LIMIT = 50

# What the standard parser is known to let out on bad input; anything else is a fault of ours and must show.
_PARSER_FAILURES = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
_ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]+)(?:\*[^?]*)?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_ENCODED_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_CID = re.compile(r"\bcid:([^\"'\s()<>&]+)", re.IGNORECASE)
_IMAGE_TYPE = re.compile(r"image/[a-z0-9.+-]+")
_SCRIPT = re.compile(r"<(/?)(?=script\b)", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_RESERVED_NAMES = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}


@dataclass(frozen=True)
class Heading:
    """The lines that a list shows. `recipients` are those of the envelope, hence with every BCC."""

    subject: str
    sender: str
    to: str
    cc: str
    date: str
    recipients: tuple[str, ...]
    bcc: tuple[str, ...]
    unreadable: str | None = None


@dataclass(frozen=True)
class Part:
    """A part that is not a body: an attachment, or an image that the HTML refers to by its content id."""

    index: int
    name: str
    content_type: str
    content_id: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Message:
    heading: Heading
    envelope: Envelope | None
    source: bytes  # exactly as it was sent
    headers: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    html: str | None = None
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()


def read_heading(raw: bytes) -> Heading:
    """The heading of a message file, from its first bytes. Never raises: see `unreadable`."""
    envelope, source = split_envelope(raw)
    try:
        return _heading(BytesParser(policy=compat32).parsebytes(source, headersonly=True), envelope, source)
    except _PARSER_FAILURES as error:
        return unreadable(_reason(error), envelope)


def read_message(raw: bytes) -> Message:
    """All of a message file. Never raises: an unreadable one has its reason in the heading."""
    envelope, source = split_envelope(raw)
    try:
        parsed = BytesParser(policy=compat32).parsebytes(source)
        heading = _heading(parsed, envelope, source)
        if heading.unreadable:
            return Message(heading, envelope, source)
        text, html, parts, defects = _bodies_and_parts(parsed)
    except _PARSER_FAILURES as error:
        return Message(unreadable(_reason(error), envelope), envelope, source)
    headers = tuple((name, _decoded(value)) for name, value in parsed.raw_items())
    return Message(heading, envelope, source, headers, text, html, parts, _notes(source, html, defects))


def unreadable(reason: str, envelope: Envelope | None = None) -> Heading:
    recipients = envelope.recipients if envelope else ()
    return Heading("", envelope.sender if envelope else "", "", "", "", recipients, (), reason)


def framed_html(message: Message) -> str:
    """The HTML body for the sandboxed frame: images of the message in place, scripts shown as text.

    The frame's content security policy is what stops scripts and remote content; this only makes a script
    visible to the author of the mail, whose readers' mail clients would drop it silently.
    """
    images = {
        part.content_id: part
        for part in message.parts
        if part.content_id and _IMAGE_TYPE.fullmatch(part.content_type)
    }

    def resolve(match: re.Match[str]) -> str:
        part = images.get(unquote(match[1]))
        if part is None:
            return match[0]
        return f"data:{part.content_type};base64,{base64.b64encode(part.data).decode('ascii')}"

    html = _SCRIPT.sub(r"&lt;\1", message.html or "")
    html = _CID.sub(resolve, html)
    # Links open beside the mailbox: inside the frame its policy would refuse them.
    head = _HEAD.search(html)
    at = head.end() if head else 0
    doctype = "" if head else "<!doctype html>"
    return f'{doctype}{html[:at]}<base target="_blank">{html[at:]}'


def safe_name(name: str, fallback: str) -> str:
    """A file name that is safe on every system: no path, control or direction character, no device name."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    # Cf holds the direction overrides that make "exe.fdp" of "pdf.exe"; Cs are lone surrogates.
    name = "".join(" " if unicodedata.category(char)[0] == "Z" else char for char in name)
    name = "".join(char for char in name if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .")
    if not name or name.split(".")[0].casefold() in _RESERVED_NAMES:
        return fallback
    stem, dot, suffix = name.rpartition(".")
    if len(name) <= NAME_LIMIT:
        return name
    return f"{stem[: NAME_LIMIT - len(suffix) - 1]}.{suffix}" if dot and len(suffix) <= 10 else name[:NAME_LIMIT]


def _heading(parsed: RawMessage, envelope: Envelope | None, source: bytes) -> Heading:
    if not source.strip():
        return unreadable("the file is empty", envelope)
    raw_headers = list(parsed.raw_items())
    if not raw_headers:
        return unreadable("it does not start with header lines, so it is not an e-mail", envelope)
    values: dict[str, list[str]] = {}
    for name, value in raw_headers:
        values.setdefault(name.lower(), []).append(_as_text(value))

    def addresses(*names: str) -> list[str]:
        lines = [line for name in names for line in values.get(name, [])]
        return [address for _, address in getaddresses(lines) if address]

    def first(name: str) -> str:
        return _decoded(values.get(name, [""])[0])

    visible = addresses("to", "cc")
    recipients = envelope.recipients if envelope else tuple(dict.fromkeys(visible + addresses("bcc")))
    shown = {address.casefold() for address in visible}
    return Heading(
        subject=first("subject"),
        sender=first("from") or (envelope.sender if envelope else ""),
        to=first("to"),
        cc=first("cc"),
        date=first("date"),
        recipients=recipients,
        bcc=tuple(recipient for recipient in recipients if recipient.casefold() not in shown),
    )


def _bodies_and_parts(parsed: RawMessage) -> tuple[str | None, str | None, tuple[Part, ...], list[str]]:
    text: str | None = None
    html: str | None = None
    parts: list[Part] = []
    defects: list[str] = []
    for leaf in _leaves(parsed, defects):
        content_type = leaf.get_content_type()
        attached = leaf.get_content_disposition() == "attachment"
        if content_type == "text/plain" and text is None and not attached:
            text = _body_text(leaf)
        elif content_type == "text/html" and html is None and not attached:
            html = _body_text(leaf)
        else:
            parts.append(_part(leaf, len(parts) + 1))
        defects += [type(defect).__name__ for defect in leaf.defects]
    return text, html, tuple(parts), defects


def _leaves(parsed: RawMessage, defects: list[str]) -> list[RawMessage]:
    """The parts in reading order; a message inside the message is one part, not opened."""
    leaves: list[RawMessage] = []
    waiting = [(parsed, 0)]
    while waiting:
        message, depth = waiting.pop()
        payload = message.get_payload()
        if isinstance(payload, list) and message.get_content_maintype() == "multipart" and depth < NESTING_LIMIT:
            defects += [type(defect).__name__ for defect in message.defects]
            children = [(child, depth + 1) for child in payload if isinstance(child, RawMessage)]
            waiting.extend(reversed(children))
        else:
            leaves.append(message)
    return leaves


def _part(leaf: RawMessage, index: int) -> Part:
    content_type = leaf.get_content_type()
    name = _decoded(_as_text(str(leaf.get_filename() or "")))
    extension = mimetypes.guess_extension(content_type) or ".bin"
    if content_type == "message/rfc822":
        extension = ".eml"
    content_id = _as_text(str(leaf.get("Content-ID") or "")).strip().strip("<>")
    return Part(index, safe_name(name, f"part-{index}{extension}"), content_type, content_id, _part_bytes(leaf))


def _part_bytes(leaf: RawMessage) -> bytes:
    payload = leaf.get_payload()
    if isinstance(payload, list):
        return b"\r\n".join(child.as_bytes() for child in payload if isinstance(child, RawMessage))
    decoded = leaf.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _body_text(leaf: RawMessage) -> str:
    data = _part_bytes(leaf)
    charset = str(leaf.get_content_charset() or "utf-8")
    for candidate in (charset, "utf-8"):
        try:
            return data.decode(candidate)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


def _notes(source: bytes, html: str | None, defects: list[str]) -> tuple[str, ...]:
    notes: list[str] = []
    if html and _SCRIPT.search(html):
        notes.append("The HTML holds a script. Mail clients drop it; here it is shown as text.")
    longest = max((len(line) for line in source.splitlines()), default=0)
    if longest > LONGEST_LINE_BYTES:
        notes.append(
            f"A line of {longest:,} bytes is longer than the {LONGEST_LINE_BYTES} that SMTP allows; "
            "a real mail server may refuse or break it."
        )
    if defects:
        notes.append(f"The message is not well formed: {', '.join(sorted(set(defects)))}.")
    return tuple(notes)


def _as_text(value: object) -> str:
    """A raw header value as text: unfolded, bytes over 127 read as UTF-8 (which SMTPUTF8 mail sends)."""
    unfolded = re.sub(r"[\r\n]+[ \t]*", " ", str(value))
    return unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()


def _decoded(value: object) -> str:
    """A header value with its encoded words (RFC 2047) read. What cannot be read stays as it was written."""
    text = _BETWEEN_ENCODED_WORDS.sub(r"\1", _as_text(value))
    pieces: list[tuple[bytes, str]] = []
    result, end = "", 0
    for match in _ENCODED_WORD.finditer(text):
        if match.start() > end and pieces:
            result, pieces = result + _joined(pieces), []
        result += text[end : match.start()]
        pieces.append((_word_bytes(match), match[1]))
        end = match.end()
    return result + _joined(pieces) + text[end:]


def _joined(pieces: list[tuple[bytes, str]]) -> str:
    """Neighbouring words of one character set are joined as bytes: mailers cut inside a character."""
    result, index = "", 0
    while index < len(pieces):
        data, charset = pieces[index]
        index += 1
        while index < len(pieces) and pieces[index][1].lower() == charset.lower():
            data += pieces[index][0]
            index += 1
        try:
            result += data.decode(charset, "replace")
        except LookupError:
            result += data.decode("latin-1")
    return result


def _word_bytes(match: re.Match[str]) -> bytes:
    data = match[3].encode("utf-8", "replace")
    if match[2] in "qQ":
        return quopri.decodestring(data, header=True)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return match[0].encode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its parts are nested too deeply"
    return f"the parser failed on it ({type(error).__name__}: {error})"
