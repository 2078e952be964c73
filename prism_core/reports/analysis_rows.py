"""The sentences of a report as rows of the lake, and back.

Belongs here: both directions, without a word changing on the way. Does not belong here: the columns
(lake_campaign.py), and who writes the sentences.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from prism_core.facts.gate import Scope
from prism_core.facts.tokens import written
from prism_core.failures import PermanentFailure
from prism_core.reports.content import (
    Department,
    Fallback,
    Provenance,
    Recommendation,
    Statement,
    Words,
    Writer,
)

HEADLINE, ANALYSIS, RECOMMENDATION = "headline", "analysis", "recommendation"
Row = Mapping[str, Any]
_PARTS: Final = (HEADLINE, ANALYSIS, RECOMMENDATION)


def analysis_rows(words: Words, scope: Scope, by: Provenance, prompt: str) -> Iterator[dict[str, Any]]:
    """Rows of `campaign_analysis` without their week."""
    said: list[tuple[str, int, Department | None, Statement]] = [
        *((HEADLINE, at, None, one) for at, one in enumerate(words.headline)),
        *((ANALYSIS, at, None, one) for at, one in enumerate(words.analysis)),
        *((RECOMMENDATION, at, one.department, one.statement) for at, one in enumerate(words.recommendations)),
    ]
    for part, place, department, one in said:
        yield {
            "part": part,
            "place": place,
            "department": None if department is None else department.value,
            "said": written(one.prose, scope.facts, scope.names),
            "prose": one.prose,
            "about": json.dumps(list(one.about)),
            "writer": by.writer.value,
            "fallback": None if by.fallback is None else by.fallback.value,
            "model": by.model,
            "prompt": prompt if by.writer is Writer.MODEL else None,
        }


def analysis_of(rows: Iterable[Row]) -> tuple[Words, Provenance]:
    """The inverse of `analysis_rows`. Raises PermanentFailure for rows of no analysis, or of several."""
    ordered = sorted(rows, key=lambda row: (_PARTS.index(row["part"]), row["place"]))
    writers = {(row["writer"], row["fallback"], row["model"]) for row in ordered}
    if len(writers) != 1:
        raise PermanentFailure(f"the sentences of a week have {len(writers)} writers; materialise them again")
    ((writer, fallback, model),) = writers

    def of(part: str) -> list[Row]:
        return [row for row in ordered if row["part"] == part]

    words = Words(
        tuple(_statement(row) for row in of(HEADLINE)),
        tuple(_statement(row) for row in of(ANALYSIS)),
        tuple(
            Recommendation(Department(row["department"]), _statement(row, claims=False))
            for row in of(RECOMMENDATION)
        ),
    )
    return words, Provenance(Writer(writer), None if fallback is None else Fallback(fallback), model)


def _statement(row: Row, *, claims: bool = True) -> Statement:
    return Statement(row["prose"], tuple(json.loads(row["about"])), claims)
