"""Dates as people write them, by a declared pattern.

Belongs here: the small language YYYY YY MM DD Mon. Does not belong here: cells that are dates already (cells.py).
`strptime` is no use: its month names follow the machine, and it reads 5.1.26 as a year of two digits or not.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from prism_core.failures import BadUsage

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PIECES: Final = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short>\d{2})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "Mon": r"(?P<name>[a-z]{3,9})\.?",
}
_TOKEN: Final = re.compile("YYYY|YY|MM|DD|Mon")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A pattern such as DD.MM.YYYY: YYYY or YY (20YY), MM or Mon, DD, and what stands between them.

    A leading zero may be left out; Mon is an English month, whole or its first three letters. Raises BadUsage.
    """

    pattern: str
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tokens = sorted(_TOKEN.findall(self.pattern))
        if tokens not in (["DD", "MM", "YYYY"], ["DD", "Mon", "YYYY"], ["DD", "MM", "YY"], ["DD", "Mon", "YY"]):
            raise BadUsage(f"the date format {self.pattern!r} needs YYYY or YY, MM or Mon, and DD, each once")
        text, at = "", 0
        glued = not re.search("(YYYY|YY|MM|DD|Mon)[^A-Za-z]+(YYYY|YY|MM|DD|Mon)", self.pattern)
        for match in _TOKEN.finditer(self.pattern):
            piece = _PIECES[match[0]]
            text += re.escape(self.pattern[at : match.start()]) + (
                piece.replace("{1,2}", "{2}") if glued else piece
            )
            at = match.end()
        text += re.escape(self.pattern[at:])
        object.__setattr__(self, "_compiled", re.compile(text, re.IGNORECASE | re.ASCII))

    def read(self, text: str) -> date | None:
        """The day; None when the text has another form. Raises ValueError for 31.02.2026."""
        match = self._compiled.fullmatch(text)
        if match is None:
            return None
        parts = match.groupdict()
        year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["short"])
        month = int(parts["month"]) if parts.get("month") else _month(parts["name"] or "")
        if month is None:
            return None
        try:
            return date(year, month, int(parts["day"]))
        except ValueError as error:
            raise ValueError(f"{text!r} is no day of the calendar (read as {self.pattern})") from error


_NAMES: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


def _month(name: str) -> int | None:
    word = name.lower()
    if word in _NAMES:
        return _NAMES.index(word) + 1
    return _MONTHS.index(word) + 1 if word in _MONTHS else None
