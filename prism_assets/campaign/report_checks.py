"""What must hold of the sentences and of the report of a campaign's week.

Belongs here: judging again what was stored, and reading the mail as its readers do. Does not belong here: figures
(figure_checks.py), and that a partition is whole (lake/checks.py).
"""

from collections.abc import Callable
from typing import Final

import dagster as dg

from prism_assets.campaign.check import MOST_NAMED, Outcome
from prism_assets.campaign.reporting import Told, is_synthetic
from prism_assets.checking import over_weeks, rows_of
from prism_assets.partitions import weeks_of
from prism_assets.reports.weeks import readers_zone, weeks_to_report
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core.calendar import Week
from prism_core.facts.gate import Scope, judge
from prism_core.facts.tokens import written
from prism_core.lake_campaign import CAMPAIGN_ANALYSIS
from prism_core.models.reports import ReportKind
from prism_core.reports.analysis_rows import analysis_of
from prism_core.reports.content import Department, Writer
from prism_core.reports.grounding import ungrounded
from prism_core.reports.wording import SYNTHETIC
from prism_resources.reports.rendering import MOST_BYTES, render
from prism_resources.reports.shelf import Kept, Shelf

_ANALYSIS, _REPORT = CAMPAIGN_ANALYSIS.name, "campaign_report"
_Judge = Callable[[PrismResource, Week], Outcome]
_NONE: Final = (False, {"report": "none"})


def report_checks(weekly: dg.WeeklyPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """The checks of `campaign_analysis` and `campaign_report`, over the weeks that a run reports on."""

    def check(
        asset: str, name: str, judged: _Judge, description: str, *, blocking: bool = False
    ) -> dg.AssetChecksDefinition:
        @dg.asset_check(
            asset=asset,
            name=name,
            blocking=blocking,
            partitions_def=weekly,
            retry_policy=RETRIES,
            description=description,
        )
        def checked(context: dg.AssetCheckExecutionContext, prism: PrismResource) -> dg.AssetCheckResult:
            with failures_by_intent():
                reported = weeks_to_report(context, weeks_of(context), readers_zone(prism))
            return over_weeks(
                context, lambda week: judged(prism, week) if week in reported else (True, {"reported": False})
            )

        return checked

    return [
        check(
            _ANALYSIS,
            "no_ungrounded_figure",
            _grounded,
            "Every sentence passes the gate again, over figures that are read anew, and reads as it was written.",
            blocking=True,
        ),
        check(
            _ANALYSIS,
            "provenance_labelled",
            _labelled,
            "One writer wrote all sentences, a model with its name and prompt or code with the reason, and every "
            "department is told something.",
        ),
        check(
            _REPORT,
            "no_ungrounded_figure",
            _mail_grounded,
            "Every figure in the text of the mail is one of the report's facts, and every fact is what the "
            "published figures come to.",
            blocking=True,
        ),
        check(
            _REPORT,
            "fits_a_mail",
            _fits,
            f"The mail has at most {MOST_BYTES:,} bytes of HTML, a text, and pictures for light and dark.",
            blocking=True,
        ),
        check(
            _REPORT,
            "provenance_labelled",
            _mail_labelled,
            "The mail says who wrote its sentences, and that its figures are synthetic where they are.",
            blocking=True,
        ),
    ]


def _grounded(prism: PrismResource, week: Week) -> Outcome:
    rows, scope = rows_of(prism, CAMPAIGN_ANALYSIS, week), Told.of(prism).figures(week).scope
    words, _ = analysis_of(rows)
    said = [*words.headline, *words.analysis, *(one.statement for one in words.recommendations)]
    offences = [
        f"{one.offence}: {one.found}"
        for text in said
        for one in judge(text.prose, scope, text.about, claims=text.claims)
    ]
    other = [] if offences else [row["said"] for row in rows if not _reads_so(row["prose"], row["said"], scope)]
    facts = {"texts": len(rows), "refused": offences[:MOST_NAMED], "of_other_figures": other[:MOST_NAMED]}
    return bool(rows) and not offences and not other, facts


def _reads_so(prose: str, said: str, scope: Scope) -> bool:
    return written(prose, scope.facts, scope.names) == said


def _labelled(prism: PrismResource, week: Week) -> Outcome:
    rows = rows_of(prism, CAMPAIGN_ANALYSIS, week)
    words, by = analysis_of(rows)
    silent = {*Department} - {one.department for one in words.recommendations}
    prompts = {row["prompt"] for row in rows}
    whole = (by.model is not None and None not in prompts) if by.writer is Writer.MODEL else by.model is None
    facts = {"label": by.label, "model": by.model or "none", "not_told": sorted(silent)}
    return whole and not silent and bool(words.headline), facts


def _mail_grounded(prism: PrismResource, week: Week) -> Outcome:
    kept = _kept(prism, week)
    if kept is None:
        return _NONE
    strange = ungrounded(kept.content, render(kept.content).text)
    now = Told.of(prism).figures(week).ledger
    told = kept.content.scope.facts
    other = [f"{fact_id}: {fact.text}" for fact_id, fact in told.items() if now.get(fact_id) != fact]
    facts = {"facts": len(told), "ungrounded": strange[:MOST_NAMED], "not_published": other[:MOST_NAMED]}
    return not strange and not other, facts


def _fits(prism: PrismResource, week: Week) -> Outcome:
    kept = _kept(prism, week)
    if kept is None:
        return _NONE
    mail = render(kept.content)
    facts = {"html_bytes": len(mail.html), "text": len(mail.text), "pictures": len(mail.pictures)}
    return len(mail.html) <= MOST_BYTES and bool(mail.text) and len(mail.pictures) % 2 == 0, facts


def _mail_labelled(prism: PrismResource, week: Week) -> Outcome:
    kept = _kept(prism, week)
    if kept is None:
        return _NONE
    text, by = " ".join(render(kept.content).text.split()), kept.content.provenance
    synthetic = is_synthetic(prism, week)
    holds = by.label in text and (by.model or "") in text and (SYNTHETIC in text) is synthetic
    return holds, {"label": by.label, "synthetic": synthetic}


def _kept(prism: PrismResource, week: Week) -> Kept | None:
    return Shelf(prism.settings()).newest(ReportKind.CAMPAIGN, week)
