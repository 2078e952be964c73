"""Rows of images, originals and the dead queue, brought together.

Belongs here: reading all three, and doing what can be done: the event once more, a state that says what
happened, a delete marker over what belongs to nobody. Does not belong here: what is wrong
(prism_core/media/reconciling.py) and public copies (upkeep.py).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from prism_core.failures import PermanentFailure, StaleVersion, TransientFailure
from prism_core.media.arrivals import Arrival, message_of, read_arrivals
from prism_core.media.keys import read_original
from prism_core.media.reconciling import (
    DRIVEN_AGAIN,
    MOST_ATTEMPTS,
    ORPHAN_AFTER,
    Stored,
    Trouble,
    orphans,
    trouble_of,
)
from prism_core.media.simulating import Drift, drift
from prism_core.media_tables import IMAGES
from prism_core.models.changes import Change, Operation
from prism_core.models.images import Analysis, Image, ImageState
from prism_core.settings import Settings
from prism_core.tables import CHANGELOG
from prism_resources.aws import client
from prism_resources.events.queue import EventQueue
from prism_resources.failures import calling
from prism_resources.media.analyser import Analyser
from prism_resources.media.objects import Original, Originals
from prism_resources.media.pictures import MAX_BYTES, open_picture
from prism_resources.media.upkeep import CopiesUpkeep
from prism_resources.tables.codec import Attribute, decode, decode_key
from prism_resources.tables.reader import TableReader
from prism_resources.tables.store import TableStore

QUEUE, DEAD_QUEUE = "images", "images-dead"
ACTOR: Final = "system:reconciliation"
_MESSAGES: Final = 10


@dataclass(slots=True)
class Reconciled:
    """What was found and done, by count; `images` are looked at, `drawn` had lost public copies. `troubles` are by
    image, object key or folder of copies; `words` are about rows that are no image, and copies that cannot be
    drawn again, by image."""

    images: int = 0
    objects: int = 0
    driven: int = 0
    marked: int = 0
    given_up: int = 0
    removed: int = 0
    drawn: int = 0
    dead: int = 0
    troubles: dict[str, Trouble] = field(default_factory=dict[str, Trouble])
    words: dict[str, str] = field(default_factory=dict[str, str])

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
        self._changes = TableReader(dynamodb, settings, CHANGELOG, Change)
        self._originals, self._copies = Originals(settings), CopiesUpkeep(settings)
        self._queue, self._dead = EventQueue(settings, QUEUE), EventQueue(settings, DEAD_QUEUE)
        self._sqs: Any = client(settings, "sqs")

    def reconcile(self, now: datetime) -> Reconciled:
        """Raises TransientFailure when a service is busy; doing it again goes on where that ended."""
        done = Reconciled()
        self._empty_dead_queue(done)
        objects = {one.key: Stored(one.object_version, one.at) for one in self._originals.listed()}
        known = set[str]()
        for raw in self._rows():
            known.add(str(raw.get("object_key", {}).get("S", "")))
            self._look_at(raw, objects, now, done)
        done.images, done.objects = len(known), len(objects)
        for key in orphans(objects, known, now):
            self._remove(key, now, done)
        self._keep_copies(now, done)
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

    def _rows(self) -> Iterator[Attribute]:
        """As they are stored: one that is no image must not hide the others."""
        seen = set[tuple[str, ...]]()
        for state in ImageState:
            for raw in self._images.raw(IMAGES.condition("by_state", {"state": state})):
                name = tuple(decode_key({part: raw[part] for part in IMAGES.key_parts}).values())
                if name not in seen:  # it may have come to another state between two queries
                    seen.add(name)
                    yield raw

    def _look_at(self, raw: Attribute, objects: Mapping[str, Stored], now: datetime, done: Reconciled) -> None:
        name = "/".join(decode_key({part: raw[part] for part in IMAGES.key_parts}).values())
        try:
            image = decode(IMAGES, Image, raw)
        except PermanentFailure as failure:
            done.troubles[name], done.words[name] = Trouble.UNREADABLE, str(failure)
            return
        if trouble_of(image, objects.get(image.object_key), now) is None:
            return
        # The list is older than the row, and a file may have come between: a verdict needs a look of its own.
        stored = self._originals.newest(image.object_key)
        found = None if stored is None else Stored(stored.object_version, stored.at)
        trouble = trouble_of(image, found, now)
        if trouble is None:
            return
        if trouble is Trouble.DELETED:
            words = "its file was deleted; upload it again, or remove the image"
            if image.state is not ImageState.GONE:
                if not self._mark(image, ImageState.GONE, words, now):
                    return
                done.marked += 1
        elif trouble is Trouble.HOPELESS:
            words = (
                f"the analysis was begun {MOST_ATTEMPTS} times and came to no end; upload the picture "
                "again, smaller or in another format, or remove the image"
            )
            if (image.state, image.reason) != (ImageState.FAILED, words):
                if not self._mark(image, ImageState.FAILED, words, now):
                    return
                done.given_up += 1
        elif trouble in DRIVEN_AGAIN and stored is not None:
            self._drive(image, stored)
            done.driven += 1
        done.troubles[name] = trouble

    def _keep_copies(self, now: datetime, done: Reconciled) -> None:
        kept = self._copies.keep(now)
        done.drawn = kept.drawn
        done.troubles |= dict.fromkeys(kept.unshown, Trouble.UNSHOWN)
        for name, why in kept.undrawn.items():
            done.troubles[name], done.words[name] = Trouble.UNDRAWN, f"image {name} is shown broken: {why}"

    def _remove(self, key: str, now: datetime, done: Reconciled) -> None:
        """Put a delete marker on a file that belongs to no image at this moment either."""
        if self._is_named(key):
            return
        stored = self._originals.newest(key)
        if stored is None or now - stored.at < ORPHAN_AFTER or self._may_come_back(key, now):
            return
        done.troubles[key] = Trouble.ORPHAN
        self._originals.remove(key)
        done.removed += 1

    def _is_named(self, key: str) -> bool:
        try:
            original = read_original(key)
        except PermanentFailure:  # nobody handed it out
            return False
        parts = {"article_id": original.article_id, "image_id": original.image_id}
        raw = self._images.read(IMAGES.key(parts))
        return raw is not None and raw.get("object_key") == {"S": key}

    def _may_come_back(self, key: str, now: datetime) -> bool:
        """Whether its row was deleted so lately that somebody may still take that back."""
        try:
            original = read_original(key)
        except PermanentFailure:
            return False
        row = IMAGES.key({"article_id": original.article_id, "image_id": original.image_id})
        newest = self._changes.query("by_item", item_key=IMAGES.item_key(row), backwards=True, limit=1)
        # The index may not have a deletion of this moment yet.
        return any(one.operation is not Operation.DELETE or now - one.instant < ORPHAN_AFTER for one in newest)

    def _drive(self, image: Image, stored: Original) -> None:
        arrival = Arrival(
            bucket=self._originals.bucket,
            key=image.object_key,
            object_version=stored.object_version,
            at=stored.at,
            size=stored.size,
            sequencer=image.sequencer if image.object_version == stored.object_version else None,
            seen=image.object_version,
        )
        if self._queue.send([message_of(arrival)]):
            raise TransientFailure(f"the queue did not take {image.object_key}; the next run sends it again")

    def _mark(self, image: Image, state: ImageState, words: str, now: datetime) -> bool:
        """Whether the row says so now; not when somebody wrote it since it was read: the next run looks again."""
        try:
            self._store.update(
                image.model_copy(update={"state": state, "reason": words}),
                expected_version=image.version,
                actor=ACTOR,
                reason=words,
                request_id=f"{state}-{image.image_id}-{image.version}",
                now=now,
            )
        except StaleVersion:
            return False
        return True

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
