"""Pages of stored items to typed rows, and rows that wait for their week."""

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from prism_core.failures import PermanentFailure
from prism_core.lake_tables import ALLOCATIONS, CHANGELOG, EXPORTED, QUALITY
from prism_core.models.work import QualityReview
from prism_core.tables import TABLES
from prism_resources.export import spool as spools
from prism_resources.export.decode import ITEM_KEY, RowDecoder
from prism_resources.export.spool import Spool
from prism_resources.export.typed import typed_rows, with_week_of
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


def test_stored_items_become_rows_of_the_lake_in_the_order_of_their_keys() -> None:
    rows = typed_rows(QUALITY, table_of(stored(review_id="R-2", severity="high"), stored())).to_pylist()

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
    item = {
        "table_week_shard": {"S": "members#2026-W01#0"},
        "instant_ulid": {"S": "i#u"},
        "week": {"S": "2026-W01"},
    }
    found = batch(RowDecoder(CHANGELOG), {**item, "changes": {"M": changes}})

    assert found.column("changes").to_pylist() == ['{"status":{"after":"inactive","before":"active"}}']


def test_a_delivery_belongs_to_the_week_in_which_it_was_begun() -> None:
    table = EXPORTED["deliveries"]
    keys = {"edition_id": {"S": "E-1"}, "recipient_id": {"S": "R-1"}}
    claimed = ("2026-12-31T23:59:59.000000Z", "2027-01-03T23:59:59.999999Z", "2027-01-04T00:00:00.000000Z")
    page = batch(RowDecoder(table), *(keys | {"claimed": {"S": instant}} for instant in claimed))

    assert with_week_of(table, page, "claimed").column("week").to_pylist() == ["2026-W53", "2026-W53", "2027-W01"]


@pytest.mark.parametrize("spill_bytes", [1, 10**9])
def test_rows_come_back_by_week_whether_they_waited_in_memory_or_on_disk(
    spill_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools.tempfile, "tempdir", str(tmp_path))
    pages = [[stored(week=f"2026-W0{week}", review_id=f"R-{page}") for week in (3, 1, 2)] for page in range(5)]
    decoder = RowDecoder(QUALITY)

    with Spool("week", ["2026-W01", "2026-W03", "2026-W09"], spill_bytes=spill_bytes) as spool:
        for page in pages:
            spool.add(batch(decoder, *page))
        found = {
            week: None if rows is None else sorted(map(str, rows[ITEM_KEY].to_pylist()))
            for week, rows in spool.by_week()
        }
        used = list(tmp_path.iterdir())

    assert found == {
        "2026-W01": [f"quality/M-1/2026-W01#P-1#R-{page}" for page in range(5)],
        "2026-W03": [f"quality/M-1/2026-W03#P-1#R-{page}" for page in range(5)],
        "2026-W09": None,
    }
    assert bool(used) is (spill_bytes == 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spill_bytes", [1, 10**9])
def test_rows_without_a_week_come_back_whole(spill_bytes: int) -> None:
    with Spool(None, spill_bytes=spill_bytes) as spool:
        for page in range(4):
            spool.add(batch(RowDecoder(QUALITY), stored(review_id=f"R-{page}")))
        whole, parts = spool.whole(), sum(part.num_rows for part in spool.batches())

    assert whole is not None
    assert (whole.num_rows, parts) == (4, 4)
