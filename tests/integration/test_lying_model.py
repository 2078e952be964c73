"""A model that lies over the wire: whatever it does, no figure of a mail is another one than the ads give.

Why real: the SDK, its retries and what it makes of a broken answer stand between the lie and the gate.
Figures are added up here from the rows of ads, and sentences read as a reader reads them: nothing of the ledger,
the tokens or the gate takes part in the verdict. `LIES=200` tells so many weeks; else each lie is told once.
"""

import html
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

import pytest

from infra.local.standins.liars import Lie
from infra.local.standins.trials import MODEL, set_up, trial
from prism_core.calendar import Week
from prism_core.campaign.insights import AdDay
from prism_core.campaign.planted import Planted, PlantedAds, planted_ads
from prism_core.reports.content import Fallback, Writer
from prism_resources.reports.rendering import render
from prism_resources.writing.evaluation import Evaluated, evaluated, together

ALL_LIES = tuple(Lie)
RUNS = int(os.environ.get("LIES", str(len(ALL_LIES))))
LABELS = {
    Lie.REFUSES: Fallback.REFUSAL,
    Lie.TRUNCATES: Fallback.TRUNCATED,
    Lie.HTML: Fallback.MALFORMED,
    Lie.NO_FORM: Fallback.MALFORMED,
    Lie.SILENT: Fallback.MALFORMED,
}
RATIOS = {
    "cost_per_lead": ("lead_spend", "lead_leads"),
    "click_rate": ("clicks", "impressions"),
    "cost_per_click": ("spend", "clicks"),
}
COUNTS = ("impressions", "clicks", "leads", "landing_page_views")
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
WEEK = re.compile(r"\b\d{4}-W\d{2}\b")
IN_WORDS = re.compile(
    r"\b(?:doubl|half|halv|thirds?\b|tenfold|dozen|ninety|hundred|thousand|no leads|critical|urgent|alarming|"
    r"collapse|tumbl|crash|balloon|improv|broken|arriving|nobody|a few leads|dwindl|algorithm|most leads|only|"
    r"not come|will (?:rise|fall)|would|last month)",
    re.I,
)
METRIC = r"(Spend|Leads|Cost per lead|Clicks|Impressions|Click rate|Cost per click|Landing page views)"
LEVEL = re.compile(rf"\b{METRIC} (?:was|were) ([^.]*?\d(?:[\d.,]*\d)?)(?: (EUR|%))?(?: \((\d{{4}}-W\d{{2}})\))?")
BY_META = re.compile(r"\bMeta counted:? (\S+)")
MOVED = re.compile(rf"\b{METRIC} (rose|fell)\b")
STEADY = re.compile(rf"\b{METRIC} (?:is|are|held|were|was) (?:stable|steady|the same|at that level)")
CALM = re.compile(
    r"nothing (?:in the figures )?asks for|no (?:action|decision) is needed|no reason to act|no alert", re.I
)
WENT = re.compile(r"\b(?:rose|fell|critical)\b|\bAlert\b")
IT_WENT = re.compile(r"(?:It|They) (?:rose|fell)\b")
PARAGRAPH = "\n\n"
PIECE = re.compile(r"\n\s*\n|\s\* |(?<=[.!?])\s+")
NAMED = "Synthetic campaign "


class Sums:
    """One week of some ads, added up by hand."""

    def __init__(self, rows: Iterable[AdDay]) -> None:
        mine = list(rows)
        with_leads = {one.campaign_id for one in mine if one.objective == "OUTCOME_LEADS"}
        self.sums = {name: Decimal(sum(getattr(one, name) or 0 for one in mine)) for name in COUNTS}
        self.sums["spend"] = sum((one.spend for one in mine), Decimal(0))
        for_leads = [one for one in mine if one.campaign_id in with_leads]
        self.sums["lead_spend"] = sum((one.spend for one in for_leads), Decimal(0))
        self.sums["lead_leads"] = Decimal(sum(one.leads for one in for_leads))

    def of(self, metric: str) -> Decimal | None:
        if metric not in RATIOS:
            return self.sums[metric]
        over, under = RATIOS[metric]
        return self.sums[over] / self.sums[under] if self.sums[under] else None


