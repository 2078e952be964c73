"""What a report says, before it is an e-mail: statements, cards, tables and charts over one ledger of facts.

Belongs here: the parts of a report, their text written out, their document for an archive, every statement judged
by the gate. Does not belong here: which figures there are (campaign) and how they look (resources).
Every text holds tokens where a figure or a name stands: who renders it writes no digit of its own.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from prism_core.calendar import Week
from prism_core.facts.gate import Refused, Scope, judge
from prism_core.facts.ledger import Fact, Ledger
from prism_core.facts.lexicon import Direction
from prism_core.facts.tokens import facts_of, named_in, written
from prism_core.failures import PermanentFailure

CARDS: Final = 4
# The section whose sentences name the figures that whoever writes them chooses.
COMPARED: Final = "Against the last four weeks"


class Department(StrEnum):
    """Who a recommendation is for."""

    MARKETING = "Marketing"
    DIGITAL = "Digital and Development"
    LEADERSHIP = "Leadership"


class Writer(StrEnum):
    """Who wrote the sentences: a model behind the gate, or code."""

    MODEL = "model"
    CODE = "code"


class Fallback(StrEnum):
    """Why code wrote them, as the report says it."""

    NO_KEY = "no model is set up"
    UNREACHABLE = "the model could not be reached"
    REFUSAL = "the model refused"
    TRUNCATED = "the model's answer was cut off"
    MALFORMED = "the model's answer was not in the agreed form"
    REJECTED = "the model's answer held figures or claims that the data does not"
    OVER_BUDGET = "what the model may cost was used up"
    NOT_ASKED = "the model was not asked"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who wrote the sentences; `model` is its name, `fallback` why it was not one."""

    writer: Writer
    fallback: Fallback | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if (self.writer is Writer.CODE) is not (self.fallback is not None):
            raise PermanentFailure("a report by code says why, and one by a model does not")

    @property
    def label(self) -> str:
        """The line under the report."""
        if self.fallback is None:
            return "Sentences by a language model, every figure by code."
        return f"Sentences and figures by code: {self.fallback.value}."


