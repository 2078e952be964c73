"""What a backup is: its manifest, where a restore starts from, and the digest that compares items."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.backups import (
    BACKED_UP,
    BackupManifest,
    BackupPart,
    Digest,
    RestoredSet,
    TableBackup,
    base_of,
    began_of,
    checked_backup_id,
    chosen_tables,
    new_backup_id,
    part_key,
    refuse_unknown,
    set_name,
    window_of,
)
from prism_core.failures import BadUsage, PermanentFailure
from prism_resources.backup.catalog import Listed, base_among, newest_among

MONDAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def manifest(began: datetime, *, hours: int = 1, number: int = 1) -> BackupManifest:
    backup_id = new_backup_id(began, bytes([0, 0, number]))
    part = BackupPart(key=part_key(backup_id, "members", 0), items=2, size=10, sha256="0" * 64)
    return BackupManifest(
        backup_id=backup_id,
        name_prefix="prism",
        began=began,
        log_began=began + HOUR * hours / 2,
        ended=began + HOUR * hours,
        tables={"members": TableBackup(items=2, parts=(part,))},
    )


def test_a_manifest_reads_back_as_it_was_written_and_knows_its_sums() -> None:
    made = manifest(MONDAY)

    read = BackupManifest.decoded(made.encoded(), "backups/x/manifest.json")

    assert read == made
    assert (read.items, read.size, read.backup_id) == (2, 10, "20260105T070000Z-000001")


@given(st.integers(min_value=0))
def test_a_manifest_with_any_character_changed_is_damaged_or_means_the_same(place: int) -> None:
    body = manifest(MONDAY).encoded()
    at = place % len(body)
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

    answer = read_or_refusal(changed)

    assert "the-key" in answer if isinstance(answer, str) else answer == manifest(MONDAY)  # white space may differ


def read_or_refusal(body: bytes) -> BackupManifest | str:
    try:
        return BackupManifest.decoded(body, "the-key")
    except PermanentFailure as damaged:
        return str(damaged)


@given(st.integers(min_value=0))
def test_a_manifest_that_is_cut_off_is_damaged(length: int) -> None:
    body = manifest(MONDAY).encoded().rstrip()

    with pytest.raises(PermanentFailure, match="the-key is damaged: it is cut off"):
        BackupManifest.decoded(body[: length % len(body)], "the-key")


def test_the_record_of_a_set_reads_back_and_a_damaged_one_is_named() -> None:
    record = RestoredSet(name="prism-restored-x", at=MONDAY, backup_id="b", changes_from="log", began=MONDAY)

    assert RestoredSet.decoded(record.encoded(), "key") == record
    with pytest.raises(PermanentFailure, match="the record key of a restored set is damaged"):
        RestoredSet.decoded(record.encoded()[:-9], "key")


def test_a_restore_starts_from_the_newest_backup_that_had_ended_else_from_the_oldest() -> None:
    first, second, third = (manifest(MONDAY + 24 * HOUR * number) for number in range(3))

    def chosen(at: datetime) -> BackupManifest:
        return base_of([second, third, first], at)

    assert chosen(MONDAY - HOUR) == chosen(MONDAY + 30 * MINUTE) == first  # before its end: backwards
    assert chosen(first.ended) == chosen(second.began) == chosen(second.ended - MINUTE) == first
    assert chosen(second.ended) == second
    assert chosen(MONDAY + 99 * 24 * HOUR) == third
    with pytest.raises(PermanentFailure, match="there is no backup to restore from"):
        base_of([], MONDAY)


def damaged(began: datetime, number: int = 9) -> Listed:
    return Listed(new_backup_id(began, bytes([0, 0, number])), None, "it is cut off", damaged=True)


def kept(*manifests: BackupManifest) -> list[Listed]:
    return [Listed(one.backup_id, one) for one in manifests]


DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("broken", "at", "refused"),
    [
        (MONDAY - DAY, MONDAY + 2 * HOUR, False),  # older than the one to start from
        (MONDAY + 3 * HOUR, MONDAY + 2 * HOUR, False),  # begun after the instant
        (MONDAY + 3 * HOUR, MONDAY + 3 * HOUR, True),  # between the one to start from and the instant
        (MONDAY + 3 * HOUR, MONDAY + DAY + 2 * HOUR, False),  # a whole one is nearer
        (MONDAY + 2 * DAY, MONDAY + 3 * DAY, True),
        (MONDAY - DAY, MONDAY - 2 * DAY, True),  # backwards from the oldest
        (MONDAY + 3 * HOUR, MONDAY - HOUR, False),
    ],
)
def test_a_damaged_backup_is_in_the_way_only_where_it_would_have_been_the_start(
    broken: datetime, at: datetime, *, refused: bool
) -> None:
    first, second = manifest(MONDAY), manifest(MONDAY + DAY)
    found = [*kept(first, second), damaged(broken)]

    if refused:
        with pytest.raises(PermanentFailure, match=r"cannot be used: it is cut off\. Name another"):
            base_among(found, at)
    else:
        assert base_among(found, at) == base_of([first, second], at)


def test_without_a_whole_backup_the_newest_damaged_one_is_named() -> None:
    found = [damaged(MONDAY), damaged(MONDAY + DAY)]

    with pytest.raises(PermanentFailure, match="backup 20260106T070000Z-000009 cannot be used"):
        base_among(found, MONDAY - DAY)
    with pytest.raises(PermanentFailure, match="backup 20260106T070000Z-000009 cannot be used"):
        newest_among(found)
    with pytest.raises(PermanentFailure, match="there is no backup to restore from"):
        base_among([], MONDAY)
    assert newest_among([]) is None


def test_the_newest_backup_is_refused_only_when_a_newer_one_is_damaged() -> None:
    made = manifest(MONDAY)

    assert newest_among([*kept(made), damaged(MONDAY - DAY)]) == made
    with pytest.raises(PermanentFailure, match="cannot be used"):
        newest_among([*kept(made), damaged(MONDAY + DAY)])


def test_an_id_tells_when_its_backup_began() -> None:
    assert began_of(manifest(MONDAY).backup_id) == MONDAY
    for text in ("notes", "20261305T070000Z-000001"):
        with pytest.raises(BadUsage, match="is no backup"):
            began_of(text)


def test_the_window_of_changes_covers_what_was_read_and_the_instant_and_writes_that_took_long() -> None:
    base = manifest(MONDAY)

    assert window_of(base, MONDAY - HOUR) == (MONDAY - HOUR - 10 * MINUTE, base.ended + MINUTE)
    assert window_of(base, base.began) == (MONDAY - 10 * MINUTE, base.ended + MINUTE)
    assert window_of(base, MONDAY + 9 * HOUR) == (MONDAY - 10 * MINUTE, MONDAY + 9 * HOUR + MINUTE)


def test_without_the_live_log_nothing_is_known_from_a_minute_before_the_log_was_read() -> None:
    base = manifest(MONDAY)

    refuse_unknown(base, base.log_began - MINUTE)
    with pytest.raises(PermanentFailure, match="nothing is known after 2026-01-05T07:29:00"):
        refuse_unknown(base, base.log_began - MINUTE + timedelta(microseconds=1))


def test_a_set_is_named_by_its_instant_to_the_microsecond() -> None:
    assert set_name("prism", MONDAY) == "prism-restored-20260105t070000z"
    assert set_name("prism", MONDAY + timedelta(microseconds=5)) == "prism-restored-20260105t070000-000005z"


@pytest.mark.parametrize("text", ["", "newest", "20260105T070000Z", "20260105T070000Z-00000G", "../../x", "a\n"])
def test_what_is_no_id_of_a_backup_becomes_no_part_of_a_key(text: str) -> None:
    with pytest.raises(BadUsage, match="is no backup, such as"):
        checked_backup_id(text)


def test_tables_are_chosen_by_name_with_the_change_log_last() -> None:
    assert {spec.name for spec in chosen_tables(())} == set(BACKED_UP)
    assert chosen_tables(("",))[-1].name == "changelog"
    assert [spec.name for spec in chosen_tables(["changelog", " members"])] == ["members", "changelog"]
    with pytest.raises(BadUsage, match="no backup holds events"):
        chosen_tables(["events"])
    with pytest.raises(BadUsage, match="there is no table 'nothing'"):
        chosen_tables(["members", "nothing"])


def digest(*items: dict[str, Any]) -> str:
    found = Digest()
    for item in items:
        found.add(item)
    return found.text


def test_a_digest_knows_no_order_and_no_form_of_a_number_but_every_value() -> None:
    one = {
        "id": {"S": "1"},
        "hours": {"N": "8.00"},
        "days": {"M": {"mon": {"N": "10"}, "tue": {"L": [{"N": "0"}]}}},
    }
    same = {
        "days": {"M": {"tue": {"L": [{"N": "0.0"}]}, "mon": {"N": "1E1"}}},
        "hours": {"N": "8"},
        "id": {"S": "1"},
    }
    other = {"id": {"S": "2"}, "gone": {"NULL": True}, "open": {"BOOL": False}}

    assert digest(one, other) == digest(other, same)
    assert digest(one) != digest(one, one) != digest()
    assert digest(one) != digest({**one, "hours": {"N": "8.01"}})
    assert digest(one) != digest({**one, "hours": {"S": "8.00"}})
    assert digest(one, other) != digest({**one, **other}, other)
    with pytest.raises(PermanentFailure, match="no attribute of type SS"):
        digest({"tags": {"SS": ["a"]}})


def test_a_manifest_is_readable_text() -> None:
    assert msgspec.json.decode(manifest(MONDAY).encoded())["tables"]["members"]["parts"][0]["key"].endswith(
        "/members/part-00000.jsonl.zst"
    )
