"""Corrections of weeks that cannot be computed again. Why real: what has expired is told by the bucket alone."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week
from prism_core.lake import WORKER_ACTIVITY, LakePartition, raw_prefix
from prism_resources.lake import Lake, Manifest
from tests.integration.api_client import Answer, Api, known

ADMIN, LEAD = Api("[admin]", "e-admin"), Api("[lead]", "e-lead")
# Of no other test: what is published here is a manifest alone.
WEEKS = iter([Week.parse("2015-W10") + number for number in range(20)])


class Computed:
    """A week that was published from two raw objects."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.week = lake, next(WEEKS)
        self.keys = [f"{raw_prefix(WORKER_ACTIVITY, self.week)}{name}.jsonl.gz" for name in ("one", "two")]
        self.land()
        self.publish()

    def land(self) -> None:
        for key in self.keys:
            self.lake.put(key, b"", content_type="application/gzip")

    def publish(self, ago: timedelta = timedelta()) -> None:
        written = datetime.now(UTC) - ago
        manifest = Manifest("throughput", self.week.label, 1, "0" * 32, 1, written.isoformat(), {}, self.keys)
        place = LakePartition("throughput", self.week).manifest
        self.lake.put(place, json.dumps(asdict(manifest)).encode(), content_type="application/json")

    def expire(self) -> None:
        self.lake.delete(self.keys[0])

    def fields(self, **others: Any) -> dict[str, Any]:
        return {"week": self.week.label, "from_member": "e-ann", "to_member": "e-bob", "reason": "r"} | others

    def correct(self, api: Api = LEAD, **others: Any) -> Answer:
        return api("POST", "/api/corrections", self.fields(**others))


@pytest.fixture
def computed(platform: Platform) -> Computed:
    known(["e-ann", "e-bob"], ["e-p"])
    return Computed(Lake(platform.settings))


def test_a_correction_without_effect_is_refused_until_its_records_are_there_again(computed: Computed) -> None:
    first = computed.correct()
    computed.expire()

    late = [computed.correct(api) for api in (LEAD, ADMIN)]
    row = {"rows": [computed.fields()]}
    (moved,) = LEAD("POST", "/api/throughput/reassign", row).body["rows"]
    taken_back = LEAD("DELETE", f"/api/corrections/{first.body['key']}", match="*")
    computed.land()
    again = computed.correct(days=[computed.week.monday.isoformat()])

    assert first.status == 201, first.body
    assert [answer.status for answer in (*late, taken_back)] == [409] * 3
    assert moved["status"] == 409
    for words in ("no effect", "1 of the 2 raw files", "90 days", "ingest the records"):
        assert words in late[0].body["detail"]
    assert again.status == 201, again.body


def test_a_revert_changes_no_figure_that_stands_either(computed: Computed) -> None:
    key = computed.correct().body["key"]
    change = ADMIN("GET", f"/api/history/corrections/{key}").body["items"][0]["id"]
    computed.expire()

    assert ADMIN("POST", f"/api/changes/{change}/revert").status == 409
    assert ADMIN("GET", f"/api/corrections/{key}").status == 200


def test_reviews_are_corrected_whatever_has_expired(computed: Computed) -> None:
    computed.expire()

    assert computed.correct(table="quality").status == 201


@pytest.mark.parametrize(("published_after", "status"), [(True, 200), (False, 409)])
def test_a_dispute_is_answered_by_a_correction_that_the_figures_hold(
    computed: Computed, *, published_after: bool, status: int
) -> None:
    figure = {"table": "throughput", "week": computed.week.label, "project_id": "e-p", "member_id": "e-bob"}
    said = {"field": "tasks_submitted", "shown": "1", "reason": "r"}
    dispute = LEAD("POST", "/api/disputes", figure | said).body
    correction = computed.correct().body["correction_id"]
    computed.publish(timedelta() if published_after else timedelta(hours=1))
    computed.expire()

    path = f"/api/disputes/{dispute['key']}/correct"
    answer = LEAD("POST", path, {"correction_id": correction}, match="*")

    assert (answer.status, "has had no effect" in str(answer.body)) == (status, not published_after), answer.body


def test_a_week_that_was_never_computed_takes_corrections(platform: Platform) -> None:
    assert platform.owned
    fields = {"week": next(WEEKS).label, "from_member": "worker:a#b", "to_member": "e-bob", "reason": "r"}

    assert LEAD("POST", "/api/corrections", fields).status == 201
