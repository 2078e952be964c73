"""Published weeks of the real records that change afterwards.

Why real: what was published, what a kill leaves of it, and which week is asked for, only S3, DynamoDB and a
process that dies can say. The records are those of tests/data/worker_activity; a few of them arrive late.
"""

import gzip
import json
import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from infra.local.platform import Platform, attached
from prism_assets.rehearsal import REHEARSED, rehearse
from prism_assets.resources import PrismResource
from prism_assets.restatements.book import book, figures_in_log, reader, unbooked
from prism_assets.restatements.gate import ANEW_TAG, BECAUSE_TAG, Comparison, Intent, Refused
from prism_assets.throughput.publish import PublishedWeek, publish_week, read_for
from prism_core import clock
from prism_core.calendar import Week, WeekRange
from prism_core.evidence import Cause
from prism_core.lake_tables import RESTATEMENTS, THROUGHPUT, UTILISATION
from prism_core.models.disputes import Correction
from prism_core.models.workers import Worker, WorkerPeriod, WorkerStatus
from prism_core.settings import load_settings
from prism_resources.lake import Lake
from prism_resources.restatements import RestatementLog
from prism_resources.worker_activity.ingest import FileIngest
from prism_resources.worker_activity.landing import Landing
from tests.integration.asset_runs import failed_checks, lake_rows, run_assets, week_metadata, write
from tests.integration.fresh import TODAY, lay_deployed, own_variables, worker_port
from tests.integration.helpers import REAL_FILES, record, seconds, write_lines
from tests.integration.ticks import names_of, tick, weeks_of
from tests.integration.warm import Script

# The Wednesday after the last of the four weeks.
NOW = datetime(2018, 9, 12, 9, tzinfo=UTC)
W33, W34, W35, W36 = (Week.parse(f"2018-W{number}") for number in (33, 34, 35, 36))
WEEKS = WeekRange(W33, W36)
_KILLED_BEFORE_THE_LAKE = """
import os, signal
from prism_assets.resources import PrismResource
from prism_assets.throughput import publish
from prism_core import clock
from prism_core.calendar import Week

publish.put = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
prism = PrismResource()
week = Week.parse("{week}")
publish.publish_week(prism, publish.read_for(prism, [week]), week, clock.now())
"""


def _week(line: bytes) -> Week:
    return Week.of(datetime.fromtimestamp(int(json.loads(line)["event_timestamp"]), UTC))


REAL: dict[Week, list[bytes]] = {}
for _path in REAL_FILES:
    for _line in gzip.decompress(_path.read_bytes()).splitlines():
        REAL.setdefault(_week(_line), []).append(_line)
