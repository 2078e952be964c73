"""What one ad did on one day, read from an answer of Meta or from a file.

Belongs here: the row, its two parsers, and why a row is refused. Does not belong here: asking Meta (resources) and
adding rows up (metrics.py).
A row is taken whole or refused with the reason: a figure that was guessed would be a wrong one.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, cast

from prism_core.failures import BadUsage, PrismFailure

CSV_COLUMNS: Final = ("date", "campaign_id", "adset_id", "ad_id", "impressions", "clicks", "spend", "leads")
LEAD, LANDING_PAGE_VIEW = "lead", "landing_page_view"
# `lead` is the total of its components (onsite_conversion.lead_grouped, offsite_conversion.fb_pixel_lead, ...).
_COMPONENT_OF_LEAD: Final = re.compile(r".*[._]lead(?:$|[._].*)|leadgen.*")
_ID: Final = re.compile(r"\d{1,25}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,15}", re.ASCII)
_MONEY: Final = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOST_SHOWN: Final = 60


class Reason(StrEnum):
    """Why a row is refused."""

    NO_ROW = "no_row"
    ID = "id"
    DAY = "day"
    NUMBER = "number"
    CURRENCY = "currency"
    ACTIONS = "actions"
    LEADS_TWICE = "leads_twice"
    LEADS_IN_PARTS = "leads_in_parts"


class RefusedRow(PrismFailure):
    """A row that cannot be taken: `reason`, the `field` it is about and what stood there, cut short."""

    def __init__(self, reason: Reason, field: str, found: object) -> None:
        self.reason, self.field, self.found = reason, field, repr(found)[:_MOST_SHOWN]
        self.day: date | None = None  # of a row of a file, where that can be read
        super().__init__(f"{field}: {reason}: {self.found}")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused row by its place in what was read, the first being 1."""

    row: int
    reason: Reason
    field: str
    found: str


@dataclass(frozen=True, slots=True)
class AdDay:
    """One ad on one day of its account's time zone.

    `spend` in `currency` (ISO 4217). None: the source says nothing of it, which is not nought. Ids are digits.
    """

    day: date
    account_id: str
    campaign_id: str
    campaign_name: str
    adset_id: str
    adset_name: str
    ad_id: str
    ad_name: str
    objective: str | None
    impressions: int
    clicks: int
    inline_link_clicks: int | None
    spend: Decimal
    currency: str
    leads: int
    landing_page_views: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose rows are read: what a row says itself goes before. The id is without `act_`."""

    account_id: str
    currency: str


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of one reading, each ad once a day; how many came again, and those that were refused."""

    rows: tuple[AdDay, ...]
    repeated: int
    rejected: tuple[Rejected, ...]


def read_insights(rows: Iterable[object], account: Account, *, absent_is_nought: bool = False) -> Read:
    """The `data` of insights at ad level by day, all pages behind each other. No rows are no error.

    `absent_is_nought`: Meta was asked for actions, and leaves out what nobody did: landing page views too.
    """
    return _read(rows, lambda row: _told(ad_day(row, account), nought=absent_is_nought))


def _told(row: AdDay, *, nought: bool) -> AdDay:
    return replace(row, landing_page_views=0) if nought and row.landing_page_views is None else row


def read_csv(lines: Iterable[str], account: Account) -> Read:
    """A file with the columns of CSV_COLUMNS, others are passed over; ids stand for names.

    Raises BadUsage when a column is missing.
    """
    return _read(_reader(lines), lambda row: _csv_day(json_object(row) or {}, account))


def csv_rows(lines: Iterable[str], account: Account) -> Iterator[tuple[int, AdDay | RefusedRow]]:
    """Each row of such a file as it stands there, with the number of its line. Raises as `read_csv`."""
    reader = _reader(lines)
    for row in reader:
        try:
            found: AdDay | RefusedRow = _csv_day(json_object(row) or {}, account)
        except RefusedRow as why:
            found = why
            found.day = _day_if_any(json_object(row) or {})
        yield reader.line_num, found


def _day_if_any(row: Mapping[str, object]) -> date | None:
    try:
        return _day(row, "date")
    except RefusedRow:
        return None


def ad_day(row: object, account: Account) -> AdDay:
    """One row of insights. Numbers come as text; an absent metric is nought. Raises RefusedRow."""
    found = json_object(row)
    if found is None:
        raise RefusedRow(Reason.NO_ROW, "row", row)
    if found.get("date_stop", found.get("date_start")) != found.get("date_start"):
        raise RefusedRow(Reason.DAY, "date_stop", found.get("date_stop"))
    actions = _actions(found.get("actions"))
    ids = {name: _id(found, name) for name in ("campaign_id", "adset_id", "ad_id")}
    currency = found.get("account_currency", account.currency)
    return AdDay(
        day=_day(found, "date_start"),
        account_id=_id(found, "account_id") if "account_id" in found else account.account_id,
        campaign_id=ids["campaign_id"],
        campaign_name=_name(found, "campaign_name", ids["campaign_id"]),
        adset_id=ids["adset_id"],
        adset_name=_name(found, "adset_name", ids["adset_id"]),
        ad_id=ids["ad_id"],
        ad_name=_name(found, "ad_name", ids["ad_id"]),
        objective=_name(found, "objective", "") or None,
        impressions=_count(found, "impressions") or 0,
        clicks=_count(found, "clicks") or 0,
        inline_link_clicks=_count(found, "inline_link_clicks"),
        spend=_money(found, "spend"),
        currency=_currency(currency),
        leads=_leads(actions),
        landing_page_views=actions.get(LANDING_PAGE_VIEW),
    )


