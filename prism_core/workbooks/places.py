"""Where an element of XML stands in its bytes.

Belongs here: the ends of tags, which the parser does not say. Does not belong here: what is put there (marks).
"""

import re
from dataclasses import dataclass
from typing import Final

from prism_core.workbooks.package import WorkbookRefused

_TAG: Final = re.compile(rb"<(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")


@dataclass(frozen=True, slots=True)
class Place:
    """`start` to `inner` is the start tag, `end` lies behind the end tag; of an empty element both are one."""

    start: int
    inner: int
    end: int
    prefix: str = ""


def tag_end(content: bytes, start: int) -> int:
    """The byte behind a tag: a `>` may stand in a quoted attribute."""
    match = _TAG.match(content, start)
    if match is None:
        raise WorkbookRefused("the file is damaged: a tag does not end")
    return match.end()


def closed(content: bytes, inner: int, ends_at: int) -> int:
    """The byte behind an element whose start tag ends before `inner` and whose end the parser saw at `ends_at`."""
    return inner if content[inner - 2 : inner] == b"/>" else tag_end(content, ends_at)
