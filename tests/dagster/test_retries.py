"""What Dagster does about a failure of ours."""

import dagster as dg
import pytest
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    IncompleteReadError,
    MetadataRetrievalError,
)

from prism_assets.definitions import build_definitions
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core.failures import BadUsage, PermanentFailure, PrismFailure, TransientFailure
from prism_core.settings import Settings
from prism_resources.failures import calling

AT_ONCE = dg.RetryPolicy(max_retries=RETRIES.max_retries)


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [(TransientFailure("busy"), 4), (PermanentFailure("a person must act"), 1), (BadUsage("no such week"), 1)],
)
def test_only_what_may_pass_by_itself_is_tried_again(failure: PrismFailure, attempts: int) -> None:
    tried: list[int] = []

    @dg.asset(retry_policy=AT_ONCE)
    def failing() -> None:
        with failures_by_intent():
            tried.append(1)
            raise failure

    result = dg.materialize([failing], raise_on_error=False)

    assert not result.success
    assert len(tried) == attempts


@pytest.mark.parametrize(
    "error",
    [
        CredentialRetrievalError(provider="container-role", error_msg="the endpoint did not answer"),
        MetadataRetrievalError(error_msg="the endpoint did not answer"),
        FlexibleChecksumError(error_msg="expected another"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_credentials_that_were_not_to_be_had_and_a_torn_answer_are_tried_again(error: BotoCoreError) -> None:
    with (
        pytest.raises(TransientFailure, match=r"read of members: .*; try again"),
        calling("members", "read"),
    ):
        raise error


def test_every_asset_and_check_has_the_policy() -> None:
    definitions = build_definitions(Settings())

    assets = [*(definitions.assets or []), *(definitions.asset_checks or [])]
    ops = [one.op for one in assets if isinstance(one, dg.AssetsDefinition)]

    assert len(ops) >= 9
    assert [op.name for op in ops if op.retry_policy != RETRIES] == []
