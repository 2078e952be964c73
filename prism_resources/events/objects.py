"""Objects of the event pipeline in the lake bucket.

Belongs here: put, get and list with the store's own client, without the libraries of the lake: functions do this.
Does not belong here: what the objects say.
"""

from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

JSON, LINES = "application/json", "application/gzip"
# Who may not list a bucket is told that an object is forbidden when it does not exist.
_MISSING: Final = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})


class LostObject(PermanentFailure):
    """An object that a row names is gone."""


def put(settings: Settings, key: str, body: bytes, media: str) -> None:
    """Write one object whole. Writing the same again changes nothing."""
    with calling(key, "write"):
        client(settings, "s3").put_object(Bucket=settings.lake_bucket, Key=key, Body=body, ContentType=media)


def get(settings: Settings, key: str) -> bytes:
    """Raises LostObject when there is none."""
    with calling(key, "read"):
        try:
            return client(settings, "s3").get_object(Bucket=settings.lake_bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise LostObject(f"s3://{settings.lake_bucket}/{key} is gone") from error
            raise


def keys(settings: Settings, prefix: str) -> Iterator[str]:
    """The keys below a prefix in their order, page by page."""
    with calling(prefix, "list"):
        for page in (
            client(settings, "s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=settings.lake_bucket, Prefix=prefix)
        ):
            yield from (found["Key"] for found in page.get("Contents", ()) if "Key" in found)
