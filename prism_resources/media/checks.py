"""Whether uploads will be taken and looked at, before somebody uploads.

Belongs here: buckets, what S3 tells the queue, what is dead, and the analyser with one small picture. Does not
belong here: rows that are in trouble (reconciling.py). The picture is three questions, a fraction of a cent.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_core.failures import PrismFailure
from prism_core.media.keys import MEDIA_TYPES, ORIGINALS
from prism_core.media.labels import MODERATION
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.events.queue import EventQueue
from prism_resources.failures import calling, error_code
from prism_resources.media.analyser import Analyser
from prism_resources.media.reconciling import DEAD_QUEUE, QUEUE
from prism_resources.wire.findings import Finding, Level
from prism_resources.wire.patience import Patience

_MISSING: Final = frozenset({"404", "NoSuchBucket"})
_DEPLOY: Final = "deploy the media stack again (`prism up --once`)"
_SIDE: Final = 128


def check_media(settings: Settings, _now: datetime, _patience: Patience) -> Iterator[Finding]:
    """Findings of the buckets, the notification, the queues and the analyser."""
    yield from _buckets(settings)
    dead = EventQueue(settings, DEAD_QUEUE).waiting()
    if dead:
        said = f"{dead} uploads are in the dead queue; the hourly image_reconciliation drives them again"
        yield Finding("image queue", Level.WARNING, said)
    else:
        waiting = EventQueue(settings, QUEUE).waiting()
        yield Finding("image queue", Level.OK, f"{waiting} uploads wait, none is dead")
    yield _analyser(settings)


def _buckets(settings: Settings) -> Iterator[Finding]:
    s3: Any = client(settings, "s3")
    for bucket in (settings.originals_bucket, settings.media_bucket):
        with calling(f"bucket {bucket}", "look"):
            try:
                told = s3.get_bucket_notification_configuration(Bucket=bucket)
                versions = s3.get_bucket_versioning(Bucket=bucket).get("Status")
            except ClientError as error:
                if error_code(error) not in _MISSING:
                    raise
                yield Finding("image buckets", Level.FAILED, f"there is no bucket {bucket}; {_DEPLOY}")
                return
        if bucket == settings.originals_bucket:
            yield from _uploads(bucket, told, versions, f"{settings.name_prefix}-{QUEUE}")
    yield Finding("image buckets", Level.OK, "originals and copies have their buckets")


def _uploads(bucket: str, told: Mapping[str, Any], versions: str | None, queue: str) -> Iterator[Finding]:
    """Whether every kind of picture is told to the queue, and which version it was stays known."""
    if versions != "Enabled":
        yield Finding("image uploads", Level.FAILED, f"the bucket {bucket} keeps no versions; {_DEPLOY}")
    heard = {
        (rule["Name"].lower(), rule["Value"])
        for one in told.get("QueueConfigurations", ())
        if one["QueueArn"].endswith(f":{queue}")
        for rule in one.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    }
    unheard = sorted(ending for ending in MEDIA_TYPES if ("suffix", f".{ending}") not in heard)
    if unheard or ("prefix", ORIGINALS) not in heard:
        said = (
            f"the queue is not told of {', '.join(unheard) or ORIGINALS}: such uploads stay unanalysed; {_DEPLOY}"
        )
        yield Finding("image uploads", Level.FAILED, said)
    else:
        yield Finding("image uploads", Level.OK, f"the queue is told of {', '.join(MEDIA_TYPES)}")


def _analyser(settings: Settings) -> Finding:
    from prism_resources.media.pictures import grey_picture  # noqa: PLC0415 - Pillow, which the other checks spare

    try:
        answers = Analyser(settings).look(grey_picture(_SIDE))
    except PrismFailure as failure:  # access, the network, or packages of the stand-in: its words say which
        return Finding("image analyser", Level.FAILED, f"a small picture was not looked at: {failure}")
    model = answers[MODERATION].get("ModerationModelVersion", "of no version")
    return Finding("image analyser", Level.OK, f"a small picture was looked at, by {model}")
