"""What the rules would have told over past weeks.

Belongs here: the asset `alert_backtest`, what it shows, its check. Does not belong here: replaying
(prism_core/alerts/backtest.py).
No partitions: it reads eight weeks behind each week, and one run is one comparison; its weeks are a configuration.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from prism_assets.alerts.judgements import GROUP, MOST_ROWS, OWNERS
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core import clock
from prism_core.alerts.backtest import REWRITTEN_WHY, Backtest, backtest, by_feedback, of_all
from prism_core.alerts.fixtures import outcomes
from prism_core.alerts.planted import measured
from prism_core.alerts.snapshot import ended_by
from prism_core.calendar import Week, WeekRange
from prism_core.charts import as_markdown, grouped_bar_chart
from prism_core.failures import BadUsage
from prism_core.models.alerts import Alert, AlertRule
from prism_core.quality import Accuracy
from prism_core.tables import ALERTS
from prism_resources.alerts.past import SnapshotLake

WEEKS = 12
_READS = (
    "throughput",
    "quality_scores",
    "allocations",
    "availability",
    "members",
    "projects",
    "requests",
    "workers",
)


class BacktestConfig(dg.Config):
    """Which rules over which weeks: all, and the last twelve that the lake holds, where nothing is said."""

    rules: list[str] = Field(default=[], description="names of rules; none for all")
    weeks: str = Field(default="", description="such as 2026-W30..2026-W46")


def backtest_assets() -> list[dg.AssetsDefinition]:
    """`alert_backtest`."""

    @dg.asset(
        name="alert_backtest",
        pool="alert_backtest",
        deps=list(_READS),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "python"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        description=(
            "What each rule would have told over weeks of the lake: the alerts, from when to when, where it could "
            "not judge, the share of them that people found useful, precision and recall against conflicts that "
            "were planted in synthetic weeks, and the cases that it ships with. Configure "
            "`rules` and `weeks` to try one before it is switched on. Nothing is stored, nobody is told."
        ),
    )
    def alert_backtest(context: dg.AssetExecutionContext, config: BacktestConfig, prism: PrismResource) -> None:
        with failures_by_intent():
            rules = [_rule(name) for name in config.rules] or list(AlertRule)
            lake = SnapshotLake(prism.settings(), prism.lake())
            weeks = _weeks(config.weeks, lake, prism.weeks(), prism.settings().restatement_grace_hours)
            if weeks is None:
                context.log.warning("the lake holds no whole week that has ended; `prism export` writes them")
                context.add_asset_metadata({"weeks": "none has ended yet"})
                return
            snapshots = list(lake.weeks(weeks))  # read once for all rules
            found = [backtest(rule, snapshots) for rule in rules]
            feedback = {one.rule: by_feedback(one, _verdicts(prism, one)) for one in found}
            context.add_asset_metadata(_metadata(found, weeks, feedback))
            for one in found:
                context.log.info("%s over %s: %d alerts", one.rule, weeks, len(one.episodes))

    return [alert_backtest]


def backtest_checks() -> list[dg.AssetChecksDefinition]:
    """What must hold of a rule before anybody believes it."""

    @dg.asset_check(
        asset="alert_backtest",
        name="cases_right",
        retry_policy=RETRIES,
        description="Every rule answers each of the true and false cases that it ships with.",
    )
    def cases_right() -> dg.AssetCheckResult:
        wrong = {rule.value: [one.case.name for one in outcomes(rule) if not one.right] for rule in AlertRule}
        wrong = {rule: names for rule, names in wrong.items() if names}
        return dg.AssetCheckResult(
            passed=not wrong,
            description="; ".join(f"{rule}: {', '.join(names)}" for rule, names in wrong.items()) or "all right",
            metadata={"wrong": dg.MetadataValue.json(wrong)},
        )

    return [cases_right]


def _rule(name: str) -> AlertRule:
    try:
        return AlertRule(name)
    except ValueError:
        raise BadUsage(f"there is no rule {name!r}; valid ones are {', '.join(AlertRule)}") from None


def _weeks(text: str, lake: SnapshotLake, known: WeekRange, grace_hours: int) -> WeekRange | None:
    """The weeks asked for, else the newest ended ones that the lake holds, without a gap; None without any."""
    if text:
        return WeekRange.parse(text)
    ended = ended_by(clock.this_week(), clock.now(), timedelta(hours=grace_hours))
    last = next((week for week in _back(ended, known.first) if lake.holds(week)), None)
    if last is None:
        return None  # a platform in its first week
    first = last
    for week in _back(last, known.first):
        if not lake.holds(week) or last - week >= WEEKS:
            break
        first = week
    return WeekRange(first, last)


def _back(last: Week, first: Week) -> Iterator[Week]:
    return (last + -back for back in range(max(last - first, -1) + 1))


def _verdicts(prism: PrismResource, found: Backtest) -> dict[str, Any]:
    """What people said of those that were told in their time."""
    reader = prism.reader(ALERTS, Alert)
    stored = (reader.get(fingerprint=one) for one in sorted(found.fingerprints))
    return {one.fingerprint: one.verdict for one in stored if one is not None and one.verdict is not None}


def _metadata(
    found: list[Backtest], weeks: WeekRange, feedback: dict[AlertRule, Accuracy | None]
) -> dict[str, Any]:
    title = f"Alerts that would have been opened, {weeks}"
    shown = list(weeks)[-WEEKS:]
    groups = [
        (week.label, [float(sum(Week.of(e.opened) + -1 == week for e in one.episodes)) for one in found])
        for week in shown
    ]
    return {
        "weeks": str(weeks),
        "dagster/row_count": sum(len(one.episodes) for one in found),
        "rules": dg.MetadataValue.table([_of_rule(one, feedback[one.rule]) for one in found]),
        "alerts": dg.MetadataValue.table(list(_rows(found))[-MOST_ROWS:], schema=_ROWS),
        "opened_by_week": dg.MetadataValue.md(
            as_markdown(title, grouped_bar_chart(title, [one.rule.value for one in found], groups))
        ),
    }


_ROWS = dg.TableSchema(
    columns=[dg.TableColumn(name) for name in ("rule", "from", "to", "ending", "severity", "what", "about")]
)


def _of_rule(found: Backtest, feedback: Accuracy | None) -> dg.TableRecord:
    cases, hits = outcomes(found.rule), measured(found.rule)
    useful, share = "not comparable", REWRITTEN_WHY
    if feedback is not None:
        useful = f"{feedback.correct} of {feedback.reviewed} judged"
        share = f"{feedback.low:.0%} to {feedback.high:.0%}" if feedback.reviewed else "nobody judged one"
    return dg.TableRecord(
        {
            "rule": found.rule.value,
            "alerts": len(found.episodes),
            "not judged": f"{len(found.abstained)} of {found.snapshots} weeks",
            "useful": useful,
            "precision": share,
            "precision, planted": "nothing is planted" if hits is None else of_all(hits.precision),
            "recall, planted": "nothing is planted" if hits is None else of_all(hits.recall),
            "cases": f"{sum(one.right for one in cases)} of {len(cases)} right",
        }
    )


def _rows(found: Iterable[Backtest]) -> Iterator[dg.TableRecord]:
    for one in found:
        for episode in one.episodes:
            yield dg.TableRecord(
                {
                    "rule": one.rule.value,
                    "from": f"{episode.opened:%Y-%m-%d}",
                    "to": "goes on" if episode.closed is None else f"{episode.closed:%Y-%m-%d}",
                    "ending": "" if episode.ending is None else episode.ending.value,
                    "severity": episode.severity.value,
                    "what": episode.title,
                    "about": episode.subject,
                }
            )
