"""Uploads: a link that takes one file, for what does not fit into a call.

Belongs here: handing out the link. Does not belong here: what is done with the file (imports.py, jobs.py).
"""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

from prism_api.api import documents, objects
from prism_api.api.answers import respond
from prism_api.api.calls import current
from prism_api.api.crud import Idempotency
from prism_api.api.problems import Problem
from prism_core.models.base import Model

_FILE_NAME = (
    r"^[A-Za-z0-9][A-Za-z0-9 _.()-]*\."
    r"([xX][lL][sS][xXmM]|[jJ][sS][oO][nN][lL]|[nN][dD][jJ][sS][oO][nN])$"
)
router = APIGatewayHttpRouter()


class UploadWish(Model):
    """A workbook for an import, or JSON lines for a job, with its exact size."""

    file_name: Annotated[
        str,
        Field(
            max_length=200,
            pattern=_FILE_NAME,
            examples=["allocations.xlsx"],
        ),
    ]
    bytes: Annotated[int, Field(ge=1, json_schema_extra={"maximum": objects.MAX_UPLOAD_BYTES}, examples=[48_211])]


class Upload(Model):
    """Where to PUT the file, with exactly these headers, within `seconds`. It is kept for a week."""

    upload_id: str
    url: str
    headers: dict[str, str]
    seconds: int


@router.post(
    "/api/uploads",
    **documents.operation("A link that takes a file", "uploads", Upload, status=HTTPStatus.CREATED),
)
def upload(body: Annotated[UploadWish, Body()], idempotency_key: Idempotency = None) -> Response[Upload]:
    """Size and type are part of the signature: a link for a small workbook takes nothing else."""
    if body.bytes > objects.MAX_UPLOAD_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The file has {body.bytes:,} bytes of at most {objects.MAX_UPLOAD_BYTES:,}; split it.",
        )
    call = current()
    upload_id, media = objects.new_id(call, "u"), objects.media_type(body.file_name)
    answer = Upload(
        upload_id=upload_id,
        url=objects.link_to_put(objects.upload_key(call, upload_id), media, body.bytes),
        headers={"content-type": media, "content-length": str(body.bytes)},
        seconds=objects.UPLOAD_SECONDS,
    )
    return respond(answer, HTTPStatus.CREATED)
