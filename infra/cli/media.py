"""`prism media`: what other limits and other models would change.

Belongs here: the commands and how they print. Does not belong here: deciding and comparing
(prism_core/media/simulating.py).
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.console import out, plain, say
from infra.local.platform import attached
from prism_core.failures import BadUsage

media_app = typer.Typer(
    help="Images of articles: what other limits and models would change.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="for machines")]
_MOST = 500


@media_app.command()
def simulate(
    threshold: Annotated[str, typer.Option("--threshold", help="the limit to try, in percent")],
    category: Annotated[
        str | None, typer.Option("--category", help="only this limit, such as explicit; else all of them")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which analysed images another limit would hold back or let through. Nothing is asked or changed."""
    from prism_core.media.simulating import flips
    from prism_core.media.thresholds import LEAST_CONFIDENCE, GateThresholds
    from prism_resources.media.reconciling import Reconciling

    limit = _percent(threshold, LEAST_CONFIDENCE)
    if category is not None and category not in GateThresholds.model_fields:
        raise BadUsage(f"there is no limit {category!r}; there are {', '.join(GateThresholds.model_fields)}")
    with attached(say) as platform:
        now = platform.settings.image_thresholds
        images = list(Reconciling(platform.settings).analysed())
    found = flips(images, now, now.with_limit(limit, category))
    if as_json:
        rows = [
            {
                "article_id": one.article_id,
                "image_id": one.image_id,
                "label": one.finding.name,
                "confidence": str(one.finding.confidence),
                "accepted_now": one.accepted_now,
                "accepted_then": one.accepted_then,
            }
            for one in found
        ]
        typer.echo(json.dumps({"images": len(images), "threshold": str(limit), "flips": rows}))
        return
    table = Table("article", "image", "label", "%", "now", "then")
    for one in found:
        words = ["accepted" if accepted else "held back" for accepted in (one.accepted_now, one.accepted_then)]
        sure = f"{one.finding.confidence:.1f}"
        table.add_row(*(plain(text) for text in (one.article_id, one.image_id, one.finding.name, sure, *words)))
    out.print(table)
    what = "every limit" if category is None else f"the limit of {category}"
    out.print(plain(f"With {what} at {limit.normalize():f} % {len(found)} of {len(images)} images would flip."))


@media_app.command("drift")
def drift_sample(
    sample: Annotated[int, typer.Option("--sample", min=1, max=_MOST, help="so many of the newest images")] = 10,
    as_json: Json = False,
) -> None:
    """Ask the analyser of today about the newest images again, beside what is stored. Nothing is stored."""
    from prism_resources.media.reconciling import Reconciling

    with attached(say) as platform:
        found = Reconciling(platform.settings).sample(sample)
    if as_json:
        rows = [
            {
                "article_id": one.image.article_id,
                "image_id": one.image.image_id,
                "model_then": one.before.moderation_model,
                "model_now": one.after.moderation_model,
                "labels": [
                    {"name": label.name, "before": _text(label.before), "after": _text(label.after)}
                    for label in one.labels
                ],
            }
            for one in found
        ]
        typer.echo(json.dumps({"images": rows}))
        return
    table = Table("article", "image", "model then", "model now", "label", "then %", "now %")
    for one in found:
        about = (one.image.article_id, one.image.image_id, one.before.moderation_model, one.after.moderation_model)
        for label in one.labels:
            figures = (_text(label.before) or "-", _text(label.after) or "-")
            table.add_row(*(plain(text) for text in (*about, label.name, *figures)))
    out.print(table)
    drifted = sum(bool(one.labels) for one in found)
    out.print(plain(f"{drifted} of {len(found)} images are labelled otherwise by the model of today."))


def _percent(text: str, least: int) -> Decimal:
    try:
        limit = Decimal(text.removesuffix("%"))
    except InvalidOperation as error:
        raise BadUsage(f"--threshold is a number of percent such as 70, not {text!r}") from error
    if not limit.is_finite() or not least <= limit <= 100:
        raise BadUsage(f"--threshold is a number from {least} to 100, not {text}: below {least} nothing is kept")
    return limit


def _text(confidence: Decimal | None) -> str | None:
    return None if confidence is None else f"{confidence:.1f}"