# What arrives late: half of W33, one record of W34, one of W35, three of W36.
LATE = {W33: REAL[W33][:500], W34: REAL[W34][:1], W35: REAL[W35][:1], W36: REAL[W36][:3]}


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def programme(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Iterator[Platform]:
    """A platform of its own on a Wednesday of 2018: four weeks are published, but for what arrives late."""
    folder, home = (tmp_path_factory.mktemp(name) for name in ("restatements", "own-home"))
    with own_variables() as patch:
        patch.setenv("PRISM_FIRST_WEEK", W33.label)
        lay_deployed(home, worker_port(7), TODAY)
        patch.setenv("PRISM_HOME", str(home))
        patch.setenv("PRISM_NOW", NOW.isoformat())
        patch.setenv("DAGSTER_HOME", str(folder / "dagster"))
        patch.setenv("PRISM_AWS_ENDPOINT_URL", "")
        with attached(print, port=worker_port(7)) as running:
            running.hold()  # nobody starts it again
            on_time = [line for week in WEEKS for line in REAL[week][len(LATE[week]) :]]
            load(write_lines(folder / "on-time.jsonl", [*on_time]))
            assert run_assets(instance, WEEKS, "throughput", "restatements").success
            yield running


def load(path: Path) -> None:
    ingest = FileIngest(Landing(Lake(load_settings())), WeekRange(W33, W36 + 1), clock.now())
    assert ingest.load(path, lambda _: None, lambda _: None).rejected == 0


def publish(week: Week, intent: Intent | None = None) -> PublishedWeek:
    prism = PrismResource()
    outcome = publish_week(prism, read_for(prism, [week]), week, clock.now(), intent)
    assert isinstance(outcome, PublishedWeek)
    return outcome


def rehearsed(week: Week) -> Comparison:
    ((_, one),) = rehearse(PrismResource(), ["throughput"], [week], clock.now(), Intent())
    assert isinstance(one, Comparison)
    return one


def submitted(week: Week) -> int:
    return sum(row["tasks_submitted"] for row in lake_rows(THROUGHPUT, week))


def restated(week: Week) -> dict[tuple[str, str], tuple[float | None, float | None, tuple[str, ...]]]:
    """Old value, new value and causes by subject and measure, as the lake has them."""
    return {
        (row["subject"], row["measure"]): (row["old"], row["new"], tuple(json.loads(row["causes"])))
        for row in lake_rows(RESTATEMENTS, week)
    }


def objects() -> dict[str, str]:
    """Every object of the bucket with its tag."""
    return {found.key: found.tag for found in Lake(load_settings()).stored("")}


def who_and_when(line: bytes) -> tuple[str, str, str]:
    """Job, worker and day of a record: its subject while nobody has resolved anything."""
    values = json.loads(line)
    day = datetime.fromtimestamp(int(values["event_timestamp"]), UTC).date().isoformat()
    job = values["labeling_job_arn"].rpartition("/")[2]
    return f"job:{job}", f"worker:{values['cognito_user_pool_id']}#{values['cognito_sub_id']}", day


def subject_of(line: bytes) -> str:
    return " | ".join(who_and_when(line))


def test_a_record_of_w34_that_arrives_after_w36_was_published_changes_w34_alone_and_is_recorded_with_its_cause(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    (line,) = LATE[W34]
    counted = tick("landed_activity", instance, tick("landed_activity", instance, None).cursor)
    before = objects()
    load(write_lines(tmp_path / "late.jsonl", [line]))

    waiting = tick("landed_activity", instance, counted.cursor)
    (request,) = tick("landed_activity", instance, waiting.cursor).requests
    result = run_assets(instance, weeks_of(request), *names_of(request), tags=dict(request.tags))

    assert str(weeks_of(request)) == W34.label
    assert counted.requests == []
    assert result.success
    assert submitted(W34) == 2000
    found = restated(W34)
    old, new, causes = found[subject_of(line), "tasks_submitted"]
    assert (old is None or new == old + 1, causes) == (True, ("late_record",))
    assert found["*", "tasks_submitted"] == (1999, 2000, ("late_record",))
    assert {subject for subject, _ in found} == {subject_of(line), "*"}
    assert [lake_rows(RESTATEMENTS, week) for week in (W33, W35, W36)] == [[], [], []]
    changed = {key for key, tag in objects().items() if before.get(key) != tag}
    assert all("week=2018-W34" in key for key in changed), changed
    in_table = list(reader(PrismResource()).query("by_week", week=W34))
    assert {(row.subject, row.measure, row.cause) for row in in_table} == {
        (subject, measure, Cause.LATE_RECORD) for subject, measure in found
    }
    facts = week_metadata(instance, "restatements", W34)
    assert facts["by_cause"] == {"late_record": len(found)}
    assert facts["old_and_new_by_week"].startswith("![Totals as first published, and now](data:image/svg+xml")
    assert {"restatement_size", "restatements_conserved"} & failed_checks(result) == set()


def test_the_second_half_of_a_week_is_refused_rehearsed_and_published_for_a_reason(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    load(write_lines(tmp_path / "half.jsonl", [*LATE[W33]]))
    before, control = objects(), PrismResource().throughput().control(W33)

    refused = run_assets(instance, WeekRange(W33, W34), "throughput")
    comparison = rehearsed(W33)
    untouched = {key: tag for key, tag in objects().items() if "week=2018-W34" not in key}
    allowed = run_assets(
        instance,
        WeekRange(W33, W33),
        "throughput",
        "restatements",
        tags={BECAUSE_TAG: "the second half of the file"},
    )

    assert not refused.success
    (failure,) = [event for event in refused.all_events if event.is_step_failure]
    said = str(failure.event_specific_data)
    assert "throughput of 2018-W33 is published" in said
    assert "from 500 to 1,000 (+100.0%)" in said
    assert '--because "why"' in said
    assert control is not None
    assert untouched == {key: tag for key, tag in before.items() if "week=2018-W34" not in key}
    assert (comparison.refused, str(comparison.move)) == (True, "tasks_submitted from 500 to 1,000 (+100.0%)")
    assert {cause for one in comparison.rows for cause in one.causes} == {Cause.LATE_RECORD}
    assert allowed.success
    assert submitted(W33) == 1000
    assert failed_checks(allowed) >= {"restatement_size"}, "that it was large, and why, stays to be seen"
    assert {row["reason"] for row in lake_rows(RESTATEMENTS, W33)} == {"the second half of the file"}
    assert week_metadata(instance, "throughput", W33)["restated_because"] == "the second half of the file"


def test_a_refused_week_does_not_keep_the_others_of_its_run_from_being_published(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    at, was = seconds("2018-08-14T10:00:00+00:00"), submitted(W33)
    one_of_w34 = record(seconds("2018-08-22T10:00:00+00:00"), sub="new")
    load(
        write_lines(
            tmp_path / "many.jsonl", [one_of_w34, *(record(at + one, sub=f"new-{one}") for one in range(900))]
        )
    )
    first_tick = tick("restated_weeks", instance, None)

    def materialised(week: Week) -> int:
        event = instance.get_latest_data_version_record(dg.AssetKey("throughput"), partition_key=week.key)
        assert event is not None
        return event.storage_id

    before = {week: materialised(week) for week in WEEKS}
    result = run_assets(instance, WEEKS, "throughput", "utilisation", "unresolved_workers", "restatements")
    after = tick("restated_weeks", instance, first_tick.cursor)

    assert not result.success
    assert submitted(W33) == was
    assert after.asked == [("2018-W34", ["restatements", "unresolved_workers", "utilisation"])]
    assert [materialised(week) > before[week] for week in WEEKS] == [False, True, True, True]


def test_each_row_has_its_own_cause_when_a_record_a_resolution_and_a_correction_come_together(
    tmp_path: Path,
) -> None:
    publish(W35)
    (late,) = LATE[W35]
    rows = [row for row in lake_rows(THROUGHPUT, W35) if row["tasks_submitted"] > 1]
    late_place = who_and_when(late)
    others = [row for row in rows if row["member_id"] != late_place[1]]
    resolved, corrected = (
        others[0]["member_id"],
        next(row["member_id"] for row in others if row["member_id"] != others[0]["member_id"]),
    )
    key = resolved.removeprefix("worker:")
    pool, _, sub = key.partition("#")
    now = datetime.now(UTC)
    worker = Worker(
        worker_key=key,
        pool=pool,
        sub=sub,
        status=WorkerStatus.RESOLVED,
        periods=(WorkerPeriod(member="ada", from_=date(2018, 1, 1)),),
        last_seen=now,
    )
    correction = Correction(
        week=W35,
        correction_id="C-1",
        from_member=corrected,
        to_member="bob",
        reason="worked under a colleague's account",
        created=now,
        created_by="lead",
    )
    write("workers", [worker])
    write("corrections", [correction])
    load(write_lines(tmp_path / "late.jsonl", [late]))

    outcome = publish(W35)
    book(PrismResource(), W35, clock.now())

    total = submitted(W35)
    assert outcome.lake.comparison.causes.keys() == {
        Cause.LATE_RECORD,
        Cause.RESOLVED_WORKER,
        Cause.CORRECTION,
    }
    assert outcome.lake.comparison.move is not None
    assert (outcome.lake.comparison.move.published, total) == (975, 976)
    found = restated(W35)
    by_cause: dict[tuple[str, ...], set[str]] = {}
    for (subject, _), (_, _, causes) in found.items():
        by_cause.setdefault(causes, set()).add(subject)
    assert by_cause[("late_record",)] == {subject_of(late), "*"}
    assert all(resolved in one or "ada" in one for one in by_cause[("resolved_worker",)])
    assert all(corrected in one or "bob" in one for one in by_cause[("correction",)])
    gone = [old for (subject, _), (old, new, _) in found.items() if resolved in subject and new is None]
    assert gone, "the figures under the worker's own name were published, and are no longer"


def test_a_kill_between_the_log_and_the_lake_leaves_the_old_week_and_repeating_ends_well(tmp_path: Path) -> None:
    prism, now = PrismResource(), clock.now()
    first, second, third = LATE[W36]
    load(write_lines(tmp_path / "first.jsonl", [first]))

    killed = Script(_KILLED_BEFORE_THE_LAKE.format(week=W36)).wait()
    while_dead = book(prism, W36, now)
    published_then = submitted(W36)
    publish(W36)
    healed = book(prism, W36, now)
    load(write_lines(tmp_path / "second.jsonl", [second]))
    killed_again = Script(_KILLED_BEFORE_THE_LAKE.format(week=W36)).wait()
    load(write_lines(tmp_path / "third.jsonl", [third]))
    publish(W36)
    at_last = book(prism, W36, now)
    again = book(prism, W36, now)

    assert (killed, killed_again) == (-signal.SIGKILL, -signal.SIGKILL)
    assert (published_then, while_dead.rows, len(while_dead.abandoned)) == (837, 0, 1)
    assert (len(healed.entries), len(healed.abandoned)) == (1, 0)
    assert restated(W36)["*", "tasks_submitted"] == (838, 840, ("late_record",))
    assert (len(at_last.entries), len(at_last.abandoned)) == (2, 1), "nobody has read what the killed run computed"
    assert submitted(W36) == 840
    assert (again.lake.written, again.put, again.deleted) == (False, 0, 0)
    assert W36 not in unbooked(prism, WEEKS)
    assert figures_in_log(prism, W36) > 0


def test_a_week_that_was_computed_while_it_ran_is_first_published_after_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Week.of(NOW)
    tuesday = seconds("2018-09-11T10:00:00+00:00")
    load(write_lines(tmp_path / "a.jsonl", [record(tuesday, sub="runs")]))
    publish(running)
    load(write_lines(tmp_path / "b.jsonl", [record(tuesday + number, sub="runs") for number in (1, 2, 3)]))

    monkeypatch.setenv("PRISM_NOW", "2018-09-18T09:00:00Z")
    whole = publish(running)
    monkeypatch.setenv("PRISM_NOW", "2018-09-18T10:00:00Z")
    load(write_lines(tmp_path / "c.jsonl", [record(tuesday + 4, sub="runs")]))
    with pytest.raises(Refused, match=r"from 4 to 5 \(\+25.0%\)"):
        publish(running)

    assert whole.lake.comparison.published is None
    assert whole.lake.restated == 0


def test_small_steps_add_up_until_somebody_says_why(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2018-10-09T09:00:00Z")
    week, at = Week.parse("2018-W40"), seconds("2018-10-02T10:00:00+00:00")
    weeks = WeekRange(W33, Week.parse("2018-W40"))

    def arrive(name: str, first: int, number: int) -> None:
        ingest = FileIngest(Landing(Lake(load_settings())), weeks, clock.now())
        path = write_lines(tmp_path / name, [record(at + one, sub="step") for one in range(first, first + number)])
        ingest.load(path, lambda _: None, lambda _: None)

    arrive("a", 0, 100)
    publish(week)
    arrive("b", 100, 15)
    small = publish(week)
    arrive("c", 115, 15)
    with pytest.raises(Refused, match=r"from 100 to 130 \(\+30.0%\)"):
        publish(week)
    publish(week, Intent(because="the export was late"))
    arrive("d", 130, 20)
    allowed = publish(week)
    booked = run_assets(instance, WeekRange(week, week), "restatements")

    assert small.lake.restated > 0
    assert str(allowed.lake.comparison.move) == "tasks_submitted from 130 to 150 (+15.4%)"
    assert failed_checks(booked) == {"restatement_size"}, "from first to last it is half of it"


def test_a_week_that_is_computed_anew_says_so_and_needs_no_second_reason(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2018-10-09T09:00:00Z")
    week, at = Week.parse("2018-W39"), seconds("2018-09-25T10:00:00+00:00")
    lake = Lake(load_settings())
    ingest = FileIngest(Landing(lake), WeekRange(W33, Week.parse("2018-W40")), clock.now())
    path = write_lines(tmp_path / "a.jsonl", [record(at + one, sub="anew") for one in range(4)])
    ingest.load(path, lambda _: None, lambda _: None)
    publish(week)
    for key in Landing(lake).keys(week):
        lake.delete(key)

    result = run_assets(
        instance, WeekRange(week, week), "throughput", "restatements", tags={ANEW_TAG: "dropped on purpose"}
    )

    assert result.success
    assert restated(week)["*", "tasks_submitted"] == (4, 0, ("computed_anew",))
    assert {row["reason"] for row in lake_rows(RESTATEMENTS, week)} == {"dropped on purpose"}


@pytest.mark.parametrize(("left", "week"), [("nothing", "2018-W38"), ("half", "2018-W41")])
def test_a_published_week_whose_parquet_is_lost_or_cut_off_is_still_guarded(
    left: str, week: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", "2018-10-23T09:00:00Z")
    lost, lake = Week.parse(week), Lake(load_settings())
    ingest = FileIngest(Landing(lake), WeekRange(W33, lost), clock.now())
    at, partition = int(lost.start.timestamp()), THROUGHPUT.partition(lost)

    def arrive(name: str, numbers: range) -> None:
        path = write_lines(tmp_path / name, [record(at + one, sub="lost") for one in numbers])
        assert ingest.load(path, lambda _: None, lambda _: None).loaded

    def damage(key: str) -> None:
        body = lake.get(key) or b""
        lake.delete(key)
        if left == "half":
            lake.put(key, body[: len(body) // 2], content_type="application/octet-stream")

    arrive("a", range(4))
    publish(lost)
    damage(partition.parquet)
    healed = publish(lost)
    arrive("b", range(4, 8))
    damage(partition.parquet)
    with pytest.raises(Refused, match=r"from 4 to 8 \(\+100.0%\)"):
        publish(lost)
    damage(partition.jsonl)
    with pytest.raises(Refused, match="its rows are lost"):
        publish(lost)
    allowed = publish(lost, Intent(because="the bucket was damaged"))

    assert (healed.lake.restated, len(healed.lake.write.notes)) == (0, 1)
    assert (allowed.lake.comparison.rows, submitted(lost)) == ((), 8)
    assert RestatementLog(lake).entries("throughput", lost)[-1].reason == "the bucket was damaged"


def test_what_was_set_right_of_a_computed_week_is_in_its_metadata(instance: dg.DagsterInstance) -> None:
    weeks, lake = WeekRange(W35, W35), Lake(load_settings())
    run_assets(instance, weeks, "utilisation")
    key = UTILISATION.partition(W35).jsonl
    lake.delete(key)

    assert run_assets(instance, weeks, "utilisation").success

    (note,) = week_metadata(instance, "utilisation", W35)["set_right"]
    assert note.startswith(f"{key} is missing")


def test_a_rehearsal_of_all_weeks_writes_nothing_and_finds_what_is_published() -> None:
    before = objects()

    found = list(rehearse(PrismResource(), REHEARSED, list(WEEKS), clock.now(), Intent()))

    assert objects() == before
    assert [(name, one.week) for name, one in found] == [(name, week) for week in WEEKS for name in REHEARSED]
