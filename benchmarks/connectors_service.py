"""The stand-in of Meta alone in a process, with as many ads as are wanted.

Belongs here: starting it and saying its port. Does not belong here: what is measured with it (connectors.py).
"""

import json
import sys

from benchmarks.connectors import CAMPAIGNS, TOKENS
from infra.local.serving import standins
from infra.local.standins.ads import DrawnAds, Plan
from infra.local.standins.claude import smallest_answer
from infra.local.standins.serving import ZONE
from infra.local.standins.world import World


def main(ads: int, page_ms: int) -> None:
    each = max(ads // CAMPAIGNS, 1)
    plans = [
        Plan(f"Synthetic {number}", "OUTCOME_LEADS", each, 14.0, 0.012, 0.07, 0.7)
        for number in range(min(CAMPAIGNS, ads))
    ]
    world = World(DrawnAds(plans), TOKENS, ZONE, smallest_answer)
    world.page_seconds = page_ms / 1000
    with standins(world, 0, "none") as port:
        print(json.dumps({"port": port}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