def leads_of(row: Mapping[str, object]) -> int:
    """The leads of a row of any level. Raises RefusedRow."""
    return _leads(_actions(row.get("actions")))


def json_object(found: object) -> Mapping[str, object] | None:
    """What was read from JSON as an object; None when it is something else."""
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else None


def _reader(lines: Iterable[str]) -> "csv.DictReader[str]":
    reader = csv.DictReader(lines)
    if missing := [name for name in CSV_COLUMNS if name not in (reader.fieldnames or ())]:
        raise BadUsage(f"the file lacks the columns {', '.join(missing)}; it needs {', '.join(CSV_COLUMNS)}")
    return reader


def _csv_day(row: Mapping[str, object], account: Account) -> AdDay:
    for name in CSV_COLUMNS:
        if not row.get(name):
            raise RefusedRow(Reason.NO_ROW, name, row.get(name))
    ids = {name: _id(row, name) for name in ("campaign_id", "adset_id", "ad_id")}
    return AdDay(
        _day(row, "date"),
        account.account_id,
        ids["campaign_id"],
        ids["campaign_id"],
        ids["adset_id"],
        ids["adset_id"],
        ids["ad_id"],
        ids["ad_id"],
        None,
        _count(row, "impressions") or 0,
        _count(row, "clicks") or 0,
        None,
        _money(row, "spend"),
        _currency(account.currency),
        _count(row, "leads") or 0,
        None,
    )


def _read(rows: Iterable[object], parse: Callable[[object], AdDay]) -> Read:
    """The last of two rows of one ad and day counts: pages shift while figures are restated."""
    found: dict[tuple[date, str], AdDay] = {}
    rejected: list[Rejected] = []
    number = 0
    for number, row in enumerate(rows, start=1):
        try:
            one = parse(row)
        except RefusedRow as why:
            rejected.append(Rejected(number, why.reason, why.field, why.found))
        else:
            found[one.day, one.ad_id] = one
    return Read(tuple(found.values()), number - len(rejected) - len(found), tuple(rejected))


def _actions(found: object) -> dict[str, int]:
    """What people did by type; a type that comes twice is broken down, which was not asked for."""
    if found is None:
        return {}
    if not isinstance(found, list):
        raise RefusedRow(Reason.ACTIONS, "actions", found)
    counted: dict[str, int] = {}
    for kind, action in _typed(cast("list[object]", found)):
        if kind not in {LEAD, LANDING_PAGE_VIEW} and not _COMPONENT_OF_LEAD.fullmatch(kind):
            continue
        if kind in counted:
            raise RefusedRow(Reason.LEADS_TWICE, "actions", kind)
        counted[kind] = _count(action, "value") or 0
    return counted


def _typed(actions: list[object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    for one in actions:
        action = json_object(one) or {}
        kind = action.get("action_type")
        if not isinstance(kind, str):
            raise RefusedRow(Reason.ACTIONS, "actions", one)
        yield kind, action


def _leads(actions: Mapping[str, int]) -> int:
    """The total, never its components; components without it say that the answer is not what was asked for."""
    if LEAD in actions:
        return actions[LEAD]
    if parts := sorted(kind for kind, count in actions.items() if kind != LANDING_PAGE_VIEW and count):
        raise RefusedRow(Reason.LEADS_IN_PARTS, "actions", ", ".join(parts))
    return 0


def _count(row: Mapping[str, object], name: str) -> int | None:
    found = row.get(name)
    if found is None:
        return None
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if not isinstance(text, str) or not _COUNT.fullmatch(text):
        raise RefusedRow(Reason.NUMBER, name, found)
    return int(text)


def _money(row: Mapping[str, object], name: str) -> Decimal:
    found = row.get(name, "0")
    text = repr(found) if isinstance(found, int | float) and not isinstance(found, bool) else found
    if not isinstance(text, str) or not _MONEY.fullmatch(text):
        raise RefusedRow(Reason.NUMBER, name, found)
    return Decimal(text)


def _id(row: Mapping[str, object], name: str) -> str:
    found = row.get(name)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise RefusedRow(Reason.ID, name, found)
    return found


def _day(row: Mapping[str, object], name: str) -> date:
    found = row.get(name)
    try:
        if isinstance(found, str) and _DAY.fullmatch(found):
            return date.fromisoformat(found)
    except ValueError:
        pass
    raise RefusedRow(Reason.DAY, name, found)


def _currency(found: object) -> str:
    if not isinstance(found, str) or not _CURRENCY.fullmatch(found):
        raise RefusedRow(Reason.CURRENCY, "account_currency", found)
    return found


def _name(row: Mapping[str, object], name: str, otherwise: str) -> str:
    """On one line; people paste names with line breaks."""
    found = row.get(name)
    return (" ".join(found.split()) if isinstance(found, str) else "") or otherwise
