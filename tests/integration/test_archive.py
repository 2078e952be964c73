"""The archive of raw answers. Why real: what is immutable, whole and in order is decided by the bucket."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from infra.local.platform import Platform
from infra.local.standins.faults import Fault, meta_error
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.lake import RAW_EXPIRY_DAYS
from prism_resources.archive import CLAUDE, META, Archive, Broken, Writing
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.meta_ads.source import WHAT, ArchivedAds
from prism_resources.wire.calls import Refused
from prism_resources.wire.exchanges import Exchange
from tests.integration.helpers import REPOSITORY
from tests.integration.outside import TOKENS, Outside, outside, served_fixture
from tests.integration.test_meta_insights import INSIGHTS, OF_ADS, assert_is_w31

__all__ = ("outside", "served_fixture")

W31 = Week.parse("2023-W31")
NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
WEEK = Week.parse("2026-W01")


@pytest.fixture
def archive(platform: Platform) -> Archive:
    return Archive(Lake(platform.settings), CLAUDE)


def exchange(number: int, body: bytes = b'{"id": 1}') -> Exchange:
    return Exchange("page", "GET", f"/{number}", {"limit": number}, NOW.isoformat(), 200, {"date": "x"}, body)


def test_what_was_kept_is_read_back_word_for_word_and_in_order(archive: Archive) -> None:
    bodies = [b"", b"\n\n", b"\xff\x00 no text", "Größe ✓".encode(), b"x" * 100_000] * 5
    writing = archive.begin(WEEK, "in-order", NOW)
    for number, body in enumerate(bodies):
        writing.keep(exchange(number, body))
    writing.complete({"of": "a test"})

    reading = archive.newest(WEEK, "in-order")

    assert list(reading.exchanges()) == [exchange(number, body) for number, body in enumerate(bodies)]
    assert (reading.read_at, dict(reading.facts), reading.parts) == (NOW, {"of": "a test"}, len(bodies))
    assert reading.prefix.startswith("raw/claude/week=2026-W01/in-order/20260105T070000.000000Z-")


def test_a_reading_that_was_never_completed_does_not_count(archive: Archive) -> None:
    with archive.begin(WEEK, "unfinished", NOW) as writing:
        writing.keep(exchange(1))

    assert archive.readings(WEEK, "unfinished") == []
    with pytest.raises(PermanentFailure, match="no complete reading of claude unfinished of 2026-W01"):
        archive.newest(WEEK, "unfinished")


def test_of_several_readings_the_newest_counts_or_the_last_one_up_to_an_instant(archive: Archive) -> None:
    for days in (1, 0, 0, 7):  # not in the order of their time; two at one fixed instant
        writing = archive.begin(WEEK, "several", NOW + timedelta(days=days))
        writing.complete({"days": days, "number": len(archive.readings(WEEK, "several"))})

    assert [one.facts["days"] for one in archive.readings(WEEK, "several")] == [0, 0, 1, 7]
    assert archive.newest(WEEK, "several").facts["days"] == 7
    assert archive.newest(WEEK, "several", at=NOW).facts == {"days": 0, "number": 2}
    assert archive.newest(WEEK, "several", at=NOW + timedelta(days=6)).facts["days"] == 1
    with pytest.raises(PermanentFailure, match="up to 2026-01-04"):
        archive.newest(WEEK, "several", at=NOW - timedelta(days=1))


def test_nothing_that_was_kept_is_ever_replaced(platform: Platform, archive: Archive) -> None:
    first = archive.begin(WEEK, "immutable", NOW)
    first.keep(exchange(1))
    again = Writing(Lake(platform.settings), first.prefix, NOW)

    again.keep(exchange(1))  # the same once more, as after a lost answer
    first.keep(exchange(2))
    first.complete({})
    again.keep(exchange(3))
    with pytest.raises(Broken, match="is there already and is another"):
        again.settle()

    assert [one.path for one in archive.newest(WEEK, "immutable").exchanges()] == ["/1", "/2"]


@pytest.mark.parametrize("harm", ["gone", "altered", "garbage"])
def test_a_reading_of_which_something_was_lost_is_refused(platform: Platform, archive: Archive, harm: str) -> None:
    writing = archive.begin(WEEK, f"broken-{harm}", NOW)
    for number in range(3):
        writing.keep(exchange(number))
    writing.complete({})
    key, s3 = f"{writing.prefix}000002.gz", client(platform.settings, "s3")
    lake, bucket = Lake(platform.settings), platform.settings.lake_bucket
    if harm == "gone":
        s3.delete_object(Bucket=bucket, Key=key)
    else:
        body = (lake.get(f"{writing.prefix}000001.gz") or b"") if harm == "altered" else b"what"
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    with pytest.raises(Broken, match="read the week again"):
        list(archive.newest(WEEK, f"broken-{harm}").exchanges())


def test_an_answer_is_handed_on_once_it_is_in_the_bucket(platform: Platform, archive: Archive) -> None:
    lake, seen = Lake(platform.settings), list[int]()
    with archive.begin(WEEK, "settled", NOW) as writing:

        def asked() -> Iterator[int]:
            for number in range(1, 4):
                writing.keep(exchange(number))
                yield number

        for number in writing.settled(asked()):
            seen.append(number)
            assert lake.get(f"{writing.prefix}{number:06d}.gz") is not None

    assert seen == [1, 2, 3]


def test_the_bucket_lets_raw_answers_expire_after_ninety_days() -> None:
    template = (REPOSITORY / "infra/templates/data.yaml").read_text()
    rule = template.partition("- Id: raw-expires")[2].partition("- Id:")[0]

    assert "Prefix: raw/" in rule
    assert f"ExpirationInDays: {RAW_EXPIRY_DAYS}" in rule


# --- what the connectors put there


def test_every_row_from_the_archive_is_that_of_the_live_reading_byte_for_byte(outside: Outside) -> None:
    outside.world.page_rows, outside.world.most_rows = 20, 100
    outside.world.faults.add(
        Fault(INSIGHTS, status=500, body="<html/>", skip=OF_ADS),
        Fault(INSIGHTS, body="<html>200, and no JSON</html>", skip=OF_ADS + 2),
        Fault(INSIGHTS, status=400, body=meta_error(4), skip=OF_ADS + 3),
    )
    live = outside.ads().week(W31)
    outside.world.faults.add(Fault("/meta/", status=500, times=1000))

    replayed = ArchivedAds(outside.lake).week(W31)

    assert_is_w31(replayed)
    assert replayed == live
    as_bytes = [msgspec.json.encode([dataclasses.asdict(row) for row in one.rows]) for one in (live, replayed)]
    assert as_bytes[0] == as_bytes[1]


def test_no_token_is_in_the_archive_although_meta_writes_it_into_addresses(outside: Outside) -> None:
    outside.world.page_rows = 50
    outside.ads().week(W31)
    prefix = Archive(outside.lake, META).newest(W31, WHAT).prefix

    kept = list(Archive(outside.lake, META).newest(W31, WHAT).exchanges())
    everything = b"".join(
        one.body + json.dumps([one.path, dict(one.asked), dict(one.headers)]).encode() for one in kept
    )

    assert b"access_token=***" in everything
    for secret in (TOKENS.meta, TOKENS.app_secret, quote(TOKENS.meta, safe="")):
        assert secret.encode() not in everything
    assert b"datr=" not in everything
    assert b"x-business-use-case-usage" in everything
    assert outside.lake.get(f"{prefix}complete.json")


def test_answers_that_are_refusals_are_archived_before_anybody_judges_them(outside: Outside) -> None:
    outside.world.faults.add(Fault("act_", status=400, body=meta_error(190, 463), times=100))
    before = set(outside.lake.keys(f"raw/meta/week={W31}/"))

    with pytest.raises(Refused):
        outside.ads().week(W31)

    (kept,) = set(outside.lake.keys(f"raw/meta/week={W31}/")) - before
    assert Path(kept).name == "000001.gz"
