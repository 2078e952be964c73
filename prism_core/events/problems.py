"""What does not fit a schema, as it is told and kept.

Belongs here: one problem. Does not belong here: finding it (validating.py, which loads the validator's
library; who only reads what failed does without).
"""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that does not fit. `path` is a JSON pointer into the data, `rule` the keyword that refuses it."""

    path: str
    rule: str
    reason: str
