"""The export at its real parts.

Why real: what is promised is about what lies in the bucket after real scans of real tables.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.lake import LakeTable
from prism_core.lake_tables import ALLOCATIONS, CHANGELOG, EXPORTED, MEMBERS, QUALITY, THROUGHPUT
from prism_core.models.people import Availability, Member, ReasonCode, Skill
from prism_core.models.reports import Delivery
from prism_core.models.work import Allocation, QualityReview
from prism_core.tables import TABLES
from prism_resources.aws import client
from prism_resources.backup.sets import creation
from prism_resources.export import engine, reading
from prism_resources.export.engine import Export, TableOutcome
from prism_resources.lake import Lake, UnreadableManifest
from prism_resources.lake_files import arrow_rows, content_of
from prism_resources.tables.codec import encode
from prism_resources.tables.raw import RawTables
from prism_resources.tables.store import TableStore
from tests.integration.fresh import platform_of_this_file

platform = platform_of_this_file()

W33, W34, W35, W36, W37 = (Week.parse(f"2018-W{number}") for number in range(33, 38))
NOW = W37.start + timedelta(hours=9)
ALL_WEEKS = WeekRange(W33, W37)
WHO: dict[str, Any] = {"actor": "user:test", "reason": "as told", "request_id": "export-test"}
NAME, EMAIL, REASON = "Ada Personal-Name", "ada@personal.example", "a reason nobody may read"


def store(platform: Platform, table: str) -> TableStore[Any]:
    spec = TABLES[table]
    return TableStore(client(platform.settings, "dynamodb"), platform.settings, spec, spec.model)


def member(member_id: str, **changes: Any) -> Member:
    skills = (Skill(name="lidar", level=2),)
    return Member(member_id=member_id, name=NAME, email=EMAIL, time_zone="Europe/Madrid", skills=skills, **changes)


def allocation(member_id: str, week: Week, hours: str = "7.50") -> Allocation:
    return Allocation(member_id=member_id, week=week, project_id="P-1", hours={week.monday: Decimal(hours)})


def review(number: int, week: Week) -> QualityReview:
    return QualityReview(
        member_id="M-1", week=week, project_id="P-1", review_id=f"R-{number}", category="box", reviewed=10,
        correct=9, reviewer="lead-1", reviewed_at=week.start, notes='he said "no"\nand left\t\u00e9',
    )  # fmt: skip


@pytest.fixture(scope="module")
def programme(platform: Platform) -> Platform:
    """A little history: M-1 joins in W34 and changes team in W35, M-2 comes and goes."""
    members, allocations, reviews = (store(platform, name) for name in ("members", "allocations", "quality"))
    first = members.create(member("M-1"), now=W34.start, **WHO)
    members.update(
        first.model_copy(update={"team": "T-2"}), expected_version=1, now=W35.start + timedelta(hours=3), **WHO
    )
    gone = members.create(member("M-2"), now=W34.start, **WHO)
    members.delete(gone, expected_version=1, now=W36.start, **WHO)
    early = allocations.create(allocation("M-1", W34), now=W34.start, **WHO)
    allocations.update(
        early.model_copy(update={"pinned": True}), expected_version=1, now=W36.start + timedelta(hours=1), **WHO
    )
    allocations.create(allocation("M-9", W34), now=W36.start, **WHO)
    for number, week in enumerate((W34, W35, W34)):
        reviews.create(review(number, week), now=W35.start, **WHO)
    away = Availability(
        member_id="M-1", date=W35.monday, hours_off=Decimal(8), code=ReasonCode.SICK, reason=REASON
    )
    store(platform, "availability").create(away, now=W34.start, **WHO)
    delivery = Delivery(edition_id="E-1", recipient_id="R-1", claimed=W36.start + timedelta(days=6, hours=23))
    store(platform, "deliveries").create(delivery, now=W36.start, **WHO)
    return platform


def export(platform: Platform, *tables: LakeTable, weeks: WeekRange = ALL_WEEKS, now: datetime = NOW) -> Any:
    wanted = tables or tuple(EXPORTED.values())
    return Export(platform.settings, Lake(platform.settings), now=now).run(wanted, weeks)


@pytest.fixture(scope="module")
def exported(programme: Platform) -> list[TableOutcome]:
    return export(programme)


def rows(platform: Platform, table: LakeTable, week: Week) -> list[dict[str, Any]]:
    found = Lake(platform.settings).read_partition(table, week)
    return [] if found is None else found.to_pylist()


def objects(platform: Platform) -> dict[str, str]:
    return {found.key: found.tag for found in Lake(platform.settings).stored("lake/")}


@pytest.mark.usefixtures("exported")
def test_a_register_is_there_as_it_stood_at_the_end_of_each_week(programme: Platform) -> None:
    told = {w: {r["member_id"]: r["team"] for r in rows(programme, MEMBERS, w)} for w in ALL_WEEKS}

    both = {"M-1": None, "M-2": None}
    assert told == {W33: {}, W34: both, W35: both | {"M-1": "T-2"}, W36: {"M-1": "T-2"}, W37: {"M-1": "T-2"}}


@pytest.mark.usefixtures("exported")
def test_allocations_stand_as_the_week_ended_and_late_ones_say_so(programme: Platform) -> None:
    found = rows(programme, ALLOCATIONS, W34)

    assert [(r["member_id"], r["pinned"], r["version"], r["recorded_late"]) for r in found] == [
        ("M-1", False, 1, False),
        ("M-9", False, 1, True),
    ]
    assert json.loads(found[0]["hours"]) == {"2018-08-20": 7.5}


@pytest.mark.usefixtures("exported")
def test_facts_and_the_log_belong_to_their_week(programme: Platform) -> None:
    reviews = {w: [r["review_id"] for r in rows(programme, QUALITY, w)] for w in (W34, W35, W36)}
    changes = {w: len(rows(programme, CHANGELOG, w)) for w in ALL_WEEKS}
    sent = [w for w in ALL_WEEKS if rows(programme, EXPORTED["deliveries"], w)]

    assert reviews == {W34: ["R-0", "R-2"], W35: ["R-1"], W36: []}
    assert changes == {W33: 0, W34: 4, W35: 4, W36: 4, W37: 0}
    assert sent == [W36]


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("table", [QUALITY, ALLOCATIONS, MEMBERS, CHANGELOG], ids=lambda table: table.name)
def test_json_lines_hold_the_same_rows_as_parquet(programme: Platform, table: LakeTable) -> None:
    body = Lake(programme.settings).get(table.partition(W34).jsonl)
    lines = [json.loads(line) for line in gzip.decompress(body or b"").splitlines()]

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        texts = {c.name: json.loads(row[c.name]) for c in table.columns if c.json and row[c.name] is not None}
        instants = {n: f"{v:%Y-%m-%dT%H:%M:%S.%fZ}" for n, v in row.items() if isinstance(v, datetime)}
        return row | texts | instants

    assert lines
    assert lines == [plain(row) for row in rows(programme, table, W34)]


@pytest.mark.usefixtures("exported")
def test_nothing_personal_is_in_any_object_of_the_lake(programme: Platform) -> None:
    lake = Lake(programme.settings)
    secrets = [text.encode() for text in (NAME, EMAIL, REASON, "sealed")]

    leaking = [
        key
        for key in lake.keys("lake/jsonl/")
        if any(secret in gzip.decompress(lake.get(key) or b"") for secret in secrets)
    ]

    assert leaking == []


@pytest.mark.usefixtures("exported")
def test_a_second_export_writes_nothing(programme: Platform) -> None:
    before = objects(programme)

    outcomes = export(programme, now=NOW + timedelta(minutes=5))

    assert objects(programme) == before
    assert {(outcome.written, outcome.unchanged) for outcome in outcomes} == {(0, len(ALL_WEEKS))}


@pytest.mark.usefixtures("exported")
def test_queries_of_the_weeks_find_what_a_scan_finds(programme: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    before = objects(programme)
    monkeypatch.setattr(reading, "SCAN_BYTES", -1)
    monkeypatch.setattr(engine, "pages_of", reading.pages_of_many)

    outcomes = export(programme, QUALITY, CHANGELOG, weeks=WeekRange(W34, W35))

    assert [(outcome.items, outcome.written) for outcome in outcomes] == [(3, 0), (8, 0)]
    assert objects(programme) == before


@pytest.fixture
def unindexed(programme: Platform) -> Iterator[dict[str, Any]]:
    """A review that stands in the table and in no index, as one does that was written a moment ago."""
    dynamodb, name = client(programme.settings, "dynamodb"), programme.settings.table_name("quality")
    item: dict[str, Any] = dict(encode(TABLES["quality"], review(9, W34)))
    for attribute in ("project_member", "week_member"):
        del item[attribute]
    dynamodb.put_item(TableName=name, Item=item)
    yield item
    dynamodb.delete_item(TableName=name, Key={part: item[part] for part in ("member_id", "week_project_review")})
    export(programme, QUALITY)


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("scan_bytes", [-1, 10**9], ids=["large", "small"])
def test_an_item_that_no_index_knows_yet_is_in_its_week(
    programme: Platform, unindexed: dict[str, Any], scan_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SCAN_BYTES", scan_bytes)

    export(programme, QUALITY, weeks=WeekRange(W34, W34))

    found = [row["review_id"] for row in rows(programme, QUALITY, W34)]
    assert unindexed["review_id"]["S"] in found
    settings = programme.settings
    assert reading.items_by_week(RawTables(settings), settings, QUALITY, [W34])[W34.label] == len(found)


@pytest.mark.usefixtures("exported")
def test_an_item_without_its_week_is_refused_by_an_export_of_another_week(
    programme: Platform, unindexed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, weekless = programme.settings.table_name("quality"), {n: v for n, v in unindexed.items() if n != "week"}
    client(programme.settings, "dynamodb").put_item(TableName=name, Item=weekless)
    monkeypatch.setattr(reading, "SCAN_BYTES", -1)

    with pytest.raises(PermanentFailure, match="R-9 has no week that says its week"):
        export(programme, QUALITY, weeks=WeekRange(W35, W35))


@pytest.mark.usefixtures("exported")
def test_an_export_of_one_table_and_some_weeks_touches_nothing_else(programme: Platform) -> None:
    store(programme, "members").create(member("M-3"), now=NOW, **WHO)
    late = store(programme, "quality").create(review(7, W35), now=NOW, **WHO)
    before = objects(programme)

    export(programme, QUALITY, weeks=WeekRange(W34, W35))

    changed = {key for key, tag in objects(programme).items() if before.get(key) != tag}
    mine = QUALITY.partition(W35)
    assert changed == {mine.parquet, mine.jsonl, mine.manifest}
    assert late.review_id in [row["review_id"] for row in rows(programme, QUALITY, W35)]
    manifest = Lake(programme.settings).manifest(mine)
    assert manifest is not None
    assert manifest.generation == 2


def test_a_week_that_is_to_come_and_a_computed_table_are_refused(programme: Platform) -> None:
    with pytest.raises(BadUsage, match="2018-W38 is to come: 2018-W37 is the running week"):
        export(programme, QUALITY, weeks=WeekRange(W37, W37 + 1))
    with pytest.raises(BadUsage, match="throughput: computed by an asset"):
        export(programme, THROUGHPUT)


@pytest.fixture
def standing(programme: Platform) -> Iterator[Lake]:
    """The lake with W34 of quality in it, and whole again afterwards."""
    export(programme, QUALITY, weeks=WeekRange(W34, W34))
    yield Lake(programme.settings)
    export(programme, QUALITY, weeks=WeekRange(W34, W34))


@pytest.mark.parametrize("broken", [b"", b'{"table":"quality","we', b'{"table":7}', b"\xff\xfe"])
def test_a_manifest_that_cannot_be_read_is_said_and_rebuilt_from_the_parquet(
    programme: Platform, standing: Lake, broken: bytes
) -> None:
    partition = QUALITY.partition(W34)
    before, tags = standing.manifest(partition), objects(programme)
    standing.put(partition.manifest, broken, content_type="application/json")

    with pytest.raises(UnreadableManifest, match=r"week=2018-W34.json cannot be read"):
        standing.manifest(partition)
    (outcome,) = export(programme, QUALITY, weeks=WeekRange(W34, W34))

    assert "cannot be read" in outcome.notes[0]
    after = standing.manifest(partition)
    assert before is not None
    assert after == replace(before, written_at=NOW.isoformat())
    assert objects(programme).items() >= {k: tags[k] for k in (partition.parquet, partition.jsonl)}.items()


@pytest.mark.parametrize("part", ["parquet", "jsonl"])
def test_a_missing_part_is_said_and_written_again(programme: Platform, standing: Lake, part: str) -> None:
    partition = QUALITY.partition(W34)
    key, before = getattr(partition, part), rows(programme, QUALITY, W34)
    standing.delete(key)

    (outcome,) = export(programme, QUALITY, weeks=WeekRange(W34, W34))

    assert outcome.notes == [f"{key} is missing, although its manifest counts 2 rows"]
    assert rows(programme, QUALITY, W34) == before
    assert standing.get(key) is not None


def test_a_parquet_object_that_is_newer_than_its_manifest_keeps_its_generation(
    programme: Platform, standing: Lake
) -> None:
    """What a kill between the two puts leaves."""
    partition = QUALITY.partition(W34)
    old, old_lines = standing.get(partition.manifest), standing.get(partition.jsonl)
    store(programme, "quality").create(review(8, W34), now=NOW, **WHO)
    export(programme, QUALITY, weeks=WeekRange(W34, W34))
    new = standing.manifest(partition)
    standing.put(partition.manifest, old or b"", content_type="application/json")
    standing.put(partition.jsonl, old_lines or b"", content_type="application/gzip")

    (outcome,) = export(programme, QUALITY, weeks=WeekRange(W34, W34))

    assert outcome.notes == [f"{partition.parquet} is newer than its manifest: a run was ended in between"]
    assert standing.manifest(partition) == new


@pytest.mark.parametrize("put", [["jsonl"], ["jsonl", "parquet"]])
def test_rows_of_a_run_that_was_killed_before_its_manifest_do_not_stay_when_they_are_taken_back(
    programme: Platform, standing: Lake, put: list[str]
) -> None:
    """The week had no row until then, so that nothing lay beside its manifest."""
    table = replace(QUALITY, name=f"killed_after_{put[-1]}")
    partition, nothing = table.partition(W34), content_of(table, [arrow_rows(table, [])])
    standing.write_partition(table, W34, nothing, now=NOW, sparse=True)
    bare = standing.get(partition.manifest)
    standing.write_partition(table, W34, _content(table, programme), now=NOW, sparse=True)
    standing.put(partition.manifest, bare or b"", content_type="application/json")
    for part in {"jsonl", "parquet"} - {*put}:
        standing.delete(getattr(partition, part))

    taken_back = standing.write_partition(table, W34, nothing, now=NOW, sparse=True)
    again = standing.write_partition(table, W34, nothing, now=NOW, sparse=True)

    assert taken_back.notes == (
        f"{getattr(partition, put[-1])} is newer than its manifest: a run was ended in between",
    )
    assert rows(programme, table, W34) == []
    assert (taken_back.written, again.written) == (True, False)


def test_a_table_that_gained_a_column_is_written_anew_and_says_so(
    programme: Platform, standing: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partition was written when the table had a column less."""
    fewer = replace(QUALITY, columns=tuple(c for c in QUALITY.columns if c.name != "notes"))
    standing.write_partition(fewer, W34, _content(fewer, programme), now=NOW)
    assert "notes" not in rows(programme, QUALITY, W34)[0]

    (outcome,) = export(programme, QUALITY, weeks=WeekRange(W34, W34))

    assert outcome.notes == ["quality 2018-W34 gained notes"]
    assert rows(programme, QUALITY, W34)[0]["notes"].startswith("he said")


