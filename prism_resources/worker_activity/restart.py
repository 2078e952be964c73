"""Starting a week over: what has landed goes, so that it can be loaded from nothing, from either source.

Belongs here: dropping raw activity, the source that it was bound to, and its place in the log. Does not belong
here: published figures, which stand until the week is computed anew.
"""

from prism_core.calendar import Week
from prism_core.lake import WORKER_ACTIVITY, raw_prefix
from prism_resources.lake import Lake
from prism_resources.worker_activity.log import cursor_key


def start_over(lake: Lake, week: Week) -> int:
    """Drop what has landed of a week; answers how many objects. Safe to repeat.

    The place in the log goes last: after a kill before that, the week has no source and can be dropped again.
    """
    keys = list(lake.keys(raw_prefix(WORKER_ACTIVITY, week)))
    for key in [*keys, cursor_key(week)]:
        lake.delete(key)
    return len(keys)
