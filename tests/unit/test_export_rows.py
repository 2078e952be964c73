"""Pages of stored items to typed rows, and rows that wait for their week."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.failures import PermanentFailure
from prism_core.history.changes import change_of
from prism_core.lake_tables import ALLOCATIONS, CHANGELOG, EXPORTED, QUALITY
from prism_core.models.changes import Operation
from prism_core.models.work import QualityReview
from prism_core.tables import TABLES
from prism_resources.export.decode import ITEM_KEY, RowDecoder
from prism_resources.export.spool import Spool, merged
from prism_resources.export.typed import typed_rows, with_week_of
from prism_resources.lake_files import Slices
from prism_resources.tables.codec import encode

REVIEW = {
    "member_id": "M-1", "week": "2026-W01", "project_id": "P-1", "review_id": "R-1", "category": "box",
    "reviewed": 10, "correct": 9, "reviewer": "lead-1", "reviewed_at": "2026-01-01T08:00:00Z",
}  # fmt: skip


def stored(**changes: Any) -> dict[str, Any]:
    item = encode(TABLES["quality"], QualityReview.model_validate(REVIEW | changes))
    return {name: dict(value) for name, value in item.items()}


def batch(decoder: RowDecoder, *items: dict[str, Any]) -> pa.RecordBatch:
    body = msgspec.json.encode({"Items": items, "Count": len(items), "ScannedCount": len(items)})
    return decoder.batch(decoder.pages.decode(body).Items)


def table_of(*items: dict[str, Any]) -> pa.Table:
    return pa.Table.from_batches([batch(RowDecoder(QUALITY), *items)])


def test_stored_items_become_rows_of_the_lake() -> None:
    rows = typed_rows(QUALITY, table_of(stored(), stored(review_id="R-2", severity="high"))).to_pylist()

    assert [row["review_id"] for row in rows] == ["R-1", "R-2"]
    assert [row["severity"] for row in rows] == [None, "high"]
    assert rows[0] | {"reviewed_at": None} == {
        "version": 1, "member_id": "M-1", "project_id": "P-1", "review_id": "R-1", "category": "box",
        "reviewed": 10, "correct": 9, "severity": None, "reviewer": "lead-1", "reviewed_at": None, "notes": "",
    }  # fmt: skip


def test_a_value_of_no_use_is_refused_with_the_item_and_the_column() -> None:
    broken = stored() | {"reviewed": {"N": "1.5"}}

    with pytest.raises(
        PermanentFailure, match=r"'1.5' of quality/M-1/2026-W01#P-1#R-1 is no bigint, as reviewed of"
    ):
        typed_rows(QUALITY, table_of(stored(review_id="R-0"), broken))


def test_an_item_without_its_key_is_refused() -> None:
    keyless = {name: value for name, value in stored().items() if name != "week_project_review"}

    with pytest.raises(PermanentFailure, match="1 items of quality lack member_id or week_project_review"):
        table_of(keyless)


@pytest.mark.parametrize(
    "week", [None, {"NULL": True}, {"S": "2026-W54"}, {"S": "January"}], ids=["none", "null", "no week", "text"]
)
def test_an_item_without_its_week_is_refused_with_its_key(week: dict[str, Any] | None) -> None:
    broken = {name: value for name, value in stored(review_id="R-2").items() if name != "week"}
    broken |= {} if week is None else {"week": week}

    with pytest.raises(
        (PermanentFailure, msgspec.ValidationError), match=r"R-2 has no week that|\$\.Items\[1\]\.week"
    ):
        table_of(stored(), broken)


def test_a_delivery_that_was_never_claimed_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="deliveries/E-1/R-1 has no claimed that says its week"):
        batch(RowDecoder(EXPORTED["deliveries"]), {"edition_id": {"S": "E-1"}, "recipient_id": {"S": "R-1"}})


def test_an_attribute_of_another_type_is_refused_by_the_decoder() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.Items\[0\]\.category"):
        table_of(stored() | {"category": {"N": "7"}})


def test_nested_values_are_compact_json_with_sorted_keys() -> None:
    item = {
        "member_id": {"S": "M-1"}, "week_project": {"S": "2026-W01#P-1"}, "week": {"S": "2026-W01"},
        "project_id": {"S": "P-1"}, "hours": {"M": {"2026-01-02": {"N": "8.00"}, "2026-01-01": {"N": "7.5"}}},
        "version": {"N": "1"}, "pinned": {"BOOL": True},
    }  # fmt: skip
    rows = typed_rows(ALLOCATIONS, pa.Table.from_batches([batch(RowDecoder(ALLOCATIONS), item, item)]))

    assert rows["hours"].to_pylist() == ['{"2026-01-01":7.5,"2026-01-02":8}'] * 2
    assert rows["pinned"].to_pylist() == [True, True]
    assert rows["recorded_late"].to_pylist() == [False, False]


def test_sealed_values_and_screenshots_of_a_change_stay_out_of_the_lake() -> None:
    sealed = {"M": {"sealed": {"S": "v1:key:c2VjcmV0"}}}
    changes = {
        "name": {"M": {"before": sealed, "after": sealed}},
        "screenshot": {"M": {"after": {"S": "aGVsbG8="}}},
        "status": {"M": {"before": {"S": "active"}, "after": {"S": "inactive"}}},
    }
    entry = change_of(
        table="members", item_key="members/M-1", operation=Operation.UPDATE, version=2, changes={},
        now=datetime(2026, 1, 1, tzinfo=UTC), actor="ana", reason="", request_id="r", shards=4,
    )  # fmt: skip
    item = {name: dict(value) for name, value in encode(TABLES["changelog"], entry).items()}
    found = batch(RowDecoder(CHANGELOG), {**item, "changes": {"M": changes}})

    assert found.column("changes").to_pylist() == ['{"status":{"after":"inactive","before":"active"}}']


def test_a_delivery_belongs_to_the_week_in_which_it_was_begun() -> None:
    table = EXPORTED["deliveries"]
    keys = {"edition_id": {"S": "E-1"}, "recipient_id": {"S": "R-1"}}
    claimed = ("2026-12-31T23:59:59.000000Z", "2027-01-03T23:59:59.999999Z", "2027-01-04T00:00:00.000000Z")
    page = batch(RowDecoder(table), *(keys | {"claimed": {"S": instant}} for instant in claimed))

    assert with_week_of(table, page, "claimed").column("week").to_pylist() == ["2026-W53", "2026-W53", "2027-W01"]


SPILLS = pytest.mark.parametrize("spill_bytes", [1, 2_000, 10**9], ids=["each page", "some pages", "never"])


def keys_of(slices: Slices) -> list[str]:
    return [str(key) for part in slices for key in part[ITEM_KEY].to_pylist()]


@SPILLS
def test_rows_come_back_by_week_in_order_whether_they_waited_in_memory_or_on_disk(
    spill_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pages = [
        [stored(week=f"2026-W0{week}", review_id=f"R-{page}") for week in (3, 1, 2)] for page in (3, 1, 4, 0, 2)
    ]
    decoder = RowDecoder(QUALITY)

    with Spool(ITEM_KEY, "week", ["2026-W01", "2026-W03", "2026-W09"], spill_bytes=spill_bytes) as spool:
        for page in pages:
            spool.add(batch(decoder, *page))
        found = {week: keys_of(spool.rows(week)) for week in ("2026-W01", "2026-W03", "2026-W09", "2026-W02")}
        again = keys_of(spool.rows("2026-W01"))
        used = list(tmp_path.iterdir())

    first = [f"quality/M-1/2026-W01#P-1#R-{page}" for page in range(5)]
    assert found == {
        "2026-W01": first,
        "2026-W03": [key.replace("W01", "W03") for key in first],
        "2026-W09": [],
        "2026-W02": [],
    }
    assert again == first
    assert bool(used) is (spill_bytes < 10**9)
    assert list(tmp_path.iterdir()) == []


@SPILLS
def test_rows_without_a_week_come_back_whole(spill_bytes: int) -> None:
    with Spool(ITEM_KEY, spill_bytes=spill_bytes) as spool:
        for page in (2, 0, 3, 1):
            spool.add(batch(RowDecoder(QUALITY), stored(review_id=f"R-{page}")))
        found = keys_of(spool.rows())

    assert found == [f"quality/M-1/2026-W01#P-1#R-{page}" for page in range(4)]


@given(st.lists(st.sets(st.text(max_size=3), max_size=12), max_size=4), st.integers(1, 5))
def test_sorted_runs_become_one(runs: list[set[str]], slice_rows: int) -> None:
    """Each key is in one of them; UTF-8 sorts as the characters do."""
    own = [sorted(run.difference(*runs[:number])) for number, run in enumerate(runs)]
    tables = [pa.table({ITEM_KEY: pa.array(keys, pa.string())}) for keys in own]

    found = keys_of(merged([partial(_batches, table, slice_rows) for table in tables], ITEM_KEY))

    assert found == sorted(set().union(*runs))


def _batches(table: pa.Table, slice_rows: int) -> Iterator[pa.RecordBatch]:
    yield from table.slice(0, 0).to_batches()
    yield from table.to_batches(max_chunksize=slice_rows)


@pytest.mark.parametrize("nothing", [None, {"NULL": True}], ids=["absent", "null"])
def test_an_item_without_a_value_that_its_model_requires_is_refused_with_table_and_key(
    nothing: dict[str, Any] | None,
) -> None:
    broken = {name: value for name, value in stored(review_id="R-2").items() if name != "correct"}
    broken |= {} if nothing is None else {"correct": nothing}

    with pytest.raises(
        (PermanentFailure, msgspec.ValidationError),
        match=r"quality/M-1/2026-W01#P-1#R-2 has no correct, which every item of quality|\$\.Items\[1\]\.correct",
    ):
        table_of(stored(), broken)


def test_an_item_without_a_value_that_its_model_can_do_without_is_a_null() -> None:
    without = {name: value for name, value in stored().items() if name not in {"severity", "notes"}}

    assert typed_rows(QUALITY, table_of(without)).select(["severity", "notes"]).to_pylist() == [
        {"severity": None, "notes": None}
    ]
