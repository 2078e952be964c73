"""Names of articles in addresses.

Belongs here: a slug from a title, and the next one when it is taken. Does not belong here: which are taken.
"""

import re
import unicodedata
from collections.abc import Iterator

from prism_core.models.articles import MAX_SLUG_CHARACTERS

_OTHER = re.compile(r"[^a-z0-9]+")
_MOST = 50
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ł": "l", "þ": "th", "ð": "d"})


def slug_of(title: str) -> str:
    """`Übergröße, Teil 2` is `ubergrosse-teil-2`; a title without a letter that can be written so is `article`."""
    plain = unicodedata.normalize("NFKD", title.casefold().translate(_LETTERS))
    words = _OTHER.sub("-", plain.encode("ascii", "ignore").decode()).strip("-")
    return words[:MAX_SLUG_CHARACTERS].rstrip("-") or "article"


def candidates(title: str) -> Iterator[str]:
    """The slug of a title, then the same with a number."""
    slug = slug_of(title)
    yield slug
    for number in range(2, _MOST + 1):
        ending = f"-{number}"
        yield slug[: MAX_SLUG_CHARACTERS - len(ending)].rstrip("-") + ending
