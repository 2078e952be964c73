"""What pictures are read from and written to, and a change of an image's row over what others do meanwhile.

Belongs here: what the functions of images share. Does not belong here: which step writes what
(prism_core/media/steps.py).
"""

from collections.abc import Callable
from typing import Final

from prism_core import clock
from prism_core.failures import StaleVersion, TransientFailure
from prism_core.media.steps import Fields
from prism_core.media_tables import IMAGES
from prism_core.models.images import Image
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.media.objects import Made, Originals
from prism_resources.tables.store import TableStore

_ACTOR: Final = "system:images"
_ATTEMPTS: Final = 5
# What a step makes of a row as it is now; None when it has nothing to write any more.
Change = Callable[[Image], Fields | None]


class Services:
    """S3 and DynamoDB, asked so often and for so many seconds each time. A service that hangs must not outlast a
    function."""

    def __init__(self, settings: Settings, attempts: int, seconds: int) -> None:
        s3 = client(settings, "s3", attempts=attempts, read_seconds=seconds)
        dynamodb = client(settings, "dynamodb", attempts=attempts, read_seconds=seconds)
        self.originals, self.made = Originals(settings, s3), Made(settings, s3)
        self.images = TableStore(dynamodb, settings, IMAGES, Image)


def write_over(images: TableStore[Image], image: Image, change: Change, *, step: str, reason: str) -> Image | None:
    """The row with a change; None when that is not wanted any more. Raises TransientFailure when others write it
    again and again."""
    for _ in range(_ATTEMPTS):
        fields = change(image)
        if fields is None:
            return None
        after = image.model_copy(update=fields)
        try:
            return images.update(
                after,
                before=image,
                expected_version=image.version,
                actor=_ACTOR,
                reason=reason,
                request_id=f"{step}-{after.object_version}-{image.version}",
                now=clock.now(),
            )
        except StaleVersion:
            current = images.get(article_id=image.article_id, image_id=image.image_id)
            if current is None:
                return None
            image = current
    raise TransientFailure(f"image {image.image_id} is being changed by others; try again later")
