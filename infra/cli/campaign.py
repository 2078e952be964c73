"""`prism report campaign`: the report of a campaign's week, made and written as files.

Belongs here: the command, and which weeks it computes. Does not belong here: the assets that make the report
(prism_assets/campaign), and sending it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.console import fail, out, plain, say
from infra.local.platform import Platform, attached
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import CampaignSource

if TYPE_CHECKING:
    from infra.cli.materialize import RunOutcome
    from prism_resources.reports.shelf import Kept


@dataclass(frozen=True, slots=True)
class _Work:
    """What is computed: assets over weeks."""

    assets: tuple[str, ...]
    weeks: WeekRange

    @property
    def selection(self) -> str:
        return " or ".join(f"key:{name}" for name in self.assets)


def campaign(
    week: Annotated[str, typer.Argument(help="a week that has ended, such as 2023-W35")],
    folder: Annotated[Path, typer.Option("--out", help="where the files go")] = Path("report"),
    replay: Annotated[bool, typer.Option("--replay", help="from the archive alone: nobody is asked")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Make the campaign report of a week and write it as files: HTML, text, pictures, and the mail. Sends nothing.

    Weeks from files or from the archive are computed anew; others only where they are not computed yet.
    """
    wanted = Week.parse(week)
    from infra.local.serving import outside

    with attached(say, beside=None if replay else outside) as platform:
        work = _work(platform, wanted, replay=replay)
        outcome = _run(platform, work, replay=replay)
        kept = _made(platform, wanted)
        platform.flush()
    _write(kept, folder, outcome, as_json=as_json)


def _work(platform: Platform, week: Week, *, replay: bool) -> _Work:
    """Which assets of which weeks the report needs. Raises BadUsage and PermanentFailure, with what to do."""
    from prism_assets.campaign.published import published_weeks
    from prism_assets.resources import PrismResource
    from prism_core.campaign.metrics import WINDOW_WEEKS
    from prism_resources.lake import Lake
    from prism_resources.meta_ads.source import FILES, source_of
    from prism_sensors.campaign import FIGURES, REPORT

    settings = platform.settings
    if not settings.first_week <= week < clock.this_week():
        raise BadUsage(
            f"there is no report of {week}: weeks from {settings.first_week} (first_week of the settings) to "
            f"{clock.this_week() + -1}, the last one that has ended, have one"
        )
    window = [one for one in week.window(1 + WINDOW_WEEKS) if one >= settings.first_week]
    lake = Lake(settings)
    sources = {one: source_of(lake, one) for one in window}
    if replay or settings.campaign_source is CampaignSource.ARCHIVE or sources[week] == FILES:
        if sources[week] is None:
            raise PermanentFailure(
                f"the archive has no ads of {week}: `prism ingest ads` loads files, and without --replay, and "
                "campaign_source live, Meta is asked"
            )
        first = week
        while first + -1 in window and sources[first + -1] is not None:
            first += -1
        return _Work((*FIGURES, *REPORT), WeekRange(first, week))
    published = published_weeks(PrismResource())
    if (
        week not in published
        and settings.is_stand_in(settings.meta_api_url)
        and not platform.home.read_first_start().get("sample_weeks")
    ):
        raise PermanentFailure(
            f"there are no ads of {week}: no file with them was loaded (`prism ingest ads`), and this platform "
            "has neither a sample nor an account of Meta (meta_api_url, meta_account_id)"
        )
    missing = [one for one in window if one not in published]
    if not missing:
        return _Work(REPORT, WeekRange(week, week))
    return _Work((*FIGURES, *REPORT), WeekRange(missing[0], week))


def _run(platform: Platform, work: _Work, *, replay: bool) -> "RunOutcome":
    from infra.cli.materialize import run_range
    from prism_assets.campaign.sources import NEWEST, REPLAY_TAG
    from prism_assets.reports.weeks import NEWEST_WEEK, REPORTS_TAG

    tags = {REPORTS_TAG: NEWEST_WEEK} | ({REPLAY_TAG: NEWEST} if replay else {})
    outcome = run_range(platform, work.selection, work.weeks, tags=tags)
    if not outcome.success:
        raise fail(f"run {outcome.run_id}: {'; '.join(outcome.errors) or 'see the Dagster UI'}")
    return outcome


def _made(platform: Platform, week: Week) -> "Kept":
    from prism_core.models.reports import ReportKind
    from prism_resources.reports.shelf import Shelf

    kept = Shelf(platform.settings).newest(ReportKind.CAMPAIGN, week)
    if kept is None:
        raise PermanentFailure(f"the report of {week} is not on its shelf, although its run succeeded")
    return kept


def _write(kept: "Kept", folder: Path, outcome: "RunOutcome", *, as_json: bool) -> None:
    from prism_resources.reports.files import write_mail
    from prism_resources.reports.rendering import render

    mail = render(kept.content)
    written = write_mail(mail, folder, now=kept.made_at)
    label = kept.content.provenance.label
    told = [f"{one.asset} {one.check}: {one.severity.lower()}" for one in outcome.checks if not one.passed]
    if as_json:
        facts = {
            "subject": mail.subject,
            "html_bytes": len(mail.html),
            "provenance": label,
            "synthetic": kept.content.synthetic,
            "content_hash": kept.content_hash,
            "checks": told,
            "files": [str(one) for one in written],
        }
        typer.echo(json.dumps(facts))
    else:
        out.print(plain(mail.subject))
        for one in written:
            out.print(plain(one))
        say(label)
        for line in told:
            say(line)
    broken = [f"{one.asset} {one.check}" for one in outcome.checks if one.broken]
    if broken:
        raise fail(f"the report is written, but these checks fail: {', '.join(broken)}")
