"""The text of a digest, and the same as HTML.

Belongs here: how alerts are written for a person. Does not belong here: what is told and to whom (telling.py).
HTML is for Outlook and Gmail: nested tables, inline styles, no picture, well below the 102 kB at which Gmail cuts.
A severity is a word, never a colour alone. Every alert is named; of a long digest the worst have their evidence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from prism_core.alerts.telling import Digest, Entry, News
from prism_core.calendar import Week
from prism_core.models.alerts import Alert, AlertRule, Evidence
from prism_core.models.work import Severity

# Above so many alerts only the worst MOST_OF_A_RULE of each rule have their evidence; the others are a line each.
MOST_SHOWN: Final = 20
MOST_OF_A_RULE: Final = 3
MOST_ROWS: Final = 3
RULES: Final[Mapping[AlertRule, str]] = {
    AlertRule.OOTO_CONFLICT: "Planned on days off",
    AlertRule.QUALITY_DEGRADATION: "Quality is falling",
    AlertRule.SHRINKAGE_RISK: "Planned hours without work",
    AlertRule.UNRESOLVED_WORKER: "Work that is nobody's",
    AlertRule.LATE_REQUEST: "Late requests",
    AlertRule.CAPACITY_RISK: "More demand than people",
    AlertRule.SLA_BREACH: "SLA dates that will not be met",
}
_NEWS: Final[Mapping[News, str]] = {
    News.NEW: "new",
    News.BACK: "back",
    News.WORSE: "worse",
    News.UNSILENCED: "no longer silenced",
    News.REMINDER: "still open",
    News.OPEN: "open already",
    News.RESOLVED: "over",
}
_COLOURS: Final[Mapping[Severity, str]] = {
    Severity.LOW: "#545b64",
    Severity.MEDIUM: "#8a5a00",
    Severity.HIGH: "#b3261e",
    Severity.CRITICAL: "#7a0019",
}
_FONT: Final = "font-family:Arial,Helvetica,sans-serif;color:#16191f"
_SMALL: Final = f"margin:2px 0 0 0;font-size:12px;line-height:17px;{_FONT}"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the alerts of a digest. `more` is where all of them can be read, where there is a place;
    `closing` is the sentence that says why the mail came. An alert is at `base`, followed by its key."""

    as_of: datetime
    closing: str
    week: Week | None = None
    more: str | None = None
    base: str | None = None

    def link(self, alert: Alert) -> str | None:
        """Where one alert can be looked at, if anywhere."""
        return None if self.base is None else f"{self.base.rstrip('/')}/{alert.fingerprint}"


@dataclass(frozen=True, slots=True)
class Written:
    """A digest as it is mailed."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Group:
    """One rule's alerts: those with their evidence, and those that are a line each."""

    title: str
    counts: str
    shown: Sequence[Entry]
    named: Sequence[Entry]


def written(digest: Digest, frame: Frame) -> Written:
    """The same digest and frame give the same letter."""
    entries = digest.entries
    short = len(entries) > MOST_SHOWN
    groups = [_group(rule, found, short=short) for rule, found in digest.groups.items()]
    what = "PRISM alerts" if frame.week is None else f"PRISM alerts of {frame.week}"
    heading = f"{what}: {_counts(entries)}"
    return Written(heading, _text(heading, groups, frame), _html(heading, groups, frame))


def _group(rule: AlertRule, entries: Sequence[Entry], *, short: bool) -> _Group:
    shown = entries[:MOST_OF_A_RULE] if short else entries
    return _Group(RULES[rule], _counts(entries), shown, entries[len(shown) :])


def _counts(entries: Sequence[Entry]) -> str:
    """`12 new, 1 worse, 3 over`."""
    found = Counter(entry.news for entry in entries)
    return ", ".join(f"{found[news]} {_NEWS[news]}" for news in News if news in found)


def _text(heading: str, groups: Sequence[_Group], frame: Frame) -> str:
    lines = [heading, f"As of {_instant(frame.as_of)}.", ""]
    for group in groups:
        lines += [f"{group.title} ({group.counts})", ""]
        for entry in group.shown:
            alert = entry.alert
            lines += [f"* {_said(entry)}: {alert.title}", f"  {_since(entry)}"]
            lines += [f"  - {_row(row)}" for row in alert.evidence[:MOST_ROWS]]
            lines += [f"  - {words}"] if (words := _more_rows(alert)) else []
            lines += [f"  alert {frame.link(alert) or alert.fingerprint}", ""]
        for entry in group.named:
            alert = entry.alert
            lines.append(f"* {_said(entry)}: {alert.title} (alert {frame.link(alert) or alert.fingerprint})")
        lines += [""] if group.named else []
    if frame.more is not None:
        lines += [f"All of them with their evidence: {frame.more}", ""]
    return "\n".join([*lines, "-- ", frame.closing, ""])


