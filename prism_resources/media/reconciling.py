"""Rows of images, originals and the dead queue, brought together.

Belongs here: reading all three, and doing what can be done: the event once more, a state that says what
happened, a delete marker over what belongs to nobody. Does not belong here: what is wrong
(prism_core/media/reconciling.py).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.media.arrivals import Arrival, message_of, read_arrivals
from prism_core.media.reconciling import DRIVEN_AGAIN, Stored, Trouble, orphans, trouble_of
from prism_core.media.simulating import Drift, drift
from prism_core.media_tables import IMAGES
from prism_core.models.images import Analysis, Image, ImageState
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.events.queue import EventQueue
from prism_resources.failures import calling
from prism_resources.media.analyser import Analyser
from prism_resources.media.objects import Original, Originals
from prism_resources.media.pictures import MAX_BYTES, open_picture
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore

QUEUE, DEAD_QUEUE = "images", "images-dead"
ACTOR: Final = "system:reconciliation"
_MESSAGES: Final = 10


@dataclass(slots=True)
class Reconciled:
    """What was found and done, by count; `images` are looked at, `troubles` by image or object key."""

    images: int = 0
    objects: int = 0
    driven: int = 0
    marked: int = 0
    removed: int = 0
    dead: int = 0
    troubles: dict[str, Trouble] = field(default_factory=dict[str, Trouble])

    @property
    def counts(self) -> dict[str, int]:
        """By kind of trouble, each kind there is."""
        found = Counter(self.troubles.values())
        return {kind.value: found[kind] for kind in Trouble}


@dataclass(frozen=True, slots=True)
class Drifted:
    """An image that was looked at again: the models of then and now, and what they see differently."""

    image: Image
    before: Analysis
    after: Analysis
    labels: tuple[Drift, ...]


class Reconciling:
    """All images of a platform; in proportion to what there is, so once an hour and not in a call of the API."""

    def __init__(self, settings: Settings) -> None:
        dynamodb: Any = client(settings, "dynamodb")
        self._settings = settings
        self._images = TableReader(dynamodb, settings, IMAGES, Image)
        self._store = TableStore(dynamodb, settings, IMAGES, Image)
        self._originals = Originals(settings)
        self._queue, self._dead = EventQueue(settings, QUEUE), EventQueue(settings, DEAD_QUEUE)
        self._sqs: Any = client(settings, "sqs")

    def reconcile(self, now: datetime) -> Reconciled:
        """Raises TransientFailure when a service is busy; doing it again goes on where that ended."""
        done = Reconciled()
        self._empty_dead_queue(done)
        objects = dict(self._originals.listed())
        rows = list(self._rows())
        done.images, done.objects = len(rows), len(objects)
        for image in rows:
            self._look_at(image, objects, now, done)
        for key in orphans(objects, rows, now):
            done.troubles[key] = Trouble.ORPHAN
            self._originals.remove(key)
            done.removed += 1
        return done

    def analysed(self) -> Iterator[Image]:
        """Every image with an analysis, for simulations."""
        yield from self._images.query("by_state", state=ImageState.ANALYSED)

    def sample(self, size: int) -> list[Drifted]:
        """The latest images once more before the analyser as it is today. Nothing is stored, no row changes."""
        newest = self._images.query("by_state", state=ImageState.ANALYSED, backwards=True, limit=size)
        analyser = Analyser(self._settings)
        return [found for image in newest if (found := self._again(image, analyser)) is not None]

    def _again(self, image: Image, analyser: Analyser) -> Drifted | None:
        from prism_core.media.labels import read_answers  # noqa: PLC0415 - beside the sample nobody needs it

        before = image.analysis
        if before is None or image.object_version is None:
            return None
        data = self._originals.read(image.object_key, image.object_version, MAX_BYTES)
        if data is None:
            return None
        answers = analyser.look(open_picture(data, image.file_name).for_analysis())
        after = read_answers(answers, object_version=image.object_version, raw_key=before.raw_key, at=before.at)
        return Drifted(image, before, after, tuple(drift(before, after)))

    def _rows(self) -> Iterator[Image]:
        for state in ImageState:
            yield from self._images.query("by_state", state=state)

    def _look_at(self, image: Image, objects: dict[str, datetime], now: datetime, done: Reconciled) -> None:
        stored = self._stored(image, objects)
        found = None if stored is None else Stored(stored.object_version, stored.at)
        trouble = trouble_of(image, found, now)
        if trouble is None:
            return
        done.troubles[f"{image.article_id}/{image.image_id}"] = trouble
        if trouble is Trouble.DELETED:
            self._mark_gone(image, now)
            done.marked += 1
        elif trouble in DRIVEN_AGAIN and stored is not None:
            self._drive(image, stored)
            done.driven += 1

    def _stored(self, image: Image, objects: dict[str, datetime]) -> Original | None:
        """Only who may be in trouble is looked at one by one: an analysis stands as long as its key is listed, and
        its upload is not newer than it."""
        at = objects.get(image.object_key)
        if at is None:
            return None
        settled = image.state in {ImageState.ANALYSED, ImageState.REFUSED} and image.started is not None
        if settled and image.started is not None and at <= image.started and image.object_version is not None:
            return Original(image.object_key, image.object_version, image.bytes or 0, at)
        return self._originals.newest(image.object_key)

    def _drive(self, image: Image, stored: Original) -> None:
        arrival = Arrival(
            bucket=self._originals.bucket,
            key=image.object_key,
            object_version=stored.object_version,
            at=stored.at,
            size=stored.size,
            sequencer=image.sequencer if image.object_version == stored.object_version else None,
        )
        if self._queue.send([message_of(arrival)]):
            raise TransientFailure(f"the queue did not take {image.object_key}; the next run sends it again")

    def _mark_gone(self, image: Image, now: datetime) -> None:
        words = "its file was deleted; upload it again, or remove the image"
        self._store.update(
            image.model_copy(update={"state": ImageState.GONE, "reason": words}),
            expected_version=image.version,
            actor=ACTOR,
            reason="its file was deleted",
            request_id=f"gone-{image.image_id}-{image.version}",
            now=now,
        )

    def _empty_dead_queue(self, done: Reconciled) -> None:
        """What it holds is known from the rows: every upload that came to no end is stuck, and is driven again. A
        message that is none of S3 stays, and the check says so."""
        seen = set[str]()
        while True:
            with calling(DEAD_QUEUE, "read"):
                answer = self._sqs.receive_message(
                    QueueUrl=self._dead.url, MaxNumberOfMessages=_MESSAGES, VisibilityTimeout=60
                )
            messages = [one for one in answer.get("Messages", ()) if one["MessageId"] not in seen]
            if not messages:
                return
            for message in messages:
                seen.add(message["MessageId"])
                if _is_readable(message["Body"]):
                    with calling(DEAD_QUEUE, "empty"):
                        self._sqs.delete_message(QueueUrl=self._dead.url, ReceiptHandle=message["ReceiptHandle"])
                    done.dead += 1


def _is_readable(body: str) -> bool:
    try:
        return bool(read_arrivals(body))
    except PermanentFailure:
        return False
