"""Worker-response documents into the lake. Why real: one object that cannot be read would stop its whole week."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.settings import ActivitySource
from prism_core.worker_activity.files import BYTE_ORDER_MARK, Rejected
from prism_resources.lake import Lake
from prism_resources.worker_activity.ingest import FileCounts
from prism_resources.worker_activity.landing import Landing
from prism_resources.worker_activity.responses import ResponseIngest, read_week_clock

WEEKS = WeekRange.parse("2019-W01..2020-W53")


@pytest.fixture
def lake(platform: Platform) -> Lake:
    return Lake(platform.settings)


def answer(day: str, sub: str = "act", **changes: Any) -> dict[str, Any]:
    return {
        "acceptanceTime": f"{day}T09:59:30.120Z",
        "submissionTime": f"{day}T10:00:00.900Z",
        "timeSpentInSeconds": 21.5,
        "workerMetadata": {"identityData": {"identityProviderType": "Cognito", "issuer": "x", "sub": sub}},
    } | changes


def document(*answers: dict[str, Any]) -> bytes:
    return json.dumps({"answers": answers}, indent=2).encode()


def load(lake: Lake, *paths: Path) -> tuple[list[FileCounts], list[Rejected]]:
    ingest, rejected = ResponseIngest.into(lake, WEEKS), list[Rejected]()
    counts = [ingest.load(path, rejected.append, lambda _: None) for path in paths]
    ingest.finish()
    return counts, rejected


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_byte_order_mark_before_a_document_does_not_reach_the_lake(lake: Lake, tmp_path: Path) -> None:
    path = written(tmp_path / "marked.json", BYTE_ORDER_MARK + document(answer("2020-01-07")))

    (counts,), rejected = load(lake, path)
    clock = read_week_clock(lake, Week.parse("2020-W02"))

    assert (counts.loaded, rejected) == (1, [])
    assert (list(clock.milliseconds.values()), clock.rejected) == ([21_500], [])


def test_a_landed_line_that_is_no_document_is_one_rejection_and_the_others_count(
    lake: Lake, tmp_path: Path
) -> None:
    week = Week.parse("2020-W03")
    load(lake, written(tmp_path / "good.json", document(answer("2020-01-14"))))
    torn = b'{"name":"marked.json","document":' + BYTE_ORDER_MARK + document(answer("2020-01-15")) + b"}"
    lines = [torn.replace(b"\n", b" ") + b"\n", b"torn li\n", b"\xff\n"]
    key = Landing(lake, "worker_response").land(week, ActivitySource.FILES, lines)

    clock = read_week_clock(lake, week)

    assert list(clock.milliseconds.values()) == [21_500]
    assert [item.document for item in clock.rejected] == [f"{key} line {number}" for number in (1, 2, 3)]


def test_documents_that_lie_in_the_lake_are_duplicates_under_any_name(lake: Lake, tmp_path: Path) -> None:
    week = Week.parse("2020-W04")
    both = document(answer("2020-01-21"), answer("2020-01-22"))
    first = written(tmp_path / "first.json", both)
    load(lake, first)
    objects = Landing(lake, "worker_response").keys(week)
    new = written(tmp_path / "new.json", document(answer("2020-01-23")))

    counts, rejected = load(lake, first, written(tmp_path / "second.json", both), new)

    assert [(item.loaded, item.duplicate) for item in counts] == [(0, 2), (0, 2), (1, 0)]
    assert rejected == []
    assert len(Landing(lake, "worker_response").keys(week)) == len(objects) + 1


def test_more_documents_than_a_batch_land_in_parts(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_resources.worker_activity.responses.BATCH_DOCUMENTS", 2)
    week = Week.parse("2020-W05")
    paths = [written(tmp_path / f"{n}.json", document(answer("2020-01-28", sub=f"s-{n}"))) for n in range(5)]

    load(lake, *paths)

    assert len(Landing(lake, "worker_response").keys(week)) == 3
    assert len(read_week_clock(lake, week).milliseconds) == 5


def test_large_documents_land_before_many_of_them_wait_and_load_once(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prism_resources.worker_activity.responses.BATCH_BYTES", 100_000)
    days, large = ("2020-02-11", "2020-02-18"), {"answerContent": {"mask": "x" * 60_000}}
    paths = [written(tmp_path / f"{day}.json", document(answer(day, sub="large", **large))) for day in days]
    small = written(tmp_path / "small.json", document(answer(days[1], sub="small")))

    for _ in range(2):
        load(lake, *paths, small)

    weeks = [Week.of(date.fromisoformat(day)) for day in days]
    assert [len(Landing(lake, "worker_response").keys(week)) for week in weeks] == [1, 2]
    assert [len(read_week_clock(lake, week).milliseconds) for week in weeks] == [1, 2]


def test_a_document_whose_name_is_no_text_loads(lake: Lake, tmp_path: Path) -> None:
    path = written(tmp_path / "caf\udce9.json", document(answer("2020-02-04")))

    (counts,), rejected = load(lake, path)

    assert (counts.loaded, rejected) == (1, [])
    assert counts.file.endswith("caf\\xe9.json")
