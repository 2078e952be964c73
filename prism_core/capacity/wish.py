"""What a plan is asked for: a scenario, weights of its own, time to polish.

Belongs here: the wish, and the week to plan that it makes of the items. Does not belong here: solving
(proposing.py), so that whoever only takes a wish needs no solver.
"""

from typing import Annotated, Final

from pydantic import Field

from prism_core.calendar import Week
from prism_core.capacity.describing import Described, Items, describe
from prism_core.capacity.problem import Weights
from prism_core.capacity.scenario import Scenario, apply
from prism_core.capacity.weighting import WeightsChange, weighted
from prism_core.models.base import Model

# The name of a plan that no scenario changes.
BASE: Final = "base"
MOST_SECONDS: Final = 60


class PlanWish(Model):
    """`weights` instead of those of the settings, below those of the scenario. `seconds`: how long to go on where
    limits of people, projects or blocks leave a gap."""

    scenario: Scenario | None = None
    weights: WeightsChange | None = None
    seconds: Annotated[int, Field(ge=0, le=MOST_SECONDS)] = 5

    @property
    def name(self) -> str:
        """That of the scenario."""
        return BASE if self.scenario is None else self.scenario.name


def wished(week: Week, items: Items, wish: PlanWish, weights: WeightsChange) -> Described:
    """The week to plan. `weights` are those of the settings.

    Raises BadScenario that names every member, project or day that the week does not have.
    """
    described = describe(week, items, weighted(Weights(), weights, wish.weights))
    if wish.scenario is None:
        return described
    return Described(apply(wish.scenario, described.problem), described.unplaced)
