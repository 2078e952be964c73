"""From the items of a week to a plan that can be kept: described, solved, explained.

Belongs here: the order of these steps, for whoever plans (function, asset, command). Does not belong here: reading
items and keeping plans.
"""

from typing import Final

from prism_core.calendar import Week
from prism_core.capacity.describing import Items
from prism_core.capacity.explain import explain
from prism_core.capacity.kept import KeptPlan
from prism_core.capacity.solve import solve
from prism_core.capacity.weighting import WeightsChange
from prism_core.capacity.wish import PlanWish, wished

# Members times demand lines; of a larger week parts are explained when somebody looks at them.
EXPLAINED: Final = 50_000


def propose(week: Week, items: Items, wish: PlanWish, weights: WeightsChange) -> KeptPlan:
    """The best plan of a week as it is asked for. `weights` are those of the settings.

    Raises BadScenario or BadProblem with everything that is wrong.
    """
    described = wished(week, items, wish, weights)
    problem = described.problem
    plan = solve(problem, polish_seconds=float(wish.seconds))
    whole = len(problem.members) * len(problem.lines) <= EXPLAINED
    explanation = explain(problem, plan) if whole else None
    return KeptPlan(problem, plan, described.unplaced, wish.scenario, explanation, items.publication)
