"""Why real: what becomes of an event is told by a queue, a state machine, five tables and two buckets together."""

from collections.abc import Iterator

import pytest

from infra.local.platform import Platform
from prism_core.events.outcomes import Outcome
from tests.integration.event_world import MADE, Pipeline, event
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()


@pytest.fixture(scope="module")
def pipeline(platform: Platform) -> Iterator[Pipeline]:
    made = Pipeline(platform)
    made.add_schema(value_at="/number", label_at="/label")
    yield made
    made.http.close()


def test_a_valid_event_is_stored_and_its_receipt_says_so(pipeline: Pipeline) -> None:
    answer = pipeline.post(event(7))

    assert answer.status_code == 202, answer.text
    receipt = answer.json()["rows"][0]["receipt"]
    settled = pipeline.await_settled([receipt])
    assert settled[receipt].outcome is Outcome.STORED
    assert pipeline.problems(MADE) == ()
