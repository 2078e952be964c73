"""A plan as it is kept: with the week that it was made of, its scenario and its explanation, as one JSON text.

Belongs here: writing and reading that text, and the fingerprint of a week to plan. Does not belong here: where the
text lies (prism_resources/plans) and the plan's own part of it (document.py).
The week is kept whole, since the tables go on changing: a plan can be explained, and candidates ranked, as long as
it is stored. Ids, hours, skills and scores are in it; no names, addresses or reasons of persons.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from prism_core.calendar import Week
from prism_core.capacity.describing import Described
from prism_core.capacity.document import plan_document, plan_of
from prism_core.capacity.explanation import Explanation
from prism_core.capacity.plan import PlanResult
from prism_core.capacity.problem import Pair, PlanProblem
from prism_core.capacity.scenario import Scenario
from prism_core.failures import PermanentFailure

_T = TypeVar("_T")
FORMAT: Final = 1
# No JSON key has two parts: these stand as rows of member, project and figure.
_OF_PAIRS: Final = ("previous", "published", "quality")
_FINGERPRINT: Final = 32


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan with all that it was made of. `unplaced`: requests that no project takes up, and why.

    `over` is the publication of the week that stood when the week was read, 0 for none.
    `explanation` is None where the week is too large to explain whole; its parts can still be asked for.
    """

    problem: PlanProblem
    plan: PlanResult
    unplaced: Mapping[str, str]
    scenario: Scenario | None = None
    explanation: Explanation | None = None
    over: int = 0

    @property
    def document(self) -> dict[str, Any]:
        """The plan as people and machines read it."""
        return plan_document(Described(self.problem, self.unplaced), self.plan)


def kept_text(kept: KeptPlan) -> bytes:
    """The JSON text. Equal plans give equal texts."""
    return msgspec.json.encode(
        {
            "format": FORMAT,
            "fingerprint": fingerprint(kept.problem),
            "over": kept.over,
            "scenario": None if kept.scenario is None else kept.scenario.plain(),
            "plan": kept.document,
            "problem": _problem_document(kept.problem),
            "explanation": explanation_document(kept.explanation) if kept.explanation else None,
        }
    )


def read_kept(text: bytes) -> KeptPlan:
    """What a text keeps. Raises PermanentFailure for one of another format."""
    values = msgspec.json.decode(text, type=dict[str, Any])
    if values.get("format") != FORMAT:
        raise PermanentFailure(f"this is no plan of format {FORMAT}; plan the week again")
    told, scenario = values["explanation"], values["scenario"]
    return KeptPlan(
        problem=_problem_of(values["problem"]),
        plan=plan_of(values["plan"]),
        unplaced=values["plan"]["unplaced"],
        scenario=None if scenario is None else Scenario.model_validate(scenario),
        explanation=None if told is None else read_explanation(Explanation, told),
        over=values.get("over", 0),
    )


def fingerprint(problem: PlanProblem) -> str:
    """32 hexadecimal digits of a week to plan: the same week, weights and wishes give the same ones."""
    text = msgspec.json.encode(_problem_document(problem), order="sorted")
    return hashlib.sha256(text).hexdigest()[:_FINGERPRINT]


def explanation_document(part: Any) -> Any:
    """An explanation, or a part of one, as JSON values."""
    return msgspec.to_builtins(part, enc_hook=_plain_week, str_keys=True)


def read_explanation(kind: type[_T], document: object) -> _T:
    """The inverse: an explanation, or a part of one."""
    return msgspec.convert(document, kind, dec_hook=_week_of)


def _problem_document(problem: PlanProblem) -> dict[str, Any]:
    values = {field.name: getattr(problem, field.name) for field in fields(problem)}
    for name in _OF_PAIRS:
        values[name] = [[*pair, figure] for pair, figure in sorted(values[name].items())]
    made: dict[str, Any] = msgspec.to_builtins(values, enc_hook=_plain_week, str_keys=True)
    return made


def _problem_of(document: Mapping[str, Any]) -> PlanProblem:
    values = dict(document)
    pairs: dict[str, dict[Pair, Decimal]] = {
        name: {(member, project): Decimal(figure) for member, project, figure in values.pop(name)}
        for name in _OF_PAIRS
    }
    return replace(msgspec.convert(values, PlanProblem, dec_hook=_week_of), **pairs)


def _plain_week(value: object) -> str:
    if isinstance(value, Week):
        return value.label
    raise TypeError(f"{type(value).__name__} has no place in a kept plan")


def _week_of(kind: type, value: object) -> Week:
    if kind is Week and isinstance(value, str):
        return Week.parse(value)
    raise TypeError(f"{kind.__name__} has no place in a kept plan")
