"""What a language model answers for a report: the agreed form, and its sentences before the gate.

Belongs here: the forms of the three passes, reading an answer strictly, and turning it into words or into the
reasons why not. Does not belong here: asking (resources/writing) and what the gate refuses (facts).
A model writes no figure, no date behind a figure and no alert: code puts the times, and tells every alert itself.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field, ValidationError

from prism_core.campaign.figures import Figures
from prism_core.facts.gate import Refused, judge
from prism_core.facts.tokens import dated
from prism_core.models.base import Choice, Many, Model
from prism_core.reports import plain_words
from prism_core.reports.content import Department, Recommendation, Statement, Words

MOST_OFFENCES: Final = 40
_Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class Said(Model):
    """One or two plain sentences. `about`: ids of the indicators whose direction or alarm they tell."""

    prose: _Sentence
    about: Many[str] = Field(max_length=8)


class Read(Model):
    """The first pass: what the week shows, nothing made of it."""

    observations: Many[Said] = Field(min_length=1, max_length=12)


class Patterns(Model):
    """The second pass: what lasts against the four weeks, and what is only noise."""

    lasting: Many[Said] = Field(max_length=6)
    noise: Many[Said] = Field(max_length=6)


class Advice(Said):
    """What a department does about it."""

    department: Choice[Department]


class Telling(Model):
    """The third pass: what the readers get."""

    headline: Many[Said] = Field(min_length=1, max_length=3)
    analysis: Many[Said] = Field(min_length=1, max_length=6)
    recommendations: Many[Advice] = Field(min_length=len(Department), max_length=2 * len(Department))


@dataclass(frozen=True, slots=True)
class Offending:
    """A text of an answer and everything that is said against it."""

    prose: str
    against: tuple[Refused, ...]

    @property
    def reason(self) -> str:
        """As the model reads it in the round of repair."""
        said = "; ".join(f"{one.offence.value}: {one.found!r}, {one.why}" for one in self.against)
        return f"{self.prose!r} is refused. {said}"


def not_in_form(error: ValidationError) -> str:
    """Why an answer is not of the form, place by place; nothing of what was answered."""
    said = [f"{'.'.join(map(str, one['loc'])) or 'the answer'}: {one['msg']}" for one in error.errors()]
    return "; ".join(said[:MOST_OFFENCES])


def offending(telling: Telling, found: Figures) -> tuple[Offending, ...]:
    """Every text that may not be said, and a department without advice."""
    words = _words(telling, found)
    judged = [
        Offending(one.prose, against)
        for one in (*words.headline, *words.analysis, *(advice.statement for advice in words.recommendations))
        if (against := judge(one.prose, found.scope, one.about, claims=one.claims))
    ]
    return tuple(judged)


def without_advice(telling: Telling) -> tuple[Department, ...]:
    """Departments that nothing is said to."""
    told = {one.department for one in telling.recommendations}
    return tuple(one for one in Department if one not in told)


def words_of(telling: Telling, found: Figures) -> Words:
    """The words of an answer, with times behind figures; before them code's own of each alert and large move."""
    said = _words(telling, found)
    return Words((*plain_words.striking(found), *said.headline), said.analysis, said.recommendations)


def _words(telling: Telling, found: Figures) -> Words:
    own = found.week.label

    def statement(one: Said, *, claims: bool = True) -> Statement:
        return Statement(dated(one.prose, found.ledger, own), one.about, claims)

    return Words(
        tuple(statement(one) for one in telling.headline),
        tuple(statement(one) for one in telling.analysis),
        tuple(Recommendation(one.department, statement(one, claims=False)) for one in telling.recommendations),
    )