def _html(heading: str, groups: Sequence[_Group], frame: Frame) -> str:
    rows = [_cell(f'<h1 style="margin:0;font-size:18px;{_FONT}">{escape(heading)}</h1>')]
    rows.append(_cell(_small(f"As of {_instant(frame.as_of)}.")))
    for group in groups:
        title = f'{escape(group.title)} <span style="font-weight:normal">({escape(group.counts)})</span>'
        rows.append(_cell(f'<h2 style="margin:16px 0 0 0;font-size:15px;{_FONT}">{title}</h2>'))
        rows += [_cell(_entry(entry, frame), rule=True) for entry in group.shown]
        if group.named:
            rows.append(_cell(_lines(group.named, frame), rule=True))
    if frame.more is not None:
        link = f'<a href="{escape(frame.more, quote=True)}" style="color:#0b5cad">{escape(frame.more)}</a>'
        rows.append(
            _cell(f'<p style="margin:16px 0 0 0;{_FONT};font-size:13px">All with their evidence: {link}</p>')
        )
    rows.append(_cell(_small(frame.closing)))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        f"<title>{escape(heading)}</title></head>"
        '<body style="margin:0;padding:0;background-color:#ffffff">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="left">'
        '<table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0" '
        'style="width:100%;max-width:640px;border-collapse:collapse">'
        f"{''.join(rows)}</table></td></tr></table></body></html>"
    )


def _entry(entry: Entry, frame: Frame) -> str:
    alert = entry.alert
    said = f"{_severity(entry)} {escape(alert.title)}"
    lines = [f'<p style="margin:8px 0 0 0;font-size:14px;{_FONT}">{said}</p>', _small(_since(entry))]
    lines += [_small(_row(row)) for row in alert.evidence[:MOST_ROWS]]
    lines += [_small(words)] if (words := _more_rows(alert)) else []
    return "".join([*lines, f'<p style="{_SMALL}">{_key(alert, frame)}</p>'])


def _lines(entries: Sequence[Entry], frame: Frame) -> str:
    """A line each, in one paragraph: as few bytes as can be, since there may be hundreds."""
    said = (f"{_severity(one)} {escape(one.alert.title)} ({_key(one.alert, frame)})" for one in entries)
    return f'<p style="{_SMALL}">{"<br>".join(said)}</p>'


def _severity(entry: Entry) -> str:
    return f'<strong style="color:{_COLOURS[entry.alert.severity]}">{escape(_said(entry))}</strong>'


def _key(alert: Alert, frame: Frame) -> str:
    link = frame.link(alert)
    words = f"alert {alert.fingerprint}"
    return words if link is None else f'<a href="{escape(link, quote=True)}" style="color:#0b5cad">{words}</a>'


def _cell(content: str, *, rule: bool = False) -> str:
    line = ";border-top:1px solid #d5dbdb" if rule else ""
    return f'<tr><td align="left" style="padding:4px 16px 4px 16px{line}">{content}</td></tr>'


def _small(words: str) -> str:
    return f'<p style="{_SMALL}">{escape(words)}</p>'


def _said(entry: Entry) -> str:
    """`HIGH, new`."""
    return f"{entry.alert.severity.value.upper()}, {_NEWS[entry.news]}"


def _since(entry: Entry) -> str:
    alert = entry.alert
    since = f"{alert.week}; since {(alert.opened or alert.first_seen):%d %b %Y}"
    if entry.news is News.RESOLVED and alert.resolved is not None:
        return f"{since}; over since {alert.resolved:%d %b %Y}"
    return f"{since}; open {alert.episodes} times so far" if alert.episodes > 1 else since


def _row(row: Evidence) -> str:
    """The key of the row, and its figures with their units."""
    figures = ", ".join(f"{name} {value}" for name, value in row.figures.items())
    return f"{row.item}: {figures}"


def _more_rows(alert: Alert) -> str | None:
    left = len(alert.evidence) - MOST_ROWS
    return f"and {left} more {'row' if left == 1 else 'rows'}" if left > 0 else None


def _instant(instant: datetime) -> str:
    return f"{instant:%d %b %Y, %H:%M} UTC"
