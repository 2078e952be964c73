"""The files of the screens, as CloudFront serves them on AWS: hashed ones for good, one page for every address.

Belongs here: which file answers what, with which policy and how long it may be kept; what differs between
platforms (/config.json). Does not belong here: building them (web/, the Makefile) and who may ask (frontdoor.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

BUILT: Final = Path(__file__).parent / "screens_built"
FOR_GOOD: Final = "public, max-age=31536000, immutable"
# Asked anew each time, answered with 304 when nothing changed.
ASKED_ANEW: Final = "no-cache"


def policy(connect: Collection[str] = ()) -> str:
    """The Content-Security-Policy of the app. `connect` are the origins that it calls beside its own.

    Styles of components are set through the DOM, which a policy lets pass; their fonts are in the style sheet.
    A mail is shown in a frame without an address, which needs no source of frames.
    """
    called = " ".join(["connect-src 'self'", *connect])
    shown = "style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:"
    nothing = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return f"default-src 'none'; script-src 'self'; {shown}; {called}; {nothing}"


@dataclass(frozen=True, slots=True)
class Screens:
    """The built app. `client_id` is the app client of the user pool, `links` are pages beside the screens.

    `uploads` is the origin of the lake, which takes large workbooks by a signed link.
    """

    client_id: str
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path = BUILT
    uploads: str | None = None

    @property
    def are_built(self) -> bool:
        return (self.folder / "index.html").is_file()

    def routes(self) -> list[BaseRoute]:
        """After all others: what nobody else answers is an address of the app, or nothing."""
        return [
            Route("/config.json", self._config),
            Route("/assets/{name}", self._hashed),
            Route("/{rest:path}", self._page),
        ]

    async def _config(self, _: Request) -> Response:
        found = {
            "client_id": self.client_id,
            "metadata_url": "/.well-known/openid-configuration",
            "links": dict(self.links),
        }
        return JSONResponse(found)

    async def _hashed(self, request: Request) -> Response:
        return self._file(self.folder / "assets", request.path_params["name"], FOR_GOOD)

    async def _page(self, request: Request) -> Response:
        """A file by its name, else the page for whoever opens an address. A program that asks for one gets 404."""
        name = request.path_params["rest"]
        if "/" not in name and name and (self.folder / name).is_file():
            return self._file(self.folder, name, ASKED_ANEW)
        if name and "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404)
        return self._file(self.folder, "index.html", ASKED_ANEW)

    def _file(self, folder: Path, name: str, keep: str) -> Response:
        path = folder / name
        # A name is one segment of a path; what climbs or leads out of the folder is none.
        if path.parent != folder or path.resolve().parent != folder.resolve() or not path.is_file():
            raise HTTPException(404)
        rules = policy([self.uploads] if self.uploads else ())
        return FileResponse(path, headers={"Cache-Control": keep, "Content-Security-Policy": rules})
