"""Every figure of a mail that was written, beside the facts that it was written from.

Belongs here: finding figures in a text that nothing gives. Does not belong here: sentences and what they claim
(facts/gate.py), which is judged before anything is written.
It reads the mail as a reader does, and knows nothing of tokens: what the gate or a template let through is seen.
"""

import re
from typing import Final

from prism_core.reports import wording
from prism_core.reports.content import Chart, ReportContent

_LABEL: Final = re.compile(r"\b\d{4}-(?:W\d{2}|\d{2}-\d{2})\b")
_FIGURE: Final = re.compile(r"\d+(?:[.,]\d+)*")


def ungrounded(content: ReportContent, text: str) -> tuple[str, ...]:
    """Figures of a text of this report that are of none of its facts, names, weeks and days, each once."""
    charts = [label for one in content.sections if isinstance(one, Chart) for label in one.labels]
    given = [fact.text for fact in content.used().values()]
    labels = set(_LABEL.findall(" ".join((content.week.label, *charts, *content.texts(), *given))))
    given += [content.text(f"{{{{name:{key}}}}}") for key in content.scope.names]
    given += [wording.days(content.week), content.provenance.model or "", str(content.edition)]
    known = {one for words in given for one in _FIGURE.findall(words)}
    found = [label for label in _LABEL.findall(text) if label not in labels]
    found += [one for one in _FIGURE.findall(_LABEL.sub(" ", text)) if one not in known]
    return tuple(dict.fromkeys(found))
