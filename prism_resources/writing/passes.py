"""The three passes over a week (read, find what lasts, recommend), the gate, and one round of repair.

Belongs here: what is asked in which order, and which words a report gets. Does not belong here: the call itself
(claude.py) and the form of answers (prism_core/reports/answers.py).
Whatever goes wrong, there are words: those of code, with the reason, which the report says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol, TypeVar

from pydantic import ValidationError

from prism_core.campaign.figures import Figures
from prism_core.models.base import Model
from prism_core.reports import plain_words
from prism_core.reports.answers import (
    Offending,
    Patterns,
    Read,
    Telling,
    not_in_form,
    offending,
    without_advice,
    words_of,
)
from prism_core.reports.content import Fallback, Provenance, Words, Writer
from prism_resources.writing.brief import brief

PROMPT: Final = "campaign-5"
_M = TypeVar("_M", bound=Model)
_READ: Final = (
    "First pass. Read the week. List what the figures and indicators show, the most important first, at most "
    "twelve observations; make nothing of them yet."
)
_PATTERNS: Final = (
    "Second pass. Set your observations against the four weeks before. `lasting`: what an indicator says lasts. "
    "`noise`: what moved and is no news. Both may be empty."
)
_TELL: Final = (
    "Third pass. Write what the readers get: the headline, the analysis, and for each of the three departments "
    "what to do. Where nothing lasts, say that nothing is to be done."
)


class Unusable(Exception):
    """No answer that can be used. `fallback` is what the report says of it, `detail` what a person reads."""

    def __init__(self, fallback: Fallback, detail: str) -> None:
        super().__init__(detail)
        self.fallback, self.detail = fallback, detail


class Asked(Protocol):
    """A model that answers: text of JSON values of the form. Raises Unusable."""

    model: str

    def ask(self, step: str, system: str, turns: "list[tuple[str, str]]", schema: Mapping[str, Any]) -> str: ...


@dataclass(frozen=True, slots=True)
class Written:
    """The words of a report, who wrote them, and why not the model (`reasons`, one a line, for people)."""

    words: Words
    provenance: Provenance
    reasons: tuple[str, ...] = field(default=())
    repaired: bool = False


@cache
def prompt(name: str = PROMPT) -> str:
    """The text of a prompt. A prompt that was used is never altered: another one gets another number."""
    return files("prism_resources.writing").joinpath(f"prompts/{name}.md").read_text("utf-8")


def by_code(found: Figures, fallback: Fallback, *reasons: str) -> Written:
    """The words without a model."""
    return Written(plain_words.words(found), Provenance(Writer.CODE, fallback), reasons)


def write(found: Figures, model: Asked, progress: Callable[[str], None]) -> Written:
    """The words of a week by a model whose every sentence passed the gate, or those of code."""
    try:
        return _passes(found, model, progress)
    except Unusable as reason:
        progress(f"{reason.fallback.value}: {reason.detail}")
        return by_code(found, reason.fallback, reason.detail)


def _passes(found: Figures, model: Asked, progress: Callable[[str], None]) -> Written:
    turns = [("user", f"The week:\n{brief(found)}\n\n{_READ}")]
    for step, form, following in (("read", Read, _PATTERNS), ("patterns", Patterns, _TELL)):
        progress(f"pass {step}")
        answer = model.ask(step, prompt(), turns, schema_of(form))
        in_form(form, answer)
        turns += [("assistant", answer), ("user", following)]
    progress("pass recommend")
    answer = model.ask("recommend", prompt(), turns, schema_of(Telling))
    telling, reasons = _told(answer, found)
    if telling is not None and not reasons:
        return Written(words_of(telling, found), Provenance(Writer.MODEL, model=model.model))
    progress(f"the gate refused {len(reasons)} texts; one round of repair")
    asked = "Your answer was refused. Write it again as a whole. " + " ".join(reasons)
    turns += [("assistant", answer), ("user", asked)]
    telling, still = _told(model.ask("repair", prompt(), turns, schema_of(Telling)), found)
    if telling is not None and not still:
        return Written(
            words_of(telling, found), Provenance(Writer.MODEL, model=model.model), reasons, repaired=True
        )
    fallback = Fallback.MALFORMED if telling is None else Fallback.REJECTED
    return by_code(found, fallback, *still)


def _told(answer: str, found: Figures) -> tuple[Telling | None, tuple[str, ...]]:
    """The answer read, and why it may not be said; None when it has not the form."""
    try:
        telling = in_form(Telling, answer)
    except Unusable as reason:
        return None, (reason.detail,)
    judged = [one.reason for one in _distinct(offending(telling, found))]
    silent = [f"There is nothing for {one.value}." for one in without_advice(telling)]
    return telling, (*judged, *silent)


def _distinct(found: tuple[Offending, ...]) -> list[Offending]:
    return list({one.prose: one for one in found}.values())


def in_form(form: type[_M], answer: str) -> _M:
    """An answer read strictly. Raises Unusable."""
    try:
        return form.model_validate_json(answer)
    except ValidationError as error:
        raise Unusable(Fallback.MALFORMED, f"not of the form: {not_in_form(error)}") from error


def schema_of(form: type[Model]) -> Mapping[str, Any]:
    """The JSON schema of a form. Its bounds are judged here: the service does not hold answers to them."""
    return form.model_json_schema()
