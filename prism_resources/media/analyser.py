"""Rekognition, asked about one picture.

Belongs here: the calls, and what its errors mean. Does not belong here: what the answers mean
(prism_core/media/labels.py). On one machine the endpoint is our stand-in; the calls are the same.
"""

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_core.media.labels import LABELS, MODERATION, TEXT
from prism_core.media.thresholds import LEAST_CONFIDENCE
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.media.pictures import NotAPicture

# The queue tries again, later each time; more would outlast the function.
_ATTEMPTS: Final = 2
_MOST_LABELS: Final = 50
# Of the picture itself: asking again cannot help.
_OF_THE_PICTURE: Final = frozenset(
    {"InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"}
)
Answers = dict[str, dict[str, Any]]


class Analyser:
    """The three questions, each once."""

    def __init__(self, settings: Settings) -> None:
        self._rekognition = client(settings, "rekognition", attempts=_ATTEMPTS)

    def look(self, jpeg: bytes) -> Answers:
        """What is seen, what is unsuitable, and what is written. Raises NotAPicture, TransientFailure when it is
        busy, PermanentFailure when it refuses us."""
        image = {"Bytes": jpeg}
        labels = self._ask(
            self._rekognition.detect_labels,
            Image=image,
            MaxLabels=_MOST_LABELS,
            MinConfidence=LEAST_CONFIDENCE,
            Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"],
        )
        moderation = self._ask(
            self._rekognition.detect_moderation_labels, Image=image, MinConfidence=LEAST_CONFIDENCE
        )
        text = self._ask(self._rekognition.detect_text, Image=image)
        return {LABELS: labels, MODERATION: moderation, TEXT: text}

    @staticmethod
    def _ask(question: Callable[..., dict[str, Any]], **asked: Any) -> dict[str, Any]:
        with calling("an image", "analysis"):
            try:
                answer = question(**asked)
            except ClientError as error:
                if error_code(error) in _OF_THE_PICTURE:
                    said = error.response.get("Error", {}).get("Message", "")
                    raise NotAPicture(f"the analyser does not take the picture: {said}") from error
                raise
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
