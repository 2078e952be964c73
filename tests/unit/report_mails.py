"""Contents of reports for the tests of their mails: real weeks, an alert, nothing at all, too much of everything.

Belongs here: contents by name. Does not belong here: tests. What is made up says so.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from infra.local.standins.ads import DrawnAds
from infra.local.standins.author import honest_author
from prism_core.calendar import Week
from prism_core.campaign.attribution import attribute
from prism_core.campaign.figures import Figures, Inputs, figures, week_id
from prism_core.campaign.metrics import Metric, history
from prism_core.facts.gate import Scope
from prism_core.facts.ledger import Fact, Ledger, Unit
from prism_core.models.alerts import Alert, AlertRule, AlertStatus
from prism_core.models.work import Severity
from prism_core.operations.figures import READ_WEEKS, ops_figures
from prism_core.operations.weeks import OpsWeek, ops_week
from prism_core.reports import plain_words
from prism_core.reports.campaign import report
from prism_core.reports.content import (
    Card,
    Chart,
    Column,
    Department,
    Fallback,
    Prose,
    Provenance,
    Recommendation,
    ReportContent,
    Series,
    Statement,
    Table,
    Writer,
)
from prism_core.reports.operations import operations_report
from prism_resources.writing.passes import write
from tests.unit.campaign_weeks import ad, of_weeks, real, week, weekly
from tests.unit.test_campaign_attribution import ADS, lead

BY_CODE = Provenance(Writer.CODE, Fallback.NO_KEY)


def plain(found: Figures, *, edition: int = 1, synthetic: bool = False) -> ReportContent:
    return report(found, plain_words.words(found), BY_CODE, edition=edition, synthetic=synthetic)


def real_week(number: int) -> ReportContent:
    """Of the five real weeks, 31 to 35."""
    return plain(figures(Inputs(real(), week(number - 31), "EUR")))


def alert() -> ReportContent:
    """Leads fell by nine tenths; what was told of the week before was another figure. All made up."""
    told_id = week_id(week(3), Metric.LEADS)
    told = {told_id: Fact(told_id, Decimal(377), Unit.COUNT, "leads", metric="leads")}
    found = figures(Inputs(of_weeks(weekly([400, 400, 400, 400, 40]), 5), week(4), "EUR", told=told))
    return plain(found, edition=2, synthetic=True)


def matched() -> ReportContent:
    """With leads of the customer system."""
    leads = attribute(ADS, [lead("1", "1", "10"), lead("2")])
    return plain(figures(Inputs(of_weeks(ADS, 1), week(0), "EUR", leads, 2)))


def sample() -> ReportContent:
    """A week of the synthetic sample, with the sentences of its stand-in of a model."""
    until, drawn = Week.parse("2026-W46"), DrawnAds()
    days = [day for one in until.window(8) for day in one.days]
    rows = [
        ad(
            day, one.campaign_id, ad_id=one.ad_id, adset=one.adset_id, spend=str(one.spend), leads=one.leads,
            impressions=one.impressions, clicks=one.clicks, views=one.views, name=one.campaign,
            objective=one.objective,
        )
        for day in days
        for one in drawn.of(day)
    ]  # fmt: skip
    found = figures(Inputs(history(rows, (days[0], days[-1])), until, "EUR"))
    written = write(found, _Author(), lambda _: None)
    return report(found, written.words, written.provenance, synthetic=True)


class _Author:
    """The stand-in's writer, without its wire."""

    model = "claude-opus-5-5 (stand-in)"

    def ask(self, step: str, system: str, turns: list[tuple[str, str]], schema: Mapping[str, Any]) -> str:
        del step, system
        messages = [{"role": role, "content": text} for role, text in turns]
        return honest_author({"messages": messages, "output_config": {"format": {"schema": schema}}})


def operations() -> ReportContent:
    """A week of a programme: a project below its target, alerts, twelve weeks, one of which was not computed."""
    own = Week.parse("2026-W46")
    names = ("Road signs, night", "Faces 2.0", "Invoices", "Lane markings", "Products on shelves")
    weeks = {
        one: _ops_week(one, 1 if one == own else 1 + (one - own) % 3 / 20, names)
        for one in own.window(READ_WEEKS)
        if one != own + -2
    }
    named = {f"P-{at}": name for at, name in enumerate(names)}
    targets = {f"P-{at}": Decimal("0.95") for at in range(3)}
    return operations_report(ops_figures(own, weeks, named, targets), synthetic=True)


def _ops_week(week: Week, factor: float, names: Sequence[str]) -> OpsWeek:
    work = [
        {
            "project_id": f"P-{at}",
            "member_id": f"m-{member}",
            "tasks_submitted": round(factor * (90 + 40 * at + 7 * member)),
            "wall_seconds": round(factor * 3_600 * (6 + member)),
            "worker_resolved": member > 0,
            "project_resolved": True,
            "day": week.monday,
        }
        for at in range(len(names))
        for member in range(6)
    ]
    reviews = [
        {"project_id": f"P-{at}", "reviewed": 180, "correct": 171 if at else 158} for at in range(len(names))
    ]
    hours = [{"available_hours": 1_180.0, "allocated_hours": 1_010.5, "worked_hours": 905.25 * factor}]
    return ops_week(week, work, reviews, hours, _alerts(week))