def _content(table: LakeTable, platform: Platform) -> Any:
    names = {column.name for column in table.columns}
    found = [{n: v for n, v in row.items() if n in names} for row in rows(platform, QUALITY, W34)]
    return content_of(table, [arrow_rows(table, found)])


def test_a_table_that_was_never_deployed_is_refused_by_name_and_the_others_are_exported(
    programme: Platform,
) -> None:
    """An installation that is older than the table."""
    dynamodb, name = client(programme.settings, "dynamodb"), programme.settings.table_name("saved_views")
    late = store(programme, "quality").create(review(12, W36), now=NOW, **WHO)
    dynamodb.delete_table(TableName=name)
    try:
        with pytest.raises(PermanentFailure, match=r"prism-saved_views: ResourceNotFound.*deploy the stacks"):
            export(programme, EXPORTED["saved_views"], QUALITY)
    finally:
        dynamodb.create_table(**creation(TABLES["saved_views"], name))

    assert [row["review_id"] for row in rows(programme, QUALITY, W36)] == [late.review_id]


def test_of_several_tables_that_fail_each_is_named_and_the_finished_ones_are_kept(programme: Platform) -> None:
    dynamodb = client(programme.settings, "dynamodb")
    broken: tuple[tuple[str, dict[str, Any]], ...] = (
        ("saved_views", {"view_id": {"S": "V-1"}, "colour": {"S": "red"}}),
        ("deliveries", {"edition_id": {"S": "E-9"}, "recipient_id": {"S": "R-9"}, "claimed": {"S": "soon"}}),
    )
    run = Export(programme.settings, Lake(programme.settings), now=NOW)
    for table, item in broken:
        dynamodb.put_item(TableName=programme.settings.table_name(table), Item=item)
    try:
        with pytest.raises(PermanentFailure, match=r"2 tables failed\. saved_views: .*`colour`.*; deliveries: .*"):
            run.run([EXPORTED["saved_views"], QUALITY, EXPORTED["deliveries"]], WeekRange(W36, W36))
    finally:
        for table, item in broken:
            key = {part: item[part] for part in item if part.endswith("_id")}
            dynamodb.delete_item(TableName=programme.settings.table_name(table), Key=key)

    assert [outcome.table for outcome in run.finished] == ["quality"]


