"""A cold start without pauses.

Belongs here: making what stays for good while the garbage collector waits. It would search a growing heap again
and again for garbage that is not there: a sixth of the CPU time of a start, benchmarks/api_init.py. What was made
is frozen, else the collector goes through all of it at once when it goes on: another seventh.
Does not belong here: what is made.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def building() -> Iterator[None]:
    """Import and make things inside; the collector goes on afterwards."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
