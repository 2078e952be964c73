"""Two runs that compute one week at once, such as one of the daemon and one by hand.

Belongs here: reading again, for a run that another one was faster than. Does not belong here: telling that it was
(prism_resources: each week is replaced only as it stood before its inputs were read).
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from prism_assets.restatements.gate import Refused
from prism_core.calendar import Week
from prism_resources.lake import Superseded
from prism_resources.tables.generations import Overtaken

# Times that a week is computed, while other runs publish it.
ATTEMPTS: Final = 3

B = TypeVar("B")
T = TypeVar("T")


def reading_again(week: Week, first: B, read: Callable[[Sequence[Week]], B], publish: Callable[[B], T]) -> T:
    """What `publish` answers for a week: on what was read for all weeks of the run, and on what is read again when
    another run has published the week since.

    A reading begins with what stands, so that nobody replaces what was computed from later inputs. What would be
    refused is read again once, too: figures from before another run's may be far from what that one published.
    Raises Overtaken or Superseded when other runs were faster each time.
    """
    reading = first
    for attempt in range(ATTEMPTS):
        try:
            return publish(reading)
        except (Overtaken, Superseded):
            if attempt + 1 == ATTEMPTS:
                raise
        except Refused:
            if attempt:
                raise
        reading = read([week])
    raise AssertionError("the last attempt answers or raises")
