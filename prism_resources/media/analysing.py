"""One upload from its event to the image's row: the same whoever brings the event, and however often.

Belongs here: the order of steps, each of which can be repeated, and which failure leaves which state. Does not
belong here: queues (prism_api/images), what a step writes (prism_core/media/steps.py), pixels (pictures.py).
The analyser's answer is stored before anything rests on it, once a version: who comes after a kill takes that
answer.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from prism_core import clock
from prism_core.failures import PermanentFailure, PrismFailure, TransientFailure
from prism_core.media import steps
from prism_core.media.arrivals import Arrival, Due, due, lease_left
from prism_core.media.keys import raw_key
from prism_core.media.labels import read_answers, suggested_alt
from prism_core.models.base import instant_text
from prism_core.models.images import Image, ImageState
from prism_core.settings import Settings
from prism_resources.media.analyser import Analyser, Answers
from prism_resources.media.objects import TooLarge
from prism_resources.media.pictures import MAX_BYTES, NotAPicture, open_picture
from prism_resources.media.services import Change, Services, write_over
from prism_resources.tables.store import TableStore

# A picture that is begun with less time would not be looked at, and hold up whoever has more.
_LEAST_SECONDS: Final = 13
# How often S3 and DynamoDB are asked, and for how many seconds each time. A service that hangs must not outlast
# the function: a call that is killed says nothing, and counts as a try of the picture.
_PATIENT: Final = (2, 5)
_HURRIED: Final = (1, 2)
# What must be left for who is patient: twice five seconds, and the pause between.
_PATIENT_SECONDS: Final = 12


@dataclass(slots=True)
class Done:
    """What came of an event; `seconds` by step: `analyser` is the analyser's own time. `again` says when a
    busy one is worth another look, in seconds."""

    due: Due
    again: float = 0.0
    state: ImageState | None = None
    seconds: dict[str, float] = field(default_factory=dict[str, float])


class Analysing:
    """The connections that analyses need, kept for the next one. One upload at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._until: float | None = None

    @cached_property
    def _analyser(self) -> Analyser:
        return Analyser(self._settings)

    @cached_property
    def _patient(self) -> Services:
        return Services(self._settings, *_PATIENT)

    @cached_property
    def _hurried(self) -> Services:
        return Services(self._settings, *_HURRIED)

    @property
    def _services(self) -> Services:
        hurry = self._until is not None and self._until - time.monotonic() < _PATIENT_SECONDS
        return self._hurried if hurry else self._patient

    @property
    def _images(self) -> TableStore[Image]:
        return self._services.images

    def handle(self, arrival: Arrival, until: float | None = None, tried: int = 1) -> Done:
        """Bring an upload to its end, asking the analyser by `until` (of time.monotonic) alone; its event is here
        for the `tried`-th time. Raises TransientFailure, or what nobody foresaw, when it is to be tried again; all
        else is in the row."""
        self._until = until
        if until is not None and until - time.monotonic() < _LEAST_SECONDS:
            raise TransientFailure(f"{arrival.key}: the function has no time left for it; try again later")
        now = clock.now()
        original = arrival.original
        image = self._images.get(article_id=original.article_id, image_id=original.image_id)
        what = due(image, arrival, now)
        if what is not Due.ANALYSE or image is None:
            return _not_begun(what, image, now)
        # A begin tells others to keep off, closes the gate and counts tries: a first upload whose event is new has
        # no others, no open gate and no tries. Whoever comes after a kill begins.
        first = tried == 1 and arrival.sequencer is not None and image.state is ImageState.WAITING
        if first and image.object_version is None:
            return self._brought(image, arrival, now, until)
        begun = self._write(image, "begin", lambda current: steps.begun(current, arrival, now))
        if begun is None:  # another call was faster, and may still come to no end
            current = self._images.get(article_id=original.article_id, image_id=original.image_id)
            what = due(current, arrival, now)
            return _not_begun(Due.BUSY if what is Due.ANALYSE else what, current, now)
        again = tried > 1 or begun.attempts > 1 or image.object_version == arrival.object_version
        return self._brought(begun, arrival, now, until, again=again)

    def _brought(
        self, row: Image, arrival: Arrival, now: datetime, until: float | None, *, again: bool = False
    ) -> Done:
        """To its end. `again`: it was begun before, and may have its answer."""
        begun = row.model_copy(update=steps.begun(row, arrival, now) or {})
        done = Done(Due.ANALYSE)
        try:
            found = self._found(begun, arrival, done, again=again, until=until)
        except TransientFailure:
            self._release(row, arrival, outage=True)
            raise
        except NotAPicture as refused:
            found = {"state": ImageState.REFUSED, "reason": str(refused)}
        except TooLarge as large:
            words = f"the file has {large.size:,} bytes of at most {MAX_BYTES:,}; export it smaller"
            found = {"state": ImageState.REFUSED, "reason": words, "bytes": large.size}
        except PermanentFailure as failure:
            found = {"state": ImageState.FAILED, "reason": f"the analysis is not possible: {failure}"}
        except Exception:
            self._release(row, arrival, outage=False)
            raise
        written = self._write(row, "end", lambda current: steps.at_once(current, arrival, now, found))
        done.state = None if written is None else written.state
        return done

    def give_up(self, arrival: Arrival, failure: Exception) -> None:
        """Say in the row why there is no analysis yet; the dead queue keeps the event."""
        original = arrival.original
        image = self._images.get(article_id=original.article_id, image_id=original.image_id)
        foreseen = isinstance(failure, PrismFailure)
        why = str(failure) if foreseen else f"an error that nobody foresaw ({type(failure).__name__})"
        outage = isinstance(failure, TransientFailure)
        if image is not None:
            self._write(image, "give-up", lambda current: steps.given_up(current, arrival, why, outage=outage))

    def _release(self, begun: Image, arrival: Arrival, *, outage: bool) -> None:
        with suppress(PrismFailure):
            self._write(begun, "release", lambda current: steps.released(current, arrival, outage=outage))

    def _found(
        self, image: Image, arrival: Arrival, done: Done, *, again: bool, until: float | None
    ) -> dict[str, Any]:
        """The fields that an analysis sets. `again`: this upload was begun before, and may have its answer.
        Raises NotAPicture, TooLarge, TransientFailure, PermanentFailure."""
        began = time.perf_counter()
        data = self._services.originals.read(arrival.key, arrival.object_version, MAX_BYTES)
        if data is None:
            words = "its file was deleted before it was analysed; upload it again, or remove the image"
            return {"state": ImageState.GONE, "reason": words}
        picture = open_picture(data, image.file_name)
        key = raw_key(image.article_id, image.image_id, arrival.object_version)
        # Who is the first to begin finds no answer; who comes later may come after a kill.
        known = self._services.made.read(key) if again else None
        raw = known or self._asked(key, picture.for_analysis(), arrival, done, until)
        stored: Any = msgspec.json.decode(raw)
        at = datetime.fromisoformat(stored["at"])
        analysis = read_answers(stored["answers"], object_version=arrival.object_version, raw_key=key, at=at)
        done.seconds["own"] = time.perf_counter() - began - done.seconds.get("analyser", 0.0)
        return {
            "state": ImageState.ANALYSED,
            "reason": "",
            "bytes": len(data),
            "format": picture.format,
            "width": picture.width,
            "height": picture.height,
            "orientation": picture.orientation,
            "analysis": analysis,
            "alt_suggestion": suggested_alt(analysis) or image.alt_suggestion,
        }

    def _asked(self, key: str, jpeg: bytes, arrival: Arrival, done: Done, until: float | None) -> bytes:
        began = time.perf_counter()
        answers: Answers = self._analyser.look(jpeg, until)
        done.seconds["analyser"] = time.perf_counter() - began
        said = {
            "bucket": arrival.bucket,
            "key": arrival.key,
            "object_version": arrival.object_version,
            "at": instant_text(clock.now()),
            "answers": answers,
        }
        raw = msgspec.json.encode(said)
        if self._services.made.write_once(key, raw):
            return raw
        return self._services.made.read(key) or raw  # somebody else was faster: one answer a version

    def _write(self, image: Image, step: str, change: Change) -> Image | None:
        """The row with a change; None when it is not wanted any more."""
        return write_over(self._images, image, change, step=step, reason=f"{step} of the analysis")


def _not_begun(what: Due, image: Image | None, now: datetime) -> Done:
    return Done(what, again=0.0 if image is None else lease_left(image, now))
