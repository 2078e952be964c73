"""`prism report evaluate`: how often a model's reports miss something, alarm for nothing, or are not the model's.

Belongs here: the command and how it prints. Does not belong here: telling a week and what is wrong with it
(prism_resources/writing/evaluation.py), drawing weeks, and lies (infra/local/standins).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from infra.cli.console import count_of, err, fail, out, plain, say, step_progress
from infra.local.standins.liars import Lie
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from prism_core.campaign.figures import Figures
    from prism_resources.writing.evaluation import Evaluated, Evaluation
    from prism_resources.writing.passes import Asked

RUNS = 20


class Wanted(StrEnum):
    """Models beside those that tell one lie."""

    HONEST = "honest"
    LYING = "lying"
    LIVE = "live"


MODELS = (*(one.value for one in Wanted), *(one.value for one in Lie))


def evaluate(
    runs: Annotated[int, typer.Option("--runs", min=1, max=10_000, help="synthetic weeks to tell")] = RUNS,
    weeks: Annotated[str, typer.Option("--weeks", help="computed weeks of this platform, instead")] = "",
    model: Annotated[str, typer.Option("--model", help="who tells them")] = Wanted.HONEST,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of tables")] = False,
) -> None:
    """Let a model tell weeks, on the way of every report, and count what is wrong. Keeps and sends nothing.

    Every second synthetic week is plain noise, into the others something is planted.
    """
    if model not in MODELS:
        raise BadUsage(f"there is no model {model!r}; there are {', '.join(MODELS)}")
    lies = tuple(Lie) if model == Wanted.LYING else () if model in set(Wanted) else (Lie(model),)
    found = _of_platform(WeekRange.parse(weeks), model, lies) if weeks else _synthetic(runs, model, lies)
    from prism_resources.writing.evaluation import together

    sums = together(found)
    if as_json:
        said = [_document(one) for one in found]
        typer.echo(json.dumps({"model": model, **asdict(sums), "reports": said}))
    else:
        _print(model, sums, found)
    if sums.ungrounded:
        raise fail(f"{count_of(sums.ungrounded, 'figure', 'figures')} of no fact would have been delivered")


def _synthetic(runs: int, model: str, lies: tuple[Lie, ...]) -> "list[Evaluated]":
    from prism_core.campaign.planted import planted_ads
    from prism_resources.writing.evaluation import evaluated

    with _model(model, lies) as (prepare, asked), step_progress("telling weeks", runs) as progress:
        found: list[Evaluated] = []
        for seed in range(runs):
            prepare(seed)
            found.append(evaluated(planted_ads(seed), asked))
            progress.advance(progress.task_ids[0])
    return found


def _of_platform(weeks: WeekRange, model: str, lies: tuple[Lie, ...]) -> "list[Evaluated]":
    from infra.local.platform import attached
    from infra.local.serving import outside
    from prism_assets.campaign.reporting import Told
    from prism_assets.resources import PrismResource
    from prism_resources.writing.evaluation import told

    with attached(say, beside=outside):
        source = Told.of(PrismResource())
        figures: list[Figures] = [source.figures(week) for week in weeks]
    with _model(model, lies) as (prepare, asked), step_progress("telling weeks", len(figures)) as progress:
        found: list[Evaluated] = []
        for seed, week in enumerate(figures):
            prepare(seed)
            found.append(told(week, asked))
            progress.advance(progress.task_ids[0])
    return found


@contextmanager
def _model(model: str, lies: tuple[Lie, ...]) -> "Iterator[tuple[Callable[[int], object], Asked]]":
    """A model, and what makes it ready for the week of a seed."""
    if model != Wanted.LIVE:
        from infra.local.standins.trials import set_up, trial

        with trial() as (world, asked):
            yield (lambda seed: set_up(world, seed, lies)), asked
        return
    from infra.local.platform import attached
    from infra.local.serving import outside
    from infra.local.standins.trials import keep_nothing
    from prism_core.failures import PermanentFailure
    from prism_resources.writing.passes import Unusable
    from prism_resources.writing.remembering import claude_of, key_of

    with attached(say, beside=outside) as platform:
        try:
            key = key_of(platform.settings)
        except Unusable as reason:
            raise PermanentFailure(reason.detail) from reason
        with claude_of(platform.settings, key, keep_nothing) as asked:
            yield (lambda _: None), asked


def _document(one: "Evaluated") -> dict[str, object]:
    return {
        "week": one.content.week.label,
        "planted": one.planted,
        "writer": one.by.writer,
        "fallback": one.by.fallback,
        "repaired": one.repaired,
        "missed": sorted(one.missed),
        "false_alarms": sorted(one.false_alarms),
        "ungrounded": list(one.ungrounded),
        "reasons": list(one.reasons),
    }


def _print(model: str, sums: "Evaluation", found: "list[Evaluated]") -> None:
    noise = sums.weeks - sums.planted
    shown = Table("what", "reports", title=f"{count_of(sums.weeks, 'week', 'weeks')} told by {model}")
    if any(one.planted for one in found):
        shown.add_row("a planted anomaly missed", f"{sums.missed} of {sums.planted}")
        shown.add_row("a false alarm", f"{sums.false_alarms} of {sums.weeks}, {noise} of them plain noise")
    shown.add_row("figures of no fact", str(sums.ungrounded))
    shown.add_row("repaired by the model", str(sums.repaired))
    shown.add_row("written by code instead", str(sum(sums.fallbacks.values())))
    for reason, count in sorted(sums.fallbacks.items()):
        shown.add_row(f"  {reason}", str(count))
    out.print(shown)
    for one in found:
        for what in one.ungrounded:
            err.print("[red]no fact:[/red]", plain(f"{one.content.week}: {what}"))
