"""What only a solver can say of a stored plan: candidates for a line, reasons of a part of a large plan.

Belongs here: finding the plan and asking the engine. Does not belong here: what the API reads from a body itself.
"""

from typing import Any

from prism_core.capacity.explain import Explainer
from prism_core.capacity.explanation import Explanation
from prism_core.capacity.kept import KeptPlan, explanation_document
from prism_core.failures import BadUsage
from prism_core.settings import Settings
from prism_resources.plans.bodies import read_body
from prism_resources.plans.storing import PlanStore

# Who looks at one line of a plan looks at the next. By the key of a body, which never changes.
_known: dict[str, tuple[KeptPlan, Explainer]] = {}


def candidates(settings: Settings, plan_id: str, line: str) -> list[Any]:
    """Who could work an hour more on a line, the best first. Raises BadUsage for a line that there is not."""
    _, explainer = _explainer(settings, plan_id)
    return [explanation_document(one) for one in explainer.candidates(line)]


def explained(settings: Settings, plan_id: str, member_id: str | None, line: str | None) -> Any:
    """The explanation of a member's week, or of a line's open hours. Raises BadUsage for one that is not there."""
    kept, explainer = _explainer(settings, plan_id)
    whose = tuple(one for one in kept.plan.assignments if one.member_id == member_id)
    return explanation_document(
        Explanation(
            week=kept.plan.week,
            relative_to=explainer.relative_to,
            given_up=explainer.given_up,
            assignments=explainer.assignments(whose),
            unmet=() if line is None else (explainer.line(line),),
            members=() if member_id is None else (explainer.member(member_id),),
        )
    )


def _explainer(settings: Settings, plan_id: str) -> tuple[KeptPlan, Explainer]:
    plan = PlanStore(settings).load(plan_id)
    if plan is None or plan.body is None:
        raise BadUsage(f"there is no plan {plan_id}, or it is not solved")
    if plan.body not in _known:
        kept = read_body(settings, plan)
        _known.clear()
        _known[plan.body] = kept, Explainer(kept.problem, kept.plan)
    return _known[plan.body]