class Truth:
    """What a mail about some ads may say."""

    METRICS = ("spend", *COUNTS, *RATIOS)

    def __init__(self, ads: PlantedAds) -> None:
        self.week = ads.week
        self.window = [ads.week + back for back in range(-4, 1)]
        by_week = {week: [row for row in ads.rows if Week.of(row.day) == week] for week in self.window}
        self.totals = {week: Sums(rows) for week, rows in by_week.items()}
        campaigns = {row.campaign_id for row in ads.rows}
        parts = [Sums(row for row in by_week[ads.week] if row.campaign_id == one) for one in campaigns]
        self.before = Sums(row for week in self.window[:-1] for row in by_week[week])
        ever = Sums(ads.rows)
        sums = [*self.totals.values(), *parts]
        values = [
            (metric, value) for one in sums for metric in self.METRICS if (value := one.of(metric)) is not None
        ]
        self.known = {text for metric, value in values for text in forms(metric, value)}
        self.known |= {*forms("spend", ever.sums["spend"]), *forms("leads", ever.sums["leads"])}
        for metric in self.METRICS:
            self.known |= set(forms(metric, self.mean(metric)))
            if (change := self.change(metric)) is not None:
                self.known.add(rounded(abs(change) * 100, "0.1"))
        self.leads = self.totals[ads.week].sums["leads"]
        self.known.add(rounded(self.leads // 2, "1"))
        days = (ads.week.monday, ads.week.sunday)
        self.known |= {str(number) for day in days for number in (day.day, day.year)} | {"4"}

    @property
    def broken(self) -> bool:
        """Whether nobody may call the week calm: by far fewer leads, or far dearer ones."""
        leads, cost = self.change("leads"), self.change("cost_per_lead")
        return (leads is not None and leads < Decimal("-0.65")) or (cost is not None and cost > Decimal("0.9"))

    def mean(self, metric: str) -> Decimal:
        whole = self.before.of(metric) or Decimal(0)
        return whole if metric in RATIOS else whole / 4

    def change(self, metric: str) -> Decimal | None:
        now, mean = self.totals[self.week].of(metric), self.mean(metric)
        return None if now is None or not mean else (now - mean) / mean


def rounded(value: Decimal, quantum: str) -> str:
    return f"{value.quantize(Decimal(quantum), rounding=ROUND_HALF_EVEN):,f}"


def forms(metric: str, value: Decimal) -> list[str]:
    """How a value may be written; a mean of counts has two decimals."""
    if metric == "click_rate":
        percent = value * 100
        return [rounded(percent, "0.1" if percent >= 1 else str(Decimal(1).scaleb(percent.adjusted() - 1)))]
    return [rounded(value, "0.01")] + (
        [rounded(value, "1")] if metric in COUNTS and value == value.to_integral() else []
    )


def sentences(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def visible(markup: str) -> str:
    """What a reader of the HTML sees, the words for pictures too."""
    body = re.sub(r"(?s)<(style|head|title)\b.*?</\1>|<!--.*?-->", " ", markup)
    alts = " ".join(re.findall(r'\balt="([^"]*)"', body))
    return html.unescape(f"{re.sub(r'<[^>]+>', PARAGRAPH, body)} {alts}")


def lies_in(mail: str, truth: Truth) -> Iterator[str]:
    """Everything in a mail that the ads do not say."""
    text = sentences(mail)
    weeks = {week.label for week in truth.window}
    yield from (f"week {one}" for one in WEEK.findall(text) if one not in weeks)
    yield from (f"figure {one}" for one in FIGURE.findall(WEEK.sub(" ", text)) if one not in truth.known)
    yield from (f"sign {one!r}" for one in set(text) if one.isnumeric() and one not in "0123456789")
    yield from (f"words {one!r}" for one in IN_WORDS.findall(text))
    yield from (f"markup {one!r}" for one in re.findall(r"<\w+|\*\*|\]\(|\{\{|&#", text))
    for label, figure, _, when in LEVEL.findall(text):
        week = Week.parse(when) if when else truth.week
        metric = label.lower().replace(" ", "_")
        value = truth.totals[week].of(metric)
        if value is None or figure not in forms(metric, value):
            yield f"{label} of {week}: {figure}"
    for figure in BY_META.findall(text):
        if figure.rstrip(".") != rounded(truth.leads, "1"):
            yield f"Meta counted {figure}"
    for label, way in MOVED.findall(text):
        change = truth.change(label.lower().replace(" ", "_"))
        if change is None or (change > 0) is not (way == "rose"):
            yield f"{label} {way}, but {change}"
    for label in STEADY.findall(text):
        change = truth.change(label.lower().replace(" ", "_"))
        if change is None or abs(change) > Decimal("0.6"):
            yield f"{label} steady, but {change}"

    yield from misplaced(mail, truth)


def misplaced(mail: str, truth: Truth) -> Iterator[str]:
    """Calm beside an alert; directions of this week and of all beside a campaign or another week."""
    pieces = [sentences(one) for one in PIECE.split(mail)]
    alarmed = any(one.startswith("Alert: ") for one in pieces) or truth.broken
    for before, piece in pairwise(["", *pieces]):
        if alarmed and CALM.search(piece):
            yield f"calm beside an alert: {piece}"
        if IT_WENT.match(piece) and (NAMED in before or WEEK.search(before)):
            yield f"of something else: {before} {piece}"
        if not WENT.search(piece):
            continue
        if NAMED in piece:
            yield f"of one campaign: {piece}"
        if any(one != truth.week.label for one in WEEK.findall(piece)):
            yield f"of another week: {piece}"


@pytest.fixture(scope="module")
def told() -> list[tuple[PlantedAds, Lie, Evaluated]]:
    """Weeks in turn with every lie; a third of the liars repair what they are told of."""
    found: list[tuple[PlantedAds, Lie, Evaluated]] = []
    with trial() as (world, model):
        for seed in range(RUNS):
            ads, lie = planted_ads(seed), set_up(world, seed, ALL_LIES)
            assert lie is not None
            found.append((ads, lie, evaluated(ads, model)))
    return found


def test_no_figure_direction_or_alarm_of_a_lie_is_delivered(told: list[tuple[PlantedAds, Lie, Evaluated]]) -> None:
    delivered: list[str] = []
    for ads, lie, one in told:
        truth, mail = Truth(ads), render(one.content)
        for form, text in (("text", f"{mail.subject}\n{mail.text}"), ("html", visible(mail.html))):
            delivered += [f"seed {ads.seed}, {lie}, {form}: {found}" for found in lies_in(text, truth)]

    sys.stdout.write(f"{len(told)} weeks told by a liar, {len(delivered)} lies delivered\n")
    assert not delivered, "\n".join(delivered)
    assert together(one for _, _, one in told).ungrounded == 0


def test_every_fallback_says_in_the_mail_that_it_is_one_and_why(
    told: list[tuple[PlantedAds, Lie, Evaluated]],
) -> None:
    counted: Counter[str] = Counter()
    for ads, lie, one in told:
        text = sentences(render(one.content).text)
        counted[
            f"{lie}: {one.by.fallback.value if one.by.fallback else 'repaired' if one.repaired else 'told'}"
        ] += 1
        if one.by.writer is Writer.MODEL:
            assert f"Sentences by a language model, every figure by code. Model: {MODEL}." in text
            continue
        assert one.by.fallback is not None
        assert one.reasons, f"seed {ads.seed}"
        assert f"Sentences and figures by code: {one.by.fallback.value}." in text
        assert one.by.fallback is LABELS.get(lie, Fallback.REJECTED), f"seed {ads.seed}, {lie}: {one.reasons}"

    for line, count in sorted(counted.items()):
        sys.stdout.write(f"{count:4} {line}\n")
    assert any(one.repaired for _, _, one in told), "who repairs a lie may be heard"


def test_an_honest_model_is_delivered_with_what_was_planted_and_without_false_alarms() -> None:
    with trial() as (world, model):
        set_up(world, 0, ())
        found = [evaluated(planted_ads(seed), model) for seed in range(10)]

    sums = together(found)
    assert (sums.weeks, sums.planted, sums.fallbacks, sums.ungrounded) == (10, 5, {}, 0)
    assert (sums.missed, sums.false_alarms) == (0, 0), [(one.missed, one.false_alarms) for one in found]
    assert {one.by.model for one in found} == {MODEL}


@pytest.mark.parametrize(
    ("true", "false"),
    [
        pytest.param("Keep tracking", "Nothing asks for action. Keep tracking", id="calm"),
        pytest.param("Keep tracking", "There is no alert on leads. Keep tracking", id="no alert"),
        pytest.param("Keep tracking", "Leads of Synthetic campaign A fell. Keep tracking", id="of a campaign"),
        pytest.param("Keep tracking", "Synthetic campaign A has leads. They fell. Keep tracking", id="they"),
        pytest.param("Keep tracking", "Leads of it fell in {week}. Keep tracking", id="of another week"),
        pytest.param("Keep tracking", "Leads will fall. Keep tracking", id="forecast"),
        pytest.param("Keep tracking", "Leads were the same. Keep tracking", id="the same"),
    ],
)
def test_the_judge_of_this_file_sees_what_is_said_wrongly_of_an_alert(true: str, false: str) -> None:
    with trial() as (world, model):
        set_up(world, 0, ())
        ads = planted_ads(0, Planted.FORMS_BROKE)
        text = sentences(render(evaluated(ads, model).content).text)

    assert list(lies_in(text, Truth(ads))) == []
    assert true in text
    assert list(lies_in(text.replace(true, false.format(week=ads.week + -1), 1), Truth(ads)))


@pytest.mark.parametrize(
    ("true", "false"),
    [
        pytest.param("Spend was", "Spend was 1", id="one more digit"),
        pytest.param("Leads were", "Leads were 4, not", id="another figure"),
        pytest.param("Leads that Meta counted: ", "Leads that Meta counted: 2", id="of another source"),
        pytest.param("Keep tracking", "Leads tumbled. Keep tracking", id="other words"),
        pytest.param("Nothing is to be decided", "Half of it is to be decided", id="a number in words"),
        pytest.param(
            "Keep tracking", "Click rate rose and clicks fell. Spend rose. Leads fell. Keep", id="a trend"
        ),
    ],
)
def test_the_judge_of_this_file_sees_a_lie(true: str, false: str) -> None:
    with trial() as (world, model):
        set_up(world, 0, ())
        ads = planted_ads(1)
        text = sentences(render(evaluated(ads, model).content).text)

    assert list(lies_in(text, Truth(ads))) == []
    assert true in text
    assert list(lies_in(text.replace(true, false, 1), Truth(ads)))
