"""Other weights than those of the code: what a setting, a plan or a scenario names, the rest stays.

Belongs here: reading them and laying them over others. Does not belong here: what they mean (problem.py, with the
units) and whether a problem with them can be solved (checking.py). Light, since every function reads the settings.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from prism_core.models.base import Hours, Many, Model

if TYPE_CHECKING:
    from prism_core.capacity.problem import Weights

_PRIORITIES: Final = 5
Points = Annotated[Hours, Field(le=10_000)]


class WeightsChange(Model):
    """Weights instead of those in force, in the units of docs/capacity.md; the others stay."""

    priority: Annotated[Many[Points], Field(min_length=_PRIORITIES, max_length=_PRIORITIES)] | None = None
    sla_this_week: Points | None = None
    sla_next_week: Points | None = None
    continuity: Points | None = None
    level_surplus: Points | None = None
    quality: Points | None = None
    overtime: Points | None = None
    fairness: Points | None = None


def weighted(weights: "Weights", *changes: WeightsChange | None) -> "Weights":
    """The weights with each change laid over those before it."""
    for change in changes:
        if change is not None:
            named = {name: getattr(change, name) for name in sorted(change.model_fields_set)}
            weights = replace(weights, **{name: one for name, one in named.items() if one is not None})
    return weights
