"""Reading ahead: results in turn, while those of the next items are on their way.

Belongs here: the one bounded way to do many short reads at once. Does not belong here: any read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

AT_ONCE: Final = 8  # well below the connections of a client, since other threads read, too

A = TypeVar("A")
B = TypeVar("B")


def read_ahead(read: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """What `read` answers of each item, in order; at most AT_ONCE answers wait to be taken.

    Raises what a read raises when its turn comes.
    """
    left = iter(items)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = deque(pool.submit(read, item) for item in islice(left, AT_ONCE))
        while waiting:
            answer = waiting.popleft().result()
            waiting.extend(pool.submit(read, item) for item in islice(left, 1))
            yield answer
