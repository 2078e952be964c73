"""The report of a campaign's week: its sentences, and the whole of it on the shelf from which it is mailed.

Belongs here: the two assets. Does not belong here: its figures (reporting.py), who writes sentences
(prism_resources/writing), its order and looks (prism_core/reports, prism_resources/reports), what must hold
(report_checks.py), and sending it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Final

import dagster as dg

from prism_assets.campaign.published import evidence_of
from prism_assets.campaign.reporting import Told, digest_of, is_synthetic
from prism_assets.campaign.sources import REPLAY_TAG
from prism_assets.checking import rows_of
from prism_assets.computed import Reading, read_for, replace_freely, write_facts
from prism_assets.overtaking import reading_again
from prism_assets.partitions import weeks_of
from prism_assets.reports.weeks import readers_zone, weeks_to_report
from prism_assets.resources import PrismResource
from prism_assets.restatements.running import publishing
from prism_assets.retries import RETRIES, failures_by_intent
from prism_assets.throughput.assets import OWNERS
from prism_core import clock
from prism_core.calendar import Week
from prism_core.campaign.figures import Figures
from prism_core.campaign.metrics import WINDOW_WEEKS
from prism_core.charts import as_markdown
from prism_core.evidence import Evidence, Part
from prism_core.failures import PermanentFailure
from prism_core.lake_campaign import CAMPAIGN_ANALYSIS
from prism_core.models.reports import ReportKind
from prism_core.reports import palette, pictures, plain_words
from prism_core.reports.analysis_rows import analysis_of, analysis_rows
from prism_core.reports.campaign import report
from prism_core.reports.content import Chart, Fallback, Provenance, ReportContent, Words, Writer
from prism_core.settings import CampaignSource
from prism_resources.lake import PartitionWrite, RestsOn
from prism_resources.lake_files import arrow_rows, content_of
from prism_resources.reports.rendering import ReportMail, render
from prism_resources.reports.shelf import Kept, Shelf
from prism_resources.writing.claude import Spent
from prism_resources.writing.passes import PROMPT, Written, by_code, write
from prism_resources.writing.remembering import Remembering

GROUP: Final = "reports"
# Parts of the evidence of an analysis: of which figures it is, and why words of a model were refused.
FIGURES, REASONS = "figures", "reasons"
_NOT_ENDED: Final = "not reported on by this run"


@dataclass(frozen=True, slots=True)
class _Analysis:
    """The sentences of a week, what they took, and where they were written."""

    words: Written
    spent: Sequence[Spent]
    recalled: int
    written: PartitionWrite


@dataclass(frozen=True, slots=True)
class _Report:
    """A report on the shelf, its mail, and whether the sentences of the analysis were of other figures."""

    kept: Kept
    mail: ReportMail
    outdated: bool


def telling_assets(
    weekly: dg.WeeklyPartitionsDefinition, freshness: dg.FreshnessPolicy
) -> list[dg.AssetsDefinition]:
    """`campaign_analysis` and `campaign_report`."""
    window = dg.TimeWindowPartitionMapping(start_offset=-WINDOW_WEEKS)
    figures = [
        dg.AssetDep("campaign_metrics", partition_mapping=window),
        dg.AssetDep("lead_attribution"),
        dg.AssetDep("campaign_trends"),
    ]

    @dg.asset(
        name="campaign_analysis",
        pool="campaign_analysis",
        deps=figures,
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "parquet", "s3"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "What the report of the week says in sentences: by a language model in three passes, every text "
            "judged by a gate that refuses a figure, direction or alarm that code has not computed, or by code, "
            "with the reason. The same figures are told in the same words: answers are kept."
        ),
    )
    def campaign_analysis(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:

            def read(weeks: Sequence[Week]) -> Reading[Told]:
                return read_for(prism, CAMPAIGN_ANALYSIS, weeks, lambda _weeks, _now: Told.of(prism))

            weeks = weeks_of(context)
            reported, first = weeks_to_report(context, weeks, readers_zone(prism)), read(weeks)
            for week in weeks:
                if week not in reported:
                    _leave(prism, week, first)
                    run.published(week, {"week": week.label, "left_as_it_was": _NOT_ENDED})
                    continue
                done = reading_again(week, first, read, partial(_analyse, context, prism, week))
                run.published(week, _analysis_metadata(week, done))
                context.log.info("sentences of %s: %s", week, done.words.provenance.label)

    @dg.asset(
        name="campaign_report",
        pool="campaign_report",
        deps=[*figures, campaign_analysis],
        partitions_def=weekly,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"python", "s3"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        freshness_policy=freshness,
        description=(
            "The campaign report of the week, on the shelf from which it is mailed: figures beside four weeks, "
            "what was told otherwise before, what is missing, what to do. What says the same as the newest one "
            "of its week is that one."
        ),
    )
    def campaign_report(context: dg.AssetExecutionContext, prism: PrismResource) -> None:
        with failures_by_intent(), publishing(context) as run:
            weeks, told = weeks_of(context), Told.of(prism)
            reported = weeks_to_report(context, weeks, readers_zone(prism))
            for week in weeks:
                if week not in reported:
                    run.published(week, {"week": week.label, "left_as_it_was": _NOT_ENDED})
                    continue
                done = _make(prism, week, told.figures(week))
                run.published(week, _report_metadata(week, done))
                context.log.info("%s: %d bytes", done.mail.subject, len(done.mail.html))
                if done.outdated:
                    context.log.warning("the sentences of %s were of other figures; code wrote them anew", week)

    return [campaign_analysis, campaign_report]


def _leave(prism: PrismResource, week: Week, reading: Reading[Told]) -> None:
    """A week without a report is one without a row, which its manifest says."""
    if CAMPAIGN_ANALYSIS.partition(week).manifest not in reading.known:
        nothing = content_of(CAMPAIGN_ANALYSIS, [arrow_rows(CAMPAIGN_ANALYSIS, [])])
        prism.lake().write_partition(
            CAMPAIGN_ANALYSIS, week, nothing, now=reading.now, known=reading.known, rests_on=RestsOn(), sparse=True
        )


def _analyse(
    context: dg.AssetExecutionContext, prism: PrismResource, week: Week, reading: Reading[Told]
) -> _Analysis:
    found = reading.computation.figures(week)
    words, spent, recalled = _words(context, prism, found)
    rows = list(analysis_rows(words.words, found.scope, words.provenance, PROMPT))
    written = replace_freely(
        prism,
        CAMPAIGN_ANALYSIS,
        week,
        rows,
        now=reading.now,
        known=reading.known,
        counts={"texts": len(rows), "refused": len(words.reasons), "repaired": int(words.repaired)},
        evidence=Evidence(
            {
                FIGURES: Part(("digest",), {(digest_of(found),): ""}),
                REASONS: Part(("place",), {(f"{at:02}",): said for at, said in enumerate(words.reasons)}),
            }
        ),
    )
    return _Analysis(words, spent, recalled, written)


def _words(
    context: dg.AssetExecutionContext, prism: PrismResource, found: Figures
) -> tuple[Written, Sequence[Spent], int]:
    """By the model, by what it has answered before, or by code."""
    settings = prism.settings()
    stand_in = settings.is_stand_in(settings.claude_api_url)
    if stand_in and not is_synthetic(prism, found.week):
        return by_code(found, Fallback.NO_KEY, "the stand-in of Claude tells of synthetic ads only"), (), 0
    archived = REPLAY_TAG in context.run.tags or settings.campaign_source is CampaignSource.ARCHIVE
    with Remembering(settings, prism.lake(), found.week, live=not archived) as model:
        words = write(found, model, context.log.info)
        model.ended(words)
    if stand_in and words.provenance.writer is Writer.MODEL:
        named = Provenance(Writer.MODEL, model=f"{words.provenance.model} (stand-in)")
        words = replace(words, provenance=named)
    return words, model.spent, model.recalled


def _analysis_metadata(week: Week, done: _Analysis) -> dict[str, object]:
    by, dollars = done.words.provenance, [one.dollars for one in done.spent]
    cost = sum((one or Decimal(0) for one in dollars), Decimal(0))
    return {
        "week": week.label,
        "dagster/row_count": done.written.manifest.rows,
        "writer": by.writer.value,
        "label": by.label,
        "model": by.model or "none",
        "prompt": PROMPT,
        "refused": dg.MetadataValue.json(list(done.words.reasons)),
        "repaired": done.words.repaired,
        "asked": len(done.spent),
        "recalled": done.recalled,
        "input_tokens": sum(one.input_tokens for one in done.spent),
        "cached_tokens": sum(one.cached_tokens for one in done.spent),
        "output_tokens": sum(one.output_tokens for one in done.spent),
        "milliseconds": sum(one.milliseconds for one in done.spent),
        "dollars": "no prices are set" if None in dollars else str(cost),
        **write_facts(done.written),
        "sentences": dg.MetadataValue.md(_as_list(done)),
    }


def _as_list(done: _Analysis) -> str:
    said = [one.prose for one in (*done.words.words.headline, *done.words.words.analysis)]
    said += [f"{one.department}: {one.statement.prose}" for one in done.words.words.recommendations]
    return "\n".join(f"- {one}" for one in said)


def _make(prism: PrismResource, week: Week, found: Figures) -> _Report:
    words, by, outdated = _sentences(prism, week, found)
    content = report(found, words, by, synthetic=is_synthetic(prism, week))
    if refused := content.refused():
        said = "; ".join(f"{one.offence}: {one.found}" for one in refused)
        raise PermanentFailure(f"the report of {week} says what its figures do not ({said}); nothing is mailed")
    kept = Shelf(prism.settings()).put(ReportKind.CAMPAIGN, content, now=clock.now())
    return _Report(kept, render(content), outdated)


def _sentences(prism: PrismResource, week: Week, found: Figures) -> tuple[Words, Provenance, bool]:
    """Those of the analysis; code's own where that is of other figures: no old word beside a new figure."""
    evidence = evidence_of(prism, CAMPAIGN_ANALYSIS, week)
    part = None if evidence is None else evidence.parts.get(FIGURES)
    if part is None or set(part.items) != {(digest_of(found),)}:
        return plain_words.words(found), Provenance(Writer.CODE, Fallback.NOT_ASKED), True
    return *analysis_of(rows_of(prism, CAMPAIGN_ANALYSIS, week)), False


def _report_metadata(week: Week, done: _Report) -> dict[str, object]:
    content, mail = done.kept.content, done.mail
    return {
        "week": week.label,
        "subject": mail.subject,
        "kept_in": done.kept.key,
        "content_hash": done.kept.content_hash,
        "made_at": done.kept.made_at.isoformat(),
        "html_bytes": len(mail.html),
        "picture_bytes": sum(len(one.png) for one in mail.pictures),
        "label": content.provenance.label,
        "synthetic": content.synthetic,
        "sentences_were_outdated": done.outdated,
        "corrections": dg.MetadataValue.json([content.text(one.prose) for one in content.corrections]),
        "missing": dg.MetadataValue.json([content.text(one.prose) for one in content.missing]),
        "preview": dg.MetadataValue.md(_preview(content, mail)),
    }


def _preview(content: ReportContent, mail: ReportMail) -> str:
    """The text of the mail, and its charts."""
    charts = [one for one in content.sections if isinstance(one, Chart)]
    drawn = [as_markdown(one.title, pictures.draw(one, content, palette.LIGHT).svg) for one in charts]
    return "\n\n".join((f"```\n{mail.text}```", *drawn))
