"""What can go wrong, by what must happen next.

Belongs here: the failure types every layer raises. A caller decides on the type alone: a
`PermanentFailure` waits for a person, a `TransientFailure` may be tried again a bounded number of times.
Does not belong here: retry loops (prism_resources) and what a screen or an exit code makes of a failure.
"""


class PrismFailure(Exception):
    """Base of every failure that PRISM raises on purpose.

    The message is written for the person who reads it: what went wrong, on which record, what to do.
    """


class PermanentFailure(PrismFailure):
    """Trying again cannot help; a person must act. Never retried."""


class TransientFailure(PrismFailure):
    """The same call may succeed later. Retried with back-off, a bounded number of times."""


class BadUsage(PermanentFailure):
    """The caller's words are wrong: an unknown week, table or option. The command line exits with 2."""


class StaleVersion(PermanentFailure):
    """A conditional write lost: the item is not at the version the writer had read.

    `current` is the version stored now (0 when the item does not exist), so that a caller can compare.
    """

    def __init__(self, table: str, key: str, expected: int, current: int) -> None:
        self.table, self.key, self.expected, self.current = table, key, expected, current
        super().__init__(
            f"{table} {key}: expected version {expected}, found {current}; read it again and repeat the change"
        )
