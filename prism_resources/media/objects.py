"""The objects of images: originals by version, raw answers, public copies, and the form that takes an upload.

Belongs here: reading and writing them. Does not belong here: their keys (prism_core/media/keys.py) and what is
in a picture (pictures.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_core.failures import PermanentFailure
from prism_core.media.keys import MEDIA_TYPES, ORIGINALS, ending_of
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

# Who may not list a bucket is told that an object is forbidden when it does not exist.
_MISSING: Final = frozenset(
    {"NoSuchKey", "NoSuchVersion", "AccessDenied", "MethodNotAllowed", "404", "403", "405"}
)
# Who may list it is told the truth, and must not take a right that is missing for a file that is.
_NOT_LISTED: Final = frozenset({"NoSuchKey", "404"})
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_JSON: Final = "application/json"


class TooLarge(PermanentFailure):
    """The object has more bytes than may be read; none was."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the object has {size:,} bytes")


@dataclass(frozen=True, slots=True)
class Original:
    """An original as S3 lists it: its newest version."""

    key: str
    object_version: str
    size: int
    at: datetime


class Originals:
    """The private bucket that people upload into. Nothing here ever writes an object."""

    def __init__(self, settings: Settings, s3: Any = None) -> None:
        """Through `s3` where a caller has limits of its own."""
        self.bucket = settings.originals_bucket
        self._s3: Any = s3 or client(settings, "s3")

    def form(self, key: str, most: int, seconds: int) -> dict[str, Any]:
        """`url` and `fields` of a POST that takes one file of this key and type, of 1 to `most` bytes."""
        media = MEDIA_TYPES[ending_of(key)]
        form: dict[str, Any] = self._s3.generate_presigned_post(
            Bucket=self.bucket,
            Key=key,
            Fields={"Content-Type": media},
            Conditions=[{"Content-Type": media}, ["content-length-range", 1, most]],
            ExpiresIn=seconds,
        )
        return form

    def read(self, key: str, object_version: str, most: int) -> bytes | None:
        """The bytes of one version; None when it is gone, or its key was deleted since. Raises TooLarge without
        reading, TransientFailure."""
        with calling(key, "read"):
            try:
                # Nearly always it is the newest. Asked by its version it would be there behind a delete marker.
                answer = self._s3.get_object(Bucket=self.bucket, Key=key)
                if answer.get("VersionId", object_version) != object_version:
                    answer["Body"].close()
                    answer = self._s3.get_object(Bucket=self.bucket, Key=key, VersionId=object_version)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
            if answer["ContentLength"] > most:
                answer["Body"].close()
                raise TooLarge(answer["ContentLength"])
            data: bytes = answer["Body"].read()
            return data

    def newest(self, key: str) -> Original | None:
        """The newest version of a key; None when there is none, or it was deleted. For who may list the bucket."""
        with calling(key, "look at"):
            try:
                answer = self._s3.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _NOT_LISTED:
                    return None
                raise
        version = str(answer.get("VersionId") or "null")
        return Original(key, version, int(answer["ContentLength"]), answer["LastModified"])

    def listed(self) -> Iterator[Original]:
        """The newest version of every original that is not deleted."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=ORIGINALS)
        with calling(self.bucket, "list"):
            for page in pages:
                for one in page.get("Versions", ()):
                    if one["IsLatest"]:
                        yield Original(one["Key"], one["VersionId"], int(one["Size"]), one["LastModified"])

    def remove(self, key: str) -> None:
        """Put a delete marker; its versions stay until the bucket's rule takes them."""
        with calling(key, "delete"):
            self._s3.delete_object(Bucket=self.bucket, Key=key)


class Made:
    """The bucket of what PRISM makes of images."""

    def __init__(self, settings: Settings, s3: Any = None) -> None:
        """Through `s3` where a caller has limits of its own."""
        self.bucket = settings.media_bucket
        self._s3: Any = s3 or client(settings, "s3")

    def read(self, key: str) -> bytes | None:
        """The bytes of an object; None when there is none."""
        with calling(key, "read"):
            try:
                answer = self._s3.get_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
            data: bytes = answer["Body"].read()
            return data

    def listed(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Every object below a prefix, and when it was written. For who may list the bucket."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with calling(self.bucket, "list"):
            for page in pages:
                for one in page.get("Contents", ()):
                    yield one["Key"], one["LastModified"]

    def remove(self, key: str) -> None:
        """Delete an object; nothing happens when there is none."""
        with calling(key, "delete"):
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def write(self, key: str, body: bytes, media: str) -> None:
        """Replaces what is there: the same version of an image always makes the same copies."""
        with calling(key, "write"):
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=media)

    def write_once(self, key: str, body: bytes) -> bool:
        """Whether this call wrote the object: of two at once one does, and neither overwrites the other's."""
        with calling(key, "write"):
            try:
                self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=_JSON, IfNoneMatch="*")
            except ClientError as error:
                if error_code(error) not in _TAKEN:
                    raise
                return False
        return True
