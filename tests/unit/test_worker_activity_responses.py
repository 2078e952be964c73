"""The active clock: worker-response documents to seconds, and clear words for what cannot be used."""

import json
from typing import Any

import pytest

from prism_core.worker_activity.responses import RejectedAnswer, read_active_clock

ANSWER: dict[str, Any] = {
    "acceptanceTime": "2018-08-15T09:36:43.902Z",
    "submissionTime": "2018-08-15T09:37:12.001Z",
    "timeSpentInSeconds": 25.4985,
    "workerId": "private.us-east-1.aabbccdd",
    "workerMetadata": {"identityData": {"identityProviderType": "Cognito", "sub": "61103a8c"}},
}
KEY = ("61103a8c", 1_534_325_803, 1_534_325_832)


def document(*answers: object) -> bytes:
    return json.dumps({"answers": answers, "inputContent": {}}).encode()


def rejections(content: bytes) -> list[RejectedAnswer]:
    return read_active_clock([("answer.json", content)]).rejected


def test_an_answer_gives_active_time_by_worker_and_whole_seconds() -> None:
    clock = read_active_clock([("answer.json", document(ANSWER))])

    assert clock.milliseconds == {KEY: 25_498}
    assert clock.rejected == []


def test_documents_of_one_task_count_once_and_their_order_does_not_matter() -> None:
    documents = [
        ("a.json", document(ANSWER)),
        ("b.json", document({**ANSWER, "timeSpentInSeconds": 26})),
        ("c.json", document(ANSWER)),
    ]

    assert read_active_clock(documents).milliseconds == {KEY: 26_000}
    assert read_active_clock(reversed(documents)).milliseconds == {KEY: 26_000}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"acceptanceTime": None}, "no acceptanceTime"),
        ({"submissionTime": ""}, "no submissionTime"),
        ({"submissionTime": "later"}, "not an instant"),
        ({"submissionTime": "2018-08-15T09:37:12.001"}, "no time zone"),
        ({"submissionTime": "2018-08-15T09:36:12.001Z"}, "lies before acceptanceTime"),
        ({"timeSpentInSeconds": None}, "no timeSpentInSeconds"),
        ({"timeSpentInSeconds": "25"}, "no timeSpentInSeconds"),
        ({"timeSpentInSeconds": True}, "no timeSpentInSeconds"),
        ({"timeSpentInSeconds": -1}, "no possible duration"),
        ({"timeSpentInSeconds": 1e12}, "no possible duration"),
        ({"workerMetadata": {}}, "names no worker"),
        ({"workerMetadata": [1]}, "names no worker"),
    ],
)
def test_an_unusable_answer_is_rejected_and_the_others_count(changes: dict[str, Any], words: str) -> None:
    clock = read_active_clock([("answer.json", document({**ANSWER, **changes}, ANSWER))])

    assert clock.milliseconds == {KEY: 25_498}
    assert [(found.document, found.answer) for found in clock.rejected] == [("answer.json", 1)]
    assert words in clock.rejected[0].reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b'{"answers": [NaN]}', "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no list of answers"),
        (b'{"answers": {}}', "no list of answers"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_document_that_is_no_worker_response_is_one_rejection(content: bytes, words: str) -> None:
    (found,) = rejections(content)

    assert found.answer == 0
    assert words in found.reason
