"""What is told to people whose allocations a publication changed.

Belongs here: one letter a member, as text and as HTML. Does not belong here: who gets it and sending
(prism_resources/plans/telling.py). A letter has no name of a person: it is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from prism_core.calendar import Week
from prism_core.publications import Days, HoursChange

_FONT = "font-family:Arial,Helvetica,sans-serif"


@dataclass(frozen=True, slots=True)
class Notice:
    """A letter: subject, text, and the same as HTML."""

    subject: str
    text: str
    html: str


def notice(
    week: Week, changes: Sequence[HoursChange], names: Mapping[str, str], *, undone: bool, closing: str
) -> Notice:
    """What changes for one member; `names` of projects by id, `closing` says how to stop such letters."""
    subject = f"Your allocations of {week} have changed"
    what = "A published plan was taken back" if undone else "A plan was published"
    heading = f"{what} for {week} ({week.monday:%d %b} to {week.sunday:%d %b %Y}). This changes for you:"
    rows = [
        (names.get(one.project_id, one.project_id), _days(one.before), _days(one.after), _by(one))
        for one in changes
    ]
    lines = [heading, ""]
    for name, before, after, by in rows:
        lines += [f"* {name}: {by}", f"  before: {before}", f"  now:    {after}", ""]
    cells = "".join(
        "<tr>"
        + "".join(f'<td style="padding:4px 16px 4px 0;{_FONT};font-size:13px">{escape(text)}</td>' for text in row)
        + "</tr>"
        for row in (("Project", "Before", "Now", "Change"), *rows)
    )
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        f"<title>{escape(subject)}</title></head><body>"
        f'<p style="{_FONT};font-size:14px">{escape(heading)}</p>'
        f'<table cellpadding="0" cellspacing="0" border="0">{cells}</table>'
        f'<p style="{_FONT};font-size:12px">{escape(closing)}</p></body></html>'
    )
    return Notice(subject, "\n".join([*lines, "-- ", closing, ""]), html)


def _days(days: Days) -> str:
    """`Mon 4, Tue 2.5`."""
    said = [f"{day:%a} {_number(hours)}" for day, hours in sorted(days.items())]
    return ", ".join(said) or "nothing"


def _by(change: HoursChange) -> str:
    hours = change.hours
    if not hours:
        return "other days"
    word = "hour" if abs(hours) == 1 else "hours"
    return f"{_number(abs(hours))} {word} {'more' if hours > 0 else 'less'}"


def _number(hours: Decimal) -> str:
    return f"{hours.normalize():f}"
