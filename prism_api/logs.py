"""Log lines of the functions: JSON with the ids that a thing is followed by.

Belongs here: the form of a line that the logging module writes, and the id of the invocation. Does not belong
here: the line that each handler writes about its call, which is JSON by itself.
"""

import json
import logging
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

SHOWN_IDS: Final = 10
_ROOT: Final = logging.getLogger("prism")
_TRACES: Final = logging.Formatter()


class _JsonLines(logging.Handler):
    """One line a record, its trace inside it: CloudWatch takes every line break for a new event."""

    aws_request_id = "none"

    def emit(self, record: logging.LogRecord) -> None:
        line = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "aws_request_id": self.aws_request_id,
        }
        if record.exc_info:
            line["exception"] = _TRACES.formatException(record.exc_info)
        sys.stdout.write(json.dumps(line) + "\n")


_LINES: Final = _JsonLines()


def some(ids: Iterable[str]) -> list[str]:
    """The ids of a line: ten tell what it is about, five hundred would cost more than they tell."""
    return list(islice(ids, SHOWN_IDS))


def begin(context: Any) -> None:
    """Called first by every handler: what is logged from here on is of this invocation."""
    invocation = getattr(context, "aws_request_id", None)
    if invocation is None:  # called by a program, which has its own handlers
        return
    _LINES.aws_request_id = str(invocation)
    if _LINES not in _ROOT.handlers:
        _ROOT.addHandler(_LINES)
        _ROOT.propagate = False  # the runtime's handler would write it again, as text
