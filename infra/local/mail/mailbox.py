"""The mailbox page of a local platform: every e-mail that PRISM sent here, to read and to delete.

Belongs here: routes, pages and JSON answers. Does not belong here: who may ask (guard), what a message says
(parsing) and where it lies (keeping). The pages hold no script, so that their policy can forbid all of them.
"""

import logging
import unicodedata
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from infra.local.mail import guard, keeping, parsing

PAGE_SIZE = 50
PAGE_SIZE_LIMIT = 100
QUERY_LIMIT = 200
# The headers of a message end far before this; a list never reads the 40 MB of an attachment.
HEADING_BYTES = 256 * 1024
SHOWN_TEXT_CHARACTERS = 500_000
SHOWN_UNREADABLE_BYTES = 20_000
FORM_LIMIT_BYTES = 4096

_HERE = Path(__file__).parent
_log = logging.getLogger(__name__)


def mailbox_app(directory: Path, smtp_address: str) -> ASGIApp:
    """The ASGI app over the directory of a sink. `smtp_address` (host:port) is shown when it is empty."""
    mailbox = _Mailbox(directory.absolute(), smtp_address)
    app = Starlette(
        routes=[
            Route("/", mailbox.list_page),
            Route("/messages/{id}", mailbox.message_page),
            Route("/messages/{id}/html", mailbox.frame),
            Route("/messages/{id}/raw", mailbox.raw),
            Route("/messages/{id}/attachments/{index:int}", mailbox.attachment),
            Route("/delete", mailbox.delete_all, methods=["POST"]),
            Route("/api/messages", mailbox.list_json),
            Route("/api/messages/{id}", mailbox.message_json),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        exception_handlers={HTTPException: mailbox.problem, OSError: mailbox.unavailable},
    )
    return guard.guarded(app)


class _Mailbox:
    def __init__(self, directory: Path, smtp_address: str) -> None:
        self._directory = directory
        self._smtp_address = smtp_address
        # Message files never change, so a heading is read once; keyed with time and size for edited ones.
        self._headings: dict[keeping.Entry, tuple[parsing.Heading, keeping.Envelope | None]] = {}
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters |= {"instant": _instant, "size": _size}

    # Pages. Plain functions: Starlette runs them in threads, so that reading files never blocks the loop.

    def list_page(self, request: Request) -> Response:
        listing = self._listing(request)
        base = _base(request)
        return self._page(
            request,
            "list.html",
            deleted=request.query_params.get("deleted", ""),
            newest_key=listing["newest_key"],
            older=_page_link(base, listing, +1),
            newer=_page_link(base, listing, -1),
            **{key: listing[key] for key in ("messages", "total", "kept", "page", "pages", "q")},
        )

    def message_page(self, request: Request) -> Response:
        entry, message = self._message(request)
        views = [name for name in ("html", "text") if getattr(message, name) is not None] + ["headers"]
        view = request.query_params.get("view", "")
        reason = message.heading.unreadable
        text = message.text or ""
        return self._page(
            request,
            "message.html",
            id=entry.id,
            received=_received(entry, message.envelope),
            size=entry.size,
            message=message,
            views=views,
            view=view if view in views else views[0],
            text=text[:SHOWN_TEXT_CHARACTERS],
            text_is_cut=len(text) > SHOWN_TEXT_CHARACTERS,
            remains=message.source[:SHOWN_UNREADABLE_BYTES].decode("utf-8", "replace") if reason else "",
            sandbox=guard.FRAME_SANDBOX,
        )

    def frame(self, request: Request) -> Response:
        _, message = self._message(request)
        if message.html is None:
            raise HTTPException(404, "This message has no HTML part.")
        # A surrogate from a broken message cannot be encoded; it is shown as a question mark.
        body = parsing.framed_html(message).encode("utf-8", "replace")
        headers = {"Content-Security-Policy": guard.FRAME_POLICY, "Referrer-Policy": "no-referrer"}
        return HTMLResponse(body, headers=headers)

    def raw(self, request: Request) -> Response:
        """The message as it was sent: without our envelope lines, so that passing it on betrays no BCC."""
        entry, message = self._message(request)
        return _download(message.source, f"{entry.id}.eml")

    def attachment(self, request: Request) -> Response:
        _, message = self._message(request)
        for part in message.parts:
            if part.index == request.path_params["index"]:
                return _download(part.data, part.name)
        raise HTTPException(404, "This message has no such attachment.")

    async def delete_all(self, request: Request) -> Response:
        if not guard.is_same_origin(request.headers):
            raise HTTPException(403, "Messages are deleted with the button of the mailbox page only.")
        up_to = await _form_value(request, "up_to")
        if not up_to:
            raise HTTPException(400, "up_to is missing: which message was the newest on your page?")
        deleted, failed = await run_in_threadpool(keeping.delete_up_to, self._directory, up_to)
        if failed:
            raise HTTPException(500, f"{deleted} deleted, {len(failed)} not: {'; '.join(failed[:5])}")
        return RedirectResponse(f"{_base(request)}/?deleted={deleted}", status_code=303)

    # JSON

    def list_json(self, request: Request) -> Response:
        listing = self._listing(request)
        return JSONResponse({key: listing[key] for key in ("messages", "total", "page", "page_size", "pages")})

    def message_json(self, request: Request) -> Response:
        entry, message = self._message(request)
        parts = [
            {
                "index": part.index,
                "name": part.name,
                "content_type": part.content_type,
                "content_id": part.content_id,
                "size": part.size,
                "url": f"{_base(request)}/messages/{entry.id}/attachments/{part.index}",
            }
            for part in message.parts
        ]
        body = self._row(entry, message.heading, message.envelope) | {
            "headers": [list(header) for header in message.headers],
            "text": message.text,
            "html": message.html,
            "attachments": parts,
            "notes": list(message.notes),
        }
        return JSONResponse(_encodable(body))

    # Failures

    def problem(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        if request.scope["path"].removeprefix(_base(request)).startswith("/api/"):
            body = {"type": "about:blank", "title": detail, "status": status}
            return JSONResponse(body, status, media_type="application/problem+json")
        return self._page(request, "problem.html", status=status, detail=detail)

    def unavailable(self, request: Request, error: Exception) -> Response:
        _log.warning("the mailbox cannot read %s: %s", self._directory, error)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return self.problem(request, HTTPException(503, f"The mail directory cannot be read: {reason}"))

    # What they share

    def _page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        page = self._templates.get_template(template)
        content = page.render(base=_base(request), status=status, smtp_address=self._smtp_address, **values)
        return HTMLResponse(content.encode("utf-8", "replace"), status)

    def _message(self, request: Request) -> tuple[keeping.Entry, parsing.Message]:
        entry = keeping.find(self._directory, request.path_params["id"])
        if entry is None:
            raise HTTPException(404, "There is no such message; it may have been deleted.")
        try:
            return entry, parsing.read_message(keeping.read(self._directory, entry))
        except FileNotFoundError as error:
            raise HTTPException(404, "This message was deleted a moment ago.") from error
        except OSError as error:
            heading = parsing.unreadable(f"it cannot be opened ({error.strerror or error})")
            return entry, parsing.Message(heading, None, b"")

    def _listing(self, request: Request) -> dict[str, Any]:
        query = request.query_params.get("q", "").strip()[:QUERY_LIMIT]
        size = _whole(request, "page_size", PAGE_SIZE, PAGE_SIZE_LIMIT)
        page = _whole(request, "page", 1, 1_000_000)
        kept = keeping.entries(self._directory)
        self._forget_deleted(kept)
        found = [entry for entry in kept if self._matches(entry, query)] if query else kept
        pages = max(1, -(-len(found) // size))
        page = min(page, pages)
        shown = found[(page - 1) * size : page * size]
        rows = [_encodable(self._row(entry, *self._heading(entry))) for entry in shown]
        return {
            "messages": rows,
            "total": len(found),
            "kept": len(kept),
            "page": page,
            "page_size": size,
            "pages": pages,
            "q": query,
            "newest_key": kept[0].key if kept else "",
        }

    def _row(
        self, entry: keeping.Entry, heading: parsing.Heading, envelope: keeping.Envelope | None = None
    ) -> dict[str, Any]:
        received = _received(entry, envelope).isoformat()
        return {"id": entry.id, "received_at": received, "size": entry.size} | asdict(heading)

    def _heading(self, entry: keeping.Entry) -> tuple[parsing.Heading, keeping.Envelope | None]:
        known = self._headings.get(entry)
        if known is not None:
            return known
        try:
            raw = keeping.read(self._directory, entry, HEADING_BYTES)
        except OSError as error:  # not remembered: it may be readable the next time
            return parsing.unreadable(f"it cannot be opened ({error.strerror or error})"), None
        known = parsing.read_heading(raw), keeping.split_envelope(raw)[0]
        self._headings[entry] = known
        return known

    def _forget_deleted(self, kept: list[keeping.Entry]) -> None:
        if len(self._headings) > len(kept):
            present = set(kept)
            # A new dict, not a change of this one: another thread may be reading it.
            self._headings = {entry: known for entry, known in list(self._headings.items()) if entry in present}

    def _matches(self, entry: keeping.Entry, query: str) -> bool:
        heading, _ = self._heading(entry)
        fields = (heading.subject, heading.sender, heading.to, heading.cc, *heading.recipients)
        return any(_folded(query) in _folded(field) for field in fields)


def _download(data: bytes, name: str) -> Response:
    """Always a download of no particular type: nothing of a mail is ever run or shown as a page of ours."""
    plain = "".join(char if " " <= char < "\x7f" and char not in '"\\' else "_" for char in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": guard.DOWNLOAD_POLICY}
    return Response(data, media_type="application/octet-stream", headers=headers)


async def _form_value(request: Request, field: str) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT_BYTES:
            raise HTTPException(413, "The form is too large.")
    return parse_qs(body.decode("ascii", "replace")).get(field, [""])[0]


def _whole(request: Request, name: str, default: int, most: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most):
        raise HTTPException(400, f"{name} must be a whole number from 1 to {most:,}.")
    return int(value[:9])


def _base(request: Request) -> str:
    """Where this app is mounted: nowhere on its own port, below /mailbox behind the front door."""
    return request.scope.get("root_path", "")


def _page_link(base: str, listing: dict[str, Any], step: int) -> str:
    page = listing["page"] + step
    if not 1 <= page <= listing["pages"]:
        return ""
    query = {"page": page, "page_size": listing["page_size"]} | ({"q": listing["q"]} if listing["q"] else {})
    return f"{base}/?{urlencode(query)}"


def _received(entry: keeping.Entry, envelope: keeping.Envelope | None) -> datetime:
    return envelope.received if envelope else entry.modified


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _encodable(value: Any) -> Any:
    """The same value without lone surrogates, which a broken message may hold and UTF-8 may not."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {key: _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_encodable(item) for item in value]
        case _:
            return value


def _instant(value: datetime | str) -> str:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.0f} kB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"
