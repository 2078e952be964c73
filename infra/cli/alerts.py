"""`prism alerts`: what the rules say of a week, keeping and mailing it, and what a rule would have told before.

Belongs here: the command and how it prints. Does not belong here: rules and backtests (prism_core/alerts), keeping
and mailing alerts (prism_resources/alerts).
"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import count_of, err, out, plain, say, step_progress
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage
from prism_core.models.alerts import AlertRule

if TYPE_CHECKING:
    from prism_core.alerts.backtest import Backtest
    from prism_core.alerts.findings import Judgement
    from prism_core.alerts.planted import Hits
    from prism_core.quality import Accuracy


def alerts(
    week: Annotated[str, typer.Argument(help="the week to judge; the running one when left out")] = "",
    backtest: Annotated[AlertRule | None, typer.Option("--backtest", help="replay this rule over --weeks")] = None,
    weeks: Annotated[str, typer.Option("--weeks", help="weeks of the lake: 2026-W30..2026-W46")] = "",
    store: Annotated[bool, typer.Option("--store", help="keep what the rules say now as alerts")] = False,
    send: Annotated[bool, typer.Option("--send", help="the same, and mail what is new")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of tables")] = False,
) -> None:
    """What the seven rules say. Without --store and --send nothing is kept and nobody is told."""
    if (backtest is None) != (not weeks):
        raise BadUsage("--backtest RULE and --weeks A..B belong together")
    if backtest is not None:
        if week or store or send:
            raise BadUsage(
                f"{week or '--store and --send'}: a backtest is of --weeks {weeks}, not of one week more"
            )
        _replay(backtest, WeekRange.parse(weeks), as_json=as_json)
        return
    wanted = Week.parse(week) if week else clock.this_week()
    if store or send:
        if wanted != clock.this_week():
            raise BadUsage(f"alerts are kept as of now, so of {clock.this_week()} and not of {wanted}")
        _keep(send=send, as_json=as_json)
        return
    with attached(say) as platform, err.status(f"judging {wanted}"):
        found = _judged(platform, wanted)
    if as_json:
        typer.echo(json.dumps({"week": wanted.label, "rules": [_plain(one) for one in found]}))
        return
    shown = Table("rule", "severity", "what", "about", title=f"alerts · {wanted}")
    for one in (finding for judgement in found for finding in judgement.findings):
        shown.add_row(one.rule.value, one.severity.value, plain(one.title), plain(one.subject))
    out.print(shown)
    out.print(count_of(shown.row_count, "finding", "findings"))
    for judgement in found:
        if judgement.abstained is not None:
            err.print("[yellow]not judged:[/yellow]", plain(f"{judgement.rule}: {judgement.abstained}"))


def _judged(platform: Platform, week: Week) -> "list[Judgement]":
    """A week that has ended is judged as the lake keeps it, another one as the tables are now."""
    from prism_core.alerts.judging import judge
    from prism_resources.alerts.past import SnapshotLake, due
    from prism_resources.alerts.tables import SnapshotTables
    from prism_resources.lake import Lake

    lake, now = Lake(platform.settings), clock.now()
    if week.end <= now:
        at = due(platform.settings, week)
        if now < at:
            err.print(f"[yellow]not due yet:[/yellow] the figures of {week} are complete at {at:%A %H:%M} UTC")
        return judge(SnapshotLake(platform.settings, lake).read(week))
    return judge(SnapshotTables(platform.settings, lake).read(week, now))


def _keep(*, send: bool, as_json: bool) -> None:
    """Judge the running week, keep what was found, and tell what is new; a mail that nobody takes is lost."""
    from infra.local.serving import mail
    from prism_resources.alerts.digests import AlertDigests
    from prism_resources.alerts.running import judged_now
    from prism_resources.lake import Lake

    now = clock.now()
    with attached(say, beside=mail if send else None) as platform, err.status("judging"):
        kept = judged_now(platform.settings, Lake(platform.settings), now)
        told = AlertDigests(platform.settings).daily(now) if send else None
    deliveries = [] if told is None else [one for outcome in told.outcomes for one in outcome.deliveries]
    counts = {one.rule.value: {"new": len(one.new), "open": len(one.open), "over": len(one.over)} for one in kept}
    if as_json:
        edition = None if told is None or told.edition is None else told.edition.edition_id
        sent = [one.plain() for one in deliveries]
        typer.echo(json.dumps({"rules": counts, "edition": edition, "deliveries": sent}))
        return
    shown = Table("rule", "new", "open", "over", title=f"alerts as of {now:%Y-%m-%d %H:%M} UTC")
    for rule, of_rule in counts.items():
        shown.add_row(rule, *(str(number) for number in of_rule.values()))
    out.print(shown)
    for one in kept:
        if one.abstained is not None:
            err.print("[yellow]not judged:[/yellow]", plain(f"{one.rule}: {one.abstained}"))
    if told is not None:
        out.print("nothing is new" if told.edition is None else plain(f"{told.edition.edition_id} is stored"))
        for one in deliveries:
            out.print(plain(f"{one.edition_id} to {one.recipient_id}: {one.status}"))


def _replay(rule: AlertRule, weeks: WeekRange, *, as_json: bool) -> None:
    from prism_core.alerts.backtest import backtest, by_feedback
    from prism_core.alerts.fixtures import outcomes
    from prism_core.alerts.planted import measured
    from prism_resources.alerts.past import SnapshotLake
    from prism_resources.lake import Lake

    if weeks.last.end > clock.now():
        raise BadUsage(f"{weeks.last} has not ended: a backtest is of weeks that the lake keeps whole")
    cases = outcomes(rule)
    with attached(say) as platform, step_progress(f"replaying {rule}", len(weeks)) as progress:
        snapshots = SnapshotLake(platform.settings, Lake(platform.settings))

        def told() -> Any:
            for snapshot in snapshots.weeks(weeks):
                yield snapshot
                progress.advance(progress.task_ids[0])

        found = backtest(rule, told())
        feedback = by_feedback(found, _verdicts(platform, found))
    wrong, hits = [one for one in cases if not one.right], measured(rule)
    if as_json:
        said = _document(found, weeks, len(cases), [one.case.name for one in wrong], feedback)
        typer.echo(json.dumps(said | {"planted": None if hits is None else _counted(hits)}))
        return
    _print(found, weeks, feedback)
    _print_planted(hits)
    out.print(f"cases it ships with: {len(cases) - len(wrong)} of {len(cases)} right")
    for one in wrong:
        err.print("[red]wrong case:[/red]", plain(one.case.name))


def _verdicts(platform: Platform, found: "Backtest") -> dict[str, Any]:
    """What people said of those that were told in their time."""
    from prism_core.models.alerts import Alert
    from prism_core.tables import ALERTS
    from prism_resources.aws import client
    from prism_resources.tables.reader import TableReader

    reader = TableReader(client(platform.settings, "dynamodb"), platform.settings, ALERTS, Alert)
    stored = [reader.get(fingerprint=one) for one in sorted(found.fingerprints)]
    return {one.fingerprint: one.verdict for one in stored if one is not None and one.verdict is not None}


def _print(found: "Backtest", weeks: WeekRange, feedback: "Accuracy | None") -> None:
    from prism_core.alerts.backtest import REWRITTEN_WHY

    shown = Table("from", "to", "severity", "what", "about", title=f"{found.rule} · {weeks}")
    for one in found.episodes:
        ended = "goes on" if one.closed is None else f"{one.closed:%Y-%m-%d} ({one.ending})"
        shown.add_row(f"{one.opened:%Y-%m-%d}", ended, one.severity.value, plain(one.title), plain(one.subject))
    out.print(shown)
    out.print(f"{count_of(len(found.episodes), 'alert', 'alerts')} over {count_of(len(weeks), 'week', 'weeks')}")
    if feedback is None:
        out.print(f"feedback: not compared, since {REWRITTEN_WHY}")
    else:
        said = "nobody judged one of them" if feedback.share is None else f"{feedback.share:.1%} useful"
        out.print(f"feedback: {said} ({feedback.correct} of {feedback.reviewed})")
    for one in found.abstained:
        err.print("[yellow]not judged:[/yellow]", plain(f"{one.as_of:%Y-%m-%d}: {one.reason}"))


def _print_planted(hits: "Hits | None") -> None:
    from prism_core.alerts.backtest import of_all
    from prism_core.alerts.planted import PLANTED_WEEKS

    if hits is None:
        out.print("planted cases: none, since what this rule says is an estimate")
        return
    shares = f"precision {of_all(hits.precision)}, recall {of_all(hits.recall)}"
    out.print(f"planted cases, {PLANTED_WEEKS} synthetic weeks: {shares}")


def _counted(hits: "Hits") -> dict[str, int]:
    from prism_core.alerts.planted import PLANTED_WEEKS

    counts = {"right": len(hits.right), "false": len(hits.false), "missed": len(hits.missed)}
    return {"synthetic_weeks": PLANTED_WEEKS, **counts}


def _plain(judgement: "Judgement") -> dict[str, Any]:
    return {
        "rule": judgement.rule.value,
        "abstained": judgement.abstained,
        "findings": [
            {
                "fingerprint": one.fingerprint,
                "severity": one.severity.value,
                "title": one.title,
                "subject": one.subject,
                "week": one.week.label,
                "evidence": [{"item": row.item, "figures": dict(row.figures)} for row in one.evidence],
            }
            for one in judgement.findings
        ],
    }


def _document(
    found: "Backtest", weeks: WeekRange, cases: int, wrong: list[str], feedback: "Accuracy | None"
) -> dict[str, Any]:
    return {
        "rule": found.rule.value,
        "weeks": str(weeks),
        "episodes": [
            {
                "fingerprint": one.fingerprint,
                "subject": one.subject,
                "title": one.title,
                "severity": one.severity.value,
                "opened": one.opened.isoformat(),
                "closed": None if one.closed is None else one.closed.isoformat(),
                "ending": None if one.ending is None else one.ending.value,
            }
            for one in found.episodes
        ],
        "abstained": [{"as_of": one.as_of.isoformat(), "reason": one.reason} for one in found.abstained],
        "cases": {"all": cases, "wrong": wrong},
        "feedback": None if feedback is None else {"judged": feedback.reviewed, "useful": feedback.correct},
    }
