"""The function that draws the public copies of one picture, for whoever publishes its article.

Belongs here: the event, the answer and the line of log. Does not belong here: drawing
(prism_resources/media/copying.py) and who asks: the API, and the reconciliation for copies that were lost.
"""

import json
import sys
import time
from functools import cache
from typing import Any

from prism_api import logs
from prism_api.api.start import building

with building():
    from prism_core.failures import TransientFailure
    from prism_core.settings import load_settings
    from prism_resources.media.copying import Copying, NotDrawn
    from prism_resources.media.pictures import NotAPicture
    from prism_resources.media.publishing import DRAWN, LATER, REFUSED


@cache
def _copying() -> Copying:
    return Copying(load_settings())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`article_id`, `image_id` and `object_version` of an upload. Answers how many copies are `drawn`, or why they
    are `refused`, in words for the author, or come `later`.

    Raises PermanentFailure for what is not the picture's, as a right that is missing: an alarm counts errors."""
    logs.begin(context)
    started = time.perf_counter()
    answer = _answer(event)
    took = round((time.perf_counter() - started) * 1000, 1)
    about = {name: event.get(name) for name in ("article_id", "image_id")}
    sys.stdout.write(json.dumps({**about, **answer, "milliseconds": took}) + "\n")
    return answer


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    try:
        copies = _copying().draw(event["article_id"], event["image_id"], event["object_version"])
    except (NotDrawn, NotAPicture) as refused:
        return {REFUSED: str(refused)}
    except TransientFailure as failure:
        return {LATER: str(failure)}
    return {DRAWN: len(copies)}