@dataclass(frozen=True, slots=True)
class Statement:
    """A text with tokens. `about`: the indicators whose directions and alarms it may tell.

    `claims`: it tells what happened, not what to do (gate.judge).
    """

    prose: str
    about: tuple[str, ...] = ()
    claims: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the first row; `value` and `note` hold tokens. A direction or alert is a word first.

    Without `lasting` the direction is that of this week alone; `large` when that went as far as an alert.
    """

    label: str
    value: str
    note: str = ""
    direction: Direction | None = None
    alert: bool = False
    lasting: bool = True
    large: bool = False


class Align(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    align: Align = Align.RIGHT


@dataclass(frozen=True, slots=True)
class Table:
    """Cells hold tokens; a row has a cell for every column, and `total` (none: there is none) as well.

    `further` rows are in the text and in an attached list, since a mail is not as long as a table may be.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    notes: tuple[Statement, ...] = ()
    further: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        for row in (*self.rows, *self.further, *((self.total,) if self.total else ())):
            if len(row) != len(self.columns):
                raise PermanentFailure(f"a row of {self.title} has {len(row)} of {len(self.columns)} cells")


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: the id of a fact at each of its labels, None where there is no figure."""

    label: str
    facts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`key` names its picture; `alt` says in words, with tokens, what it shows."""

    key: str
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    alt: Statement

    def __post_init__(self) -> None:
        if any(len(one.facts) != len(self.labels) for one in self.series):
            raise PermanentFailure(f"a line of {self.title} has not a figure or a gap for each label")


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs, or points where `bullets`. `status`: a word and its colour before them (campaign.activity)."""

    title: str
    statements: tuple[Statement, ...]
    bullets: bool = False
    status: tuple[str, str] | None = None


Section = Table | Chart | Prose


@dataclass(frozen=True, slots=True)
class Recommendation:
    department: Department
    statement: Statement


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences that a model or code writes: what happened, what it means, what to do."""

    headline: tuple[Statement, ...]
    analysis: tuple[Statement, ...]
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True, slots=True)
class ReportContent:
    """One edition of a report of a week. `scope` is what all its texts may rest on."""

    title: str
    week: Week
    scope: Scope
    headline: tuple[Statement, ...]
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    provenance: Provenance
    recommendations: tuple[Recommendation, ...] = ()
    # Figures of closed weeks that are others now ("leads of 2023-W31 were 41, now 47").
    corrections: tuple[Statement, ...] = ()
    # What is missing: rows that were refused, days without data, sources that did not answer.
    missing: tuple[Statement, ...] = ()
    edition: int = 1
    synthetic: bool = False
    # Of a week that cannot be judged: why, as its subject says it.
    unjudged: str = ""

    def __post_init__(self) -> None:
        if len(self.cards) != CARDS:
            raise PermanentFailure(f"a report has {CARDS} cards in its first row, not {len(self.cards)}")
        for text in self.texts():
            self.text(text)

    def text(self, prose: str) -> str:
        """A text written out. Raises PermanentFailure for a figure or name that the report does not have."""
        return written(prose, self.scope.facts, self.scope.names)

    def fact(self, fact_id: str) -> Fact:
        """Raises PermanentFailure when the report does not have it."""
        if fact_id not in self.scope.facts:
            raise PermanentFailure(f"the report has no fact {fact_id}")
        return self.scope.facts[fact_id]

    def statements(self) -> Iterator[Statement]:
        """Every sentence that the gate judges: all but labels and cells."""
        yield from (*self.headline, *self.corrections, *self.missing)
        for section in self.sections:
            match section:
                case Table():
                    yield from section.notes
                case Chart():
                    yield section.alt
                case Prose():
                    yield from section.statements
        yield from (one.statement for one in self.recommendations)

    def texts(self) -> Iterator[str]:
        """Every text that may hold tokens."""
        for card in self.cards:
            yield from (card.value, card.note)
        for section in self.sections:
            if isinstance(section, Table):
                yield from (cell for row in (*section.rows, *section.further, section.total) for cell in row)
        yield from (one.prose for one in self.statements())

    def refused(self) -> tuple[Refused, ...]:
        """What the gate says against the statements; nothing when the report may go out."""
        return tuple(
            offence
            for one in self.statements()
            for offence in judge(one.prose, self.scope, one.about, claims=one.claims)
        )

    def shown(self) -> tuple[str, ...]:
        """The ids of the facts that a reader sees, in the order in which they were added."""
        seen = {fact_id for text in self.texts() for fact_id in facts_of(text)}
        charts = [one for one in self.sections if isinstance(one, Chart)]
        seen |= {one for chart in charts for line in chart.series for one in line.facts if one is not None}
        return tuple(fact_id for fact_id in self.scope.facts if fact_id in seen)

    def fixed(self) -> frozenset[str]:
        """The ids of the facts that a reader sees in every edition of the week that knows them.

        Cards, headline, comparisons and recommendations name those that matter most, or that a model chooses.
        """
        seen = {fact_id for one in self.missing for fact_id in facts_of(one.prose)}
        for section in self.sections:
            match section:
                case Table():
                    lines = (*section.rows, *section.further, section.total)
                    texts = [*(cell for line in lines for cell in line), *(one.prose for one in section.notes)]
                    seen |= {fact_id for text in texts for fact_id in facts_of(text)}
                case Chart():
                    seen |= {one for line in section.series for one in line.facts if one is not None}
                case Prose() if section.title != COMPARED:
                    seen |= {fact_id for one in section.statements for fact_id in facts_of(one.prose)}
                case Prose():
                    pass
        return frozenset(seen)

    def used(self) -> Ledger:
        """The facts that a reader sees, and those that they were derived from."""
        return self._with_their_parts(self.shown())

    def kept(self) -> Ledger:
        """The same, and the totals of the week: another edition may show one that this one does not."""
        totals = (one.fact_id for one in self.scope.facts.values() if self._is_total(one))
        return self._with_their_parts((*self.shown(), *totals))

    def _is_total(self, fact: Fact) -> bool:
        return fact.subject is None and fact.period == self.week.label

    def _with_their_parts(self, fact_ids: Iterable[str]) -> Ledger:
        wanted = set(fact_ids)
        open_ids = list(wanted)
        while open_ids:
            new = set(self.fact(open_ids.pop()).of) - wanted
            wanted |= new
            open_ids += new
        return Ledger(fact for fact_id, fact in self.scope.facts.items() if fact_id in wanted)

    def document(self) -> dict[str, Any]:
        """JSON values of what a reader sees, the same for the same report: for the archive and `content_hash`.

        The totals of the week that no reader sees are among its facts.
        """
        named = {key for text in self.texts() for key in named_in(text)}
        return {
            "title": self.title,
            "week": self.week.label,
            "edition": self.edition,
            "synthetic": self.synthetic,
            "unjudged": self.unjudged,
            "provenance": {**_plain(self.provenance), "label": self.provenance.label},
            "headline": [_plain(one) for one in self.headline],
            "cards": [_plain(one) for one in self.cards],
            "sections": [_part(one) for one in self.sections],
            "recommendations": [_plain(one) for one in self.recommendations],
            "corrections": [_plain(one) for one in self.corrections],
            "missing": [_plain(one) for one in self.missing],
            "facts": [fact.document() for fact in self.kept().values()],
            "names": {key: self.scope.names[key] for key in sorted(named)},
        }

    def content_hash(self) -> str:
        """Of what a reader sees, without the number of the edition: an edition that says nothing new is none."""
        found = {name: value for name, value in self.document().items() if name != "edition"}
        text = json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _part(section: Section) -> dict[str, Any]:
    """Without `further` rows where there are none: a report that was kept without them is the same one."""
    found: dict[str, Any] = {"part": type(section).__name__.lower(), **_plain(section)}
    return {name: value for name, value in found.items() if name != "further" or value}


def _plain(part: Any) -> Any:
    if isinstance(part, str | bool | int | None):
        return str(part) if isinstance(part, StrEnum) else part
    if isinstance(part, tuple | list):
        return [_plain(one) for one in part]  # pyright: ignore[reportUnknownVariableType]
    return {name: _plain(getattr(part, name)) for name in part.__slots__}
