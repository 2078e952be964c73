"""Tables of a report that its mail has no room for, as files for a spreadsheet.

Belongs here: CSV. Does not belong here: what is in a table (prism_core/reports), and MIME (messages.py).
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from prism_core.facts.tokens import the_fact_of
from prism_core.reports import wording
from prism_core.reports.content import ReportContent, Table
from prism_core.workbooks.exporting import BOM, neutral
from prism_resources.messages import Attached

_OTHER: Final = re.compile(r"[^a-z0-9]+")


def lists_of(content: ReportContent) -> Iterator[Attached]:
    """Each table with further rows, whole: `campaigns-2023-W35.csv`. The same report gives the same bytes."""
    for one in content.sections:
        if isinstance(one, Table) and one.further:
            slug = _OTHER.sub("-", one.title.lower()).strip("-")
            yield Attached(f"{slug}-{content.week}.csv", _csv(content, one))


def _csv(content: ReportContent, table: Table) -> bytes:
    words = wording.table(content, table, units_in_heads=True)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(words.heads)
    written = zip((*table.rows, *table.further), (*words.rows, *words.further), strict=True)
    for cells, texts in written:
        writer.writerow([_value(cell, text) for cell, text in zip(cells, texts, strict=True)])
    return BOM + target.getvalue().encode()


def _value(cell: str, text: str) -> str:
    """A figure as a spreadsheet reads it, without the commas of thousands; a name as no formula."""
    if the_fact_of(cell) is not None:
        return text.replace(",", "").replace("\N{NO-BREAK SPACE}", " ")
    return neutral(text)
