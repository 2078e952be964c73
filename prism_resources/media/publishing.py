"""Having the public copies of pictures drawn, from the call that makes them public.

Belongs here: asking the function that draws for several at once, for a bounded time, and what it answers. Does not
belong here: drawing (copying.py, whose libraries the API does without) and who may publish.
"""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from prism_core.failures import TransientFailure
from prism_core.models.images import Image
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling

FUNCTION: Final = "copies"
# The keys of its answer.
DRAWN, REFUSED, LATER = "drawn", "refused", "later"
# One of the largest pictures, a PNG of 15 MB with 50 megapixels, takes 0.6 s on a fast core; two to three are
# reckoned with on Lambda: thirty of them in fifteen. On one machine each has a process of 350 MB meanwhile.
_AT_ONCE: Final = 6
# For how long an answer is waited for: the longest of these that is left of the whole. The API answers within 29
# seconds. What is still being drawn then comes to its end all the same, and is there when somebody asks again.
_WHOLE_SECONDS: Final = 21
_PATIENCE: Final = (20, 10, 5)


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A picture without public copies, and why. `passes`: asking again may help."""

    image_id: str
    why: str
    passes: bool


def draw_copies(settings: Settings, images: Sequence[Image]) -> list[Undrawn]:
    """Have the copies of these uploads drawn; answers those that have none after 21 seconds at most. Raises
    PermanentFailure when the function may not be called."""
    until = time.monotonic() + _WHOLE_SECONDS
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda image: _asked(settings, image, until), images)
        return [one for one in found if one is not None]


def _asked(settings: Settings, image: Image, until: float) -> Undrawn | None:
    left = until - time.monotonic()
    seconds = next((one for one in _PATIENCE if one <= left), None)
    if seconds is None:
        return Undrawn(image.image_id, "no time was left for it", passes=True)
    name = f"{settings.name_prefix}-{FUNCTION}"
    names = ("article_id", "image_id", "object_version")
    asked = json.dumps({one: getattr(image, one) for one in names}).encode()
    try:
        with calling(name, "call"):
            functions = client(settings, "lambda", attempts=1, read_seconds=seconds)
            answer = functions.invoke(FunctionName=name, Payload=asked)
            said = json.loads(answer["Payload"].read())
    except TransientFailure as failure:
        return Undrawn(image.image_id, str(failure), passes=True)
    if "FunctionError" in answer:
        return Undrawn(image.image_id, f"the function {name} failed, and its log says of what", passes=True)
    return _read(image.image_id, said)


def _read(image_id: str, said: Mapping[str, Any]) -> Undrawn | None:
    if REFUSED in said:
        return Undrawn(image_id, str(said[REFUSED]), passes=False)
    return None if DRAWN in said else Undrawn(image_id, str(said[LATER]), passes=True)