def test_an_item_that_lacks_what_its_model_requires_is_refused_and_the_week_stays_as_it_is(
    programme: Platform, standing: Lake
) -> None:
    dynamodb, name = client(programme.settings, "dynamodb"), programme.settings.table_name("quality")
    item: dict[str, Any] = {n: v for n, v in encode(TABLES["quality"], review(13, W34)).items() if n != "correct"}
    before = standing.manifest(QUALITY.partition(W34))
    dynamodb.put_item(TableName=name, Item=item)
    try:
        with pytest.raises(PermanentFailure, match=r"quality/M-1/2018-W34#P-1#R-13 has no correct"):
            export(programme, QUALITY, weeks=WeekRange(W34, W34))
    finally:
        key = {part: item[part] for part in ("member_id", "week_project_review")}
        dynamodb.delete_item(TableName=name, Key=key)

    assert standing.manifest(QUALITY.partition(W34)) == before


def test_an_attribute_that_nobody_knows_is_refused_and_its_place_is_named(programme: Platform) -> None:
    dynamodb, name = client(programme.settings, "dynamodb"), programme.settings.table_name("saved_views")
    dynamodb.put_item(TableName=name, Item={"view_id": {"S": "V-1"}, "colour": {"S": "red"}})
    try:
        with pytest.raises(PermanentFailure, match=r"saved_views is not as expected: .*`colour`"):
            export(programme, EXPORTED["saved_views"])
    finally:
        dynamodb.delete_item(TableName=name, Key={"view_id": {"S": "V-1"}})


