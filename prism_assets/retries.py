"""What Dagster does about a failure.

Belongs here: the one retry policy, and the translation of our failures: a TransientFailure is tried again with
back-off, a bounded number of times; a PermanentFailure waits for a person. Does not belong here: loops that a
single call to AWS needs (prism_resources).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from prism_core.failures import PermanentFailure

# 5, 10 and 20 seconds, give or take: what throttles or is being replaced is over by then, or is none of the kind.
RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
# For jobs: the steps have been retried, so a run that failed is not started over (a deployment may retry runs).
NO_RUN_RETRY = {"dagster/retry_on_asset_or_op_failure": "false"}


@contextmanager
def failures_by_intent() -> Iterator[None]:
    """Within an asset or a check that has RETRIES: a PermanentFailure ends it at once."""
    try:
        yield
    except PermanentFailure as error:
        raise dg.Failure(str(error), allow_retries=False) from error
