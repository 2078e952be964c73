"""Shared arrangement of the worker-activity tests: records, landed lines, the real sample. No tests here."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prism_core.calendar import WeekRange
from prism_core.worker_activity.record import encode_landed

REAL = Path(__file__).resolve().parents[1] / "data" / "worker_activity"
WEEKS = WeekRange.parse("2018-W33..2018-W36")
RECEIVED = datetime(2018, 9, 10, 6, tzinfo=UTC)
EVENT_S = 1_534_325_832  # 2018-08-15 09:37:12 UTC, in 2018-W33

# The first real record of person-video-binary-choice.
RECORD: dict[str, Any] = {
    "worker_id": "e96287c9aabb4daa",
    "cognito_user_pool_id": "us-east-1_PrismPool",
    "cognito_sub_id": "61103a8c-eef7-5502-ab94-92e36f5f01cb",
    "task_accepted_time": "Wed Aug 15 09:36:43 UTC 2018",
    "task_submitted_time": "Wed Aug 15 09:37:12 UTC 2018",
    "task_returned_time": "",
    "workteam_arn": "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/instagc",
    "labeling_job_arn": "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/person-video-binary-choice",
    "work_requester_account_id": "123456789012",
    "job_reference_code": "1856505125",
    "job_type": "Private",
    "event_type": "TasksSubmitted",
    "event_timestamp": str(EVENT_S),
}


def line_of(**changes: Any) -> bytes:
    """The real record as a line, with changed fields; None removes a field."""
    return json.dumps({name: value for name, value in {**RECORD, **changes}.items() if value is not None}).encode()


def landed_line(identity: str, received: datetime = RECEIVED, **changes: Any) -> bytes:
    return encode_landed(identity, received, line_of(**changes))
