"""Files on their way in or out: uploads, exports, the rows and results of jobs, below their prefixes of the lake.

Belongs here: where they lie, reading and writing them, and links that let a browser do so without us: a call of
the API takes 1 MiB. Does not belong here: what is in them.
"""

import hashlib
from http import HTTPStatus
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_api.api.problems import FieldError, Problem, invalid
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.lake import AUDIT_EXPORTS, EXPORTS, UPLOADS
from prism_resources.failures import calling, error_code

MIB: Final = 1024 * 1024
# A workbook of this size is read, judged and written within one call.
MAX_UPLOAD_BYTES: Final = 16 * MIB
UPLOAD_SECONDS: Final = 900
LINK_SECONDS: Final = 300
UPLOAD_ID: Final = r"^u-[0-9a-z]{26}$"
_ENDINGS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "ndjson": "application/x-ndjson",
}
# Who may not list a bucket is told that an object is forbidden when it does not exist.
_MISSING: Final = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})


def media_type(file_name: str) -> str:
    """By the ending of a name."""
    return _ENDINGS[file_name.rpartition(".")[2].lower()]


def new_id(call: Call, letter: str) -> str:
    """An id for what this call makes. A repeated call makes it again."""
    digest = hashlib.sha256(f"{call.request_id} {call.caller.sub}".encode()).digest()
    return f"{letter}-{ulid(call.now, digest[:ULID_RANDOM_BYTES]).lower()}"


def upload_key(call: Call, upload_id: str) -> str:
    """Where an upload of this caller lies; nobody else's can be named."""
    return f"{UPLOADS}{_folder(call)}/{upload_id}"


def export_key(call: Call, file_name: str) -> str:
    """Where a file for this caller is put."""
    return f"{EXPORTS}{_folder(call)}/{new_id(call, 'x')}/{file_name}"


def audit_key(call: Call) -> str:
    """Where it is kept that this call was given a file; by day, in order."""
    return f"{AUDIT_EXPORTS}{call.now:%Y-%m-%d}/{call.now:%Y%m%dT%H%M%S%fZ}-{new_id(call, 'x')}.json"


def uploaded(call: Call, upload_id: str, most: int = MAX_UPLOAD_BYTES) -> bytes:
    """The bytes of an upload. Raises Problem 422 when there is none, 413 when it is larger than `most`."""
    data = get(upload_key(call, upload_id), most)
    if data is None:
        raise invalid((FieldError("body.upload_id", "nothing of yours was uploaded under this id"),))
    return data


def link_to_put(key: str, media: str, size: int) -> str:
    """A link that takes exactly this size and type, for a quarter of an hour."""
    return _link("put_object", UPLOAD_SECONDS, Key=key, ContentType=media, ContentLength=size)


def link_to_get(key: str, file_name: str) -> str:
    """A link that gives the file to a browser under a name, for five minutes."""
    return _link(
        "get_object",
        LINK_SECONDS,
        Key=key,
        ResponseContentDisposition=f'attachment; filename="{file_name}"',
        ResponseContentType=media_type(file_name),
    )


def put(key: str, body: bytes, media: str) -> None:
    """Raises TransientFailure when the service is busy."""
    with calling(key, "write"):
        backend.s3().put_object(Bucket=backend.settings().lake_bucket, Key=key, Body=body, ContentType=media)


def get(key: str, most: int | None = None) -> bytes | None:
    """The bytes of an object; None when there is none. Raises Problem 413 beyond `most` without reading it."""
    with calling(key, "read"):
        try:
            answer = backend.s3().get_object(Bucket=backend.settings().lake_bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        if most is not None and answer["ContentLength"] > most:
            answer["Body"].close()
            size = answer["ContentLength"]
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The file has {size:,} bytes of at most {most:,}.")
        data: bytes = answer["Body"].read()
        return data


def any_below(prefix: str) -> bool:
    """Whether there is an object whose key begins so. Whose keys the API may list says its role."""
    with calling(prefix, "look for"):
        bucket = backend.settings().lake_bucket
        return backend.s3().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"] > 0


def _link(operation: str, seconds: int, **parameters: Any) -> str:
    place = {"Bucket": backend.settings().lake_bucket, **parameters}
    url: str = backend.s3().generate_presigned_url(operation, Params=place, ExpiresIn=seconds)
    return url


def _folder(call: Call) -> str:
    return hashlib.sha256(call.caller.sub.encode()).hexdigest()
