"""Rekognition, asked about one picture.

Belongs here: the calls, how long each may take, and what its errors mean. Does not belong here: what the answers
mean (prism_core/media/labels.py). On one machine the endpoint is our stand-in; the calls are the same.
"""

import time
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_core.failures import TransientFailure
from prism_core.media.labels import LABELS, MODERATION, TEXT
from prism_core.media.thresholds import LEAST_CONFIDENCE
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.media.pictures import NotAPicture

# The queue tries again, later each time.
_ATTEMPTS: Final = 2
_PAUSE_SECONDS: Final = 0.5
# For how long an answer is waited for: the longest of these that is left; a function never has the first. An
# analyser takes one or two seconds; one that loads its models on a machine with other things to do, many more.
_PATIENCE: Final = (60, 20, 10, 5)
_MOST_LABELS: Final = 50
# Of the picture itself: asking again cannot help. A parameter that is not valid is our own fault.
_OF_THE_PICTURE: Final = frozenset({"InvalidImageFormatException", "ImageTooLargeException"})
Answers = dict[str, dict[str, Any]]


class Analyser:
    """The three questions, each once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self, jpeg: bytes, until: float | None = None) -> Answers:
        """What is seen, what is unsuitable, and what is written, by `until` (of time.monotonic) if given.

        Raises NotAPicture, TransientFailure when it is busy or there is no time left, PermanentFailure when it
        refuses us.
        """
        image = {"Bytes": jpeg}
        features = ["GENERAL_LABELS", "IMAGE_PROPERTIES"]
        some: dict[str, Any] = {"Image": image, "MinConfidence": LEAST_CONFIDENCE}
        labels = self._ask("detect_labels", until, **some, MaxLabels=_MOST_LABELS, Features=features)
        moderation = self._ask("detect_moderation_labels", until, **some)
        text = self._ask("detect_text", until, Image=image)
        return {LABELS: labels, MODERATION: moderation, TEXT: text}

    def _ask(self, question: str, until: float | None, **asked: Any) -> dict[str, Any]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._asked(question, until, asked)
            except TransientFailure:
                if attempt == _ATTEMPTS or _patience(until) is None:
                    raise
                time.sleep(_PAUSE_SECONDS)
        raise AssertionError("the last attempt answers or raises")

    def _asked(self, question: str, until: float | None, asked: dict[str, Any]) -> dict[str, Any]:
        seconds = _patience(until)
        if seconds is None:
            raise TransientFailure("analysis of an image: the function has no time left for it; try again later")
        rekognition = client(self._settings, "rekognition", attempts=1, read_seconds=seconds)
        with calling("an image", "analysis"):
            try:
                answer: dict[str, Any] = getattr(rekognition, question)(**asked)
            except ClientError as error:
                if error_code(error) in _OF_THE_PICTURE:
                    said = error.response.get("Error", {}).get("Message", "")
                    raise NotAPicture(f"the analyser does not take the picture: {said}") from error
                raise
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _patience(until: float | None) -> int | None:
    """Seconds that an answer is waited for; None when not even the shortest wait is left."""
    left = _PATIENCE[0] if until is None else until - time.monotonic()
    return next((seconds for seconds in _PATIENCE if seconds <= left), None)