def test_a_row_that_was_read_long_after_the_export_began_is_undone(programme: Platform) -> None:
    members = store(programme, "members")
    first = members.create(member("M-20"), now=W34.start, **WHO)
    late = NOW + timedelta(hours=2)
    members.update(first.model_copy(update={"team": "T-late"}), expected_version=1, now=late, **WHO)

    export(programme, MEMBERS, weeks=WeekRange(W36, W36))

    assert {r["member_id"]: r["team"] for r in rows(programme, MEMBERS, W36)}["M-20"] is None


def test_items_of_weeks_that_are_not_exported_are_no_gap_and_one_deleted_past_the_log_is(
    programme: Platform,
) -> None:
    allocations, away = store(programme, "allocations"), store(programme, "availability")
    for week in (W34, W35):
        allocations.create(allocation("M-30", week), now=W36.start, **WHO)
        off = Availability(member_id="M-30", date=week.monday, hours_off=Decimal(8), code=ReasonCode.SICK)
        away.create(off, now=W36.start, **WHO)

    export(programme, ALLOCATIONS, EXPORTED["availability"], weeks=WeekRange(W34, W34))

    found = rows(programme, ALLOCATIONS, W34), rows(programme, EXPORTED["availability"], W34)
    assert [[r["recorded_late"] for r in each if r["member_id"] == "M-30"] for each in found] == [[True], [True]]

    key = {"member_id": {"S": "M-30"}, "week_project": {"S": f"{W34}#P-1"}}
    dynamodb, name = client(programme.settings, "dynamodb"), programme.settings.table_name("allocations")
    dynamodb.delete_item(TableName=name, Key=key)
    export(programme, ALLOCATIONS, weeks=WeekRange(W35, W35))
    with pytest.raises(
        PermanentFailure, match=r"history of allocations/M-30/2018-W34#P-1 has a gap behind version 1"
    ):
        export(programme, ALLOCATIONS, weeks=WeekRange(W34, W34))
