"""What a week of ads was read from: account, days, the account's own totals, and where the answers lie.

Belongs here: that record, and its form as evidence, which the manifest of a partition keeps beside its rows. Does
not belong here: the rows (insights.py) and reading them (resources).
Rows alone do not say which days were read: a day without a row had no delivery, or nobody has asked for it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from prism_core.campaign.ripening import LEAD_COUNTS, LeadCounts
from prism_core.evidence import Evidence, Part
from prism_core.failures import PermanentFailure

ACCOUNT, DAYS, READING, SOURCE = "account", "days", "reading", "source"
# The account's own leads by day, beside its spend.
ACCOUNT_LEADS: Final = "account_leads"
# How whole a week of campaigns is, beside its days.
WHOLENESS: Final = "wholeness"
# Meta rounds each row to cents: so much of an amount a row is nothing that went missing.
ROUNDING: Final = Decimal("0.005")
_UNTOLD: Final = ""


@dataclass(frozen=True, slots=True)
class AdsRead:
    """One reading. `days` are those that were read, in `zone`; `control` is the account's own spend by day.

    `lead_control` are its leads; both are None where nobody told them. `reading` is the prefix of its answers in
    the archive, `source` whether Meta was asked (`meta`), its stand-in (`stand_in`), or files loaded (`files`).
    `counts` are its leads as they stood when the week was younger.
    """

    account_id: str
    currency: str
    zone: ZoneInfo
    days: tuple[date, ...]
    control: Mapping[date, Decimal] | None
    reading: str
    read_at: datetime
    source: str
    lead_control: Mapping[date, int] | None = None
    counts: LeadCounts = field(default_factory=LeadCounts)

    @property
    def whose(self) -> str:
        """Whose figures they are: weeks that differ in it are of other days, money or ads."""
        return f"{self.account_id} {self.currency} {self.zone.key}"

    def unaccounted(self, spent: Decimal | None, rows: int) -> Decimal:
        """How much of the account's own spend is in none of the rows; less than nought: they say more.

        Nought where nobody told it, where rows are of several currencies, and up to the rounding of the rows.
        """
        if self.control is None or spent is None:
            return Decimal(0)
        lacking = sum(self.control.values(), Decimal(0)) - spent
        return lacking if abs(lacking) > ROUNDING * rows else Decimal(0)

    def uncounted(self, leads: int) -> int:
        """How many of the account's own leads are in none of the rows; less than nought: they say more."""
        return 0 if self.lead_control is None else sum(self.lead_control.values()) - leads

    def evidence(self) -> Evidence:
        """As the manifest of `meta_insights` keeps it."""
        told = {} if self.lead_control is None else {ACCOUNT_LEADS: _leads_part(self.lead_control)}
        return Evidence(
            {
                **told,
                ACCOUNT: Part(("account_id",), {(self.account_id,): f"{self.currency} {self.zone.key}"}),
                DAYS: days_part(self.days, self.control),
                READING: Part(("reading",), {(self.reading,): self.read_at.isoformat()}),
                SOURCE: Part(("source",), {(self.source,): ""}),
                LEAD_COUNTS: self.counts.part(),
            }
        )

    @classmethod
    def of(cls, evidence: Evidence) -> "AdsRead | None":
        """The inverse of `evidence`; None for a week that was written without one.

        Raises PermanentFailure when it is damaged.
        """
        if READING not in evidence.parts:
            return None
        try:
            (((account_id,), said),) = evidence.parts[ACCOUNT].items.items()
            currency, _, zone = said.partition(" ")
            (((reading,), read_at),) = evidence.parts[READING].items.items()
            ((source,),) = evidence.parts[SOURCE].items
            days = days_of(evidence)
            told = evidence.parts[DAYS].items
            control = {day: Decimal(told[day.isoformat(),]) for day in days if told[day.isoformat(),] != _UNTOLD}
            whole = bool(days) and len(control) == len(days)
            return cls(
                account_id,
                currency,
                ZoneInfo(zone),
                days,
                control if whole else None,
                reading,
                datetime.fromisoformat(read_at),
                source,
                _leads_of(evidence),
                LeadCounts.of(evidence),
            )
        except (KeyError, ValueError, ArithmeticError, OSError) as error:
            raise PermanentFailure(
                f"what a week of ads was read from is damaged ({error!r}); read it again"
            ) from error


@dataclass(frozen=True, slots=True)
class Wholeness:
    """What is known to be in none of a week's figures, beside days; `whose` they are, None where nobody noted it.

    `refused`: rows of ads. `unaccounted`: spend of the account (AdsRead.unaccounted), in its currency.
    `uncounted`: leads of the account (AdsRead.uncounted).
    """

    whose: str | None = None
    refused: int = 0
    unaccounted: Decimal = Decimal(0)
    uncounted: int = 0

    def part(self) -> Part:
        """As the manifest of `campaign_metrics` keeps it."""
        said = {"whose": self.whose or "", "refused": str(self.refused), "unaccounted": str(self.unaccounted)}
        said["uncounted"] = str(self.uncounted)
        return Part(("what",), {(name,): value for name, value in said.items()})

    @classmethod
    def of(cls, evidence: Evidence) -> "Wholeness":
        """The inverse of `part`; a week that was added up without one counts as whole."""
        part = evidence.parts.get(WHOLENESS)
        if part is None:
            return cls()
        said = {name: value for (name,), value in part.items.items()}
        uncounted = int(said.get("uncounted", 0))
        return cls(said["whose"] or None, int(said["refused"]), Decimal(said["unaccounted"]), uncounted)


def days_part(days: Collection[date], control: Mapping[date, Decimal] | None = None) -> Part:
    """The days that were read, each with the account's own spend where that was told."""
    told = {day: _UNTOLD if control is None else str(control.get(day, Decimal(0))) for day in days}
    return Part(("day",), {(day.isoformat(),): spend for day, spend in told.items()})


def _leads_part(control: Mapping[date, int]) -> Part:
    return Part(("day",), {(day.isoformat(),): str(leads) for day, leads in control.items()})


def _leads_of(evidence: Evidence) -> dict[date, int] | None:
    part = evidence.parts.get(ACCOUNT_LEADS)
    return None if part is None else {date.fromisoformat(day): int(leads) for (day,), leads in part.items.items()}


def days_of(evidence: Evidence) -> tuple[date, ...]:
    """The days that were read, by the evidence of ads or of what was added up from them; none without it."""
    part = evidence.parts.get(DAYS)
    return () if part is None else tuple(sorted(date.fromisoformat(day) for (day,) in part.items))
