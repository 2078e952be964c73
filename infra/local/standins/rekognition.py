"""Rekognition as far as PRISM asks it, on loopback: JSON 1.1 over one path, the operation in a header.

Belongs here: the wire, its limits and its errors. Does not belong here: what is seen (vision.py) and faults
(faults.py).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.standins.faults import rekognition_error
from infra.local.standins.vision import MIN_SIDE, ModelsMissing, Vision, opened

TARGET: Final = "x-amz-target"
MEDIA: Final = "application/x-amz-json-1.1"
_SERVICE: Final = "RekognitionService."
_MAX_BYTES: Final = 5 * 1024 * 1024
_LEAST: Final = {"DetectLabels": 55.0, "DetectModerationLabels": 50.0, "DetectText": 0.0}
_LISTS: Final = {"DetectLabels": "Labels", "DetectModerationLabels": "ModerationLabels"}


class Rekognition:
    """Three operations, whatever picture is sent with them."""

    def __init__(self) -> None:
        self._vision = Vision()

    def routes(self) -> list[Route]:
        # Clients of AWS leave the last slash of an address out, and follow no redirection.
        return [Route(path, self._ask, methods=["POST"]) for path in ("/rekognition", "/rekognition/")]

    async def _ask(self, request: Request) -> Response:
        body = await request.body()
        if not request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return _refused("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
        operation = request.headers.get(TARGET, "").removeprefix(_SERVICE)
        if operation not in _LEAST:
            return _refused("UnknownOperationException", f"the stand-in does not know {operation!r}")
        try:
            asked = json.loads(body)
            data = base64.b64decode(asked["Image"]["Bytes"], validate=True)
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            return _refused("InvalidParameterException", f"the stand-in takes Image.Bytes alone: {error!r}")
        if len(data) > _MAX_BYTES:
            return _refused("ImageTooLargeException", f"Request has {len(data):,} image bytes of {_MAX_BYTES:,}")
        return await run_in_threadpool(self._answer, operation, asked, data)

    def _answer(self, operation: str, asked: Mapping[str, Any], data: bytes) -> Response:
        try:
            image = opened(data)
            if min(image.size) < MIN_SIDE:
                return _refused("InvalidParameterException", f"Image has {image.size} pixels, {MIN_SIDE} at least")
            found = self._seen(operation, image, data)
        except ModelsMissing as missing:
            return _refused("ModelsMissingException", str(missing))
        except ValueError as error:
            return _refused("InvalidImageFormatException", f"Request has invalid image format: {error}")
        least = float(asked.get("MinConfidence", _LEAST[operation]))
        if operation in _LISTS:
            name = _LISTS[operation]
            found[name] = [one for one in found[name] if one["Confidence"] >= least]
        if operation == "DetectLabels" and "IMAGE_PROPERTIES" not in asked.get("Features", ()):
            del found["ImageProperties"]
        return Response(json.dumps(found), media_type=MEDIA)

    def _seen(self, operation: str, image: Any, data: bytes) -> dict[str, Any]:
        if operation == "DetectLabels":
            return self._vision.labels(image, data)
        if operation == "DetectModerationLabels":
            return self._vision.moderation(data)
        return self._vision.text(image)


def _refused(kind: str, message: str, status: int = 400) -> Response:
    return Response(json.dumps(rekognition_error(kind, message)), status, media_type=MEDIA)
