"""Standard output, kept for answers while the solver of a plan prints what it likes.

Belongs here: that redirection. Does not belong here: what an answer is: the JSON of a command, and what a function
answers to the emulator, stand on standard output, and a foreign line makes both unreadable.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT, _STDERR = 1, 2


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """What the process writes to standard output meanwhile goes to standard error; for one thread at a time.

    HiGHS 1.12 prints a line of debugging whatever `output_flag` says. Into a pipe, C prints
    late: its buffers are flushed before standard output is back.
    """
    c = ctypes.CDLL(None)
    c.fflush(None)
    stdout = os.dup(_STDOUT)
    try:
        os.dup2(_STDERR, _STDOUT)
        yield
    finally:
        c.fflush(None)
        os.dup2(stdout, _STDOUT)
        os.close(stdout)