def _alerts(week: Week) -> list[Alert]:
    rules = (AlertRule.CAPACITY_RISK, AlertRule.OOTO_CONFLICT, AlertRule.UNRESOLVED_WORKER)
    return [
        Alert(
            fingerprint=f"{number:032x}",
            rule=rule,
            severity=Severity.HIGH if rule is AlertRule.CAPACITY_RISK else Severity.LOW,
            title="An alert",
            subject="requests/r-1",
            week=week,
            first_seen=week.start + timedelta(days=number),
            last_seen=week.start + timedelta(days=number),
            status=AlertStatus.OPEN,
        )
        for number, rule in enumerate((*rules, rules[0]))
    ]


def empty() -> ReportContent:
    """No row of ads, and a report that has nothing but what it must have."""
    return plain(figures(Inputs(of_weeks([], 1), week(0), "EUR")))


def bare() -> ReportContent:
    scope = Scope(Ledger(), {}, {}, frozenset({week(0)}))
    return ReportContent("Report", week(0), scope, (), (Card("None", "none"),) * 4, (), BY_CODE)


def dated(label: str) -> ReportContent:
    """Nothing but what a report must have, of a week."""
    own = Week.parse(label)
    return dataclasses.replace(bare(), week=own, scope=Scope(Ledger(), {}, {}, frozenset({own})))


def named(name: str) -> ReportContent:
    """A week of two campaigns of which one is called so."""
    rows = [ad(name=name), ad(campaign="2", name="Spring")]
    return plain(figures(Inputs(of_weeks(rows, 1), week(0), "EUR")))


def large_account() -> ReportContent:
    """Twenty campaigns with long names and as many digits as an account can have."""
    rows = [
        ad(
            campaign=str(900_000 + one),
            name=f"EN | Prospecting | Lookalike {one} | Instant form | Autumn",
            spend=f"{1_234_567 + one}.89",
            leads=98_765 + one,
            impressions=1_234_567_890 + one,
            clicks=9_876_543 + one,
        )
        for one in range(24)
    ]
    return plain(figures(Inputs(of_weeks(rows, 1), week(0), "EUR")))


def many() -> ReportContent:
    """Two hundred campaigns."""
    rows = [
        ad(campaign=str(1_000 + one), spend=f"{10_000 + one}.25", name=f"=Campaign {one}") for one in range(200)
    ]
    return plain(figures(Inputs(of_weeks(rows, 1), week(0), "EUR")))


def huge() -> ReportContent:
    """Hundreds of corrections and rows, every text as long as the gate lets it be."""
    ledger = Ledger(Fact(f"f.{at}", Decimal(at * 1_234_567), Unit.MONEY, "x", "EUR") for at in range(300))
    names = {str(at): f"{at} " + "A very long name of a campaign " * 10 for at in range(300)}
    long = "Nothing was found that asks for action in this week. " * 37
    tokens = [f"{{{{fact:f.{at}}}}}" for at in range(300)]
    rows = tuple((f"{{{{name:{at}}}}}", *(tokens[at],) * 6) for at in range(300))
    weeks = tuple(f"2023-W{number}" for number in range(10, 52))
    facts = tuple(f"f.{at}" for at in range(42))
    return ReportContent(
        "Campaign report",
        week(0),
        Scope(ledger, names, {}, frozenset({week(0)})),
        (Statement(long),) * 2,
        tuple(Card("A label of a card that is long", tokens[299 - at], long[:200]) for at in range(4)),
        (
            Prose("Long", (Statement(long),) * 5, bullets=True),
            Table("Rows", tuple(Column(f"Column {at}") for at in range(7)), rows, rows[0]),
            Chart("a", "Many", weeks, (Series("x", facts),), Statement("Many weeks.")),
            Chart("b", "Two", weeks, (Series("x", facts), Series("y", facts)), Statement("Two.")),
        ),
        BY_CODE,
        tuple(Recommendation(one, Statement(long)) for one in Department),
        tuple(Statement(f"Spend of {{{{name:{at}}}}} was {tokens[at]}, now {tokens[-at]}.") for at in range(300)),
    )


CONTENTS: Mapping[str, Callable[[], ReportContent]] = {
    **{f"real-w{number}": (lambda number=number: real_week(number)) for number in range(31, 36)},
    "alert": alert,
    "sample": sample,
    "matched": matched,
    "empty": empty,
    "bare": bare,
    "large": large_account,
    "many": many,
    "operations": operations,
    "huge": huge,
    "model": lambda: dataclasses.replace(
        real_week(34), provenance=Provenance(Writer.MODEL, model="claude-example-1")
    ),
}
