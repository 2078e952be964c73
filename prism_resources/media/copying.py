"""The public copies of one picture, drawn when its article is to be published.

Belongs here: the order of steps, each of which can be repeated: the row names copies when all of them are there.
Does not belong here: whether the picture may be public (prism_core/media/gate.py, which the API asks before and
after), pixels (pictures.py) and who asks (publishing.py).
"""

from functools import cached_property
from typing import Final

from prism_core.failures import PermanentFailure
from prism_core.media import steps
from prism_core.media.keys import COPY_TYPES, copy_key, ending_of
from prism_core.models.images import Copy, Image
from prism_core.settings import Settings
from prism_resources.media.objects import TooLarge
from prism_resources.media.pictures import MAX_BYTES, open_picture
from prism_resources.media.services import Services, write_over

# A call takes five seconds at most, and is sent twice: what draws a picture has thirty.
_PATIENT: Final = (2, 5)


class NotDrawn(PermanentFailure):
    """There is nothing to draw public copies of. The message is for the author of the article."""


class Copying:
    """The connections that it needs, kept for the next picture."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _services(self) -> Services:
        return Services(self._settings, *_PATIENT)

    def draw(self, article_id: str, image_id: str, object_version: str) -> tuple[Copy, ...]:
        """The copies of an upload, drawn and named in the row of its image; those that are named already as they
        are. Raises NotDrawn, TransientFailure, PermanentFailure."""
        image = self._services.images.get(article_id=article_id, image_id=image_id)
        if image is None or steps.drawn(image, object_version, ()) is None:
            raise NotDrawn("it is not the upload any more that was analysed; look at the gate again")
        if image.copies:
            return image.copies
        made = self._made(image, object_version)
        written = write_over(
            self._services.images,
            image,
            lambda current: steps.drawn(current, object_version, made),
            step="copies",
            reason="public copies were drawn",
        )
        if written is None:
            raise NotDrawn("it was replaced or removed while it was drawn; look at the gate again")
        return made

    def _made(self, image: Image, object_version: str) -> tuple[Copy, ...]:
        try:
            data = self._services.originals.read(image.object_key, object_version, MAX_BYTES)
        except TooLarge as large:
            raise NotDrawn(f"the file has {large.size:,} bytes of at most {MAX_BYTES:,}") from large
        if data is None:
            raise NotDrawn("its file was deleted; upload it again, or remove the image")
        copies: list[Copy] = []
        for file, width, height, body in open_picture(data, image.file_name).copies():
            key = copy_key(image.article_id, image.image_id, object_version, file)
            self._services.made.write(key, body, COPY_TYPES[ending_of(file)])
            copies.append(Copy(file=file, width=width, height=height, bytes=len(body)))
        return tuple(copies)
