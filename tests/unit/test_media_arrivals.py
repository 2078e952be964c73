"""Events of S3 in any order and number: an image follows its newest upload, and each is analysed once."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.failures import PermanentFailure
from prism_core.media.arrivals import LEASE, Arrival, Due, due, is_newer, message_of, read_arrivals
from prism_core.media.keys import CopyKey, OriginalKey, copies_folder, copy_key, read_copy, read_original
from prism_core.models.images import ImageState
from tests.unit.items_of_media_tables import analysed, analysis

NOW = analysis().at
KEY = "originals/a-1/i-1/Über uns + 1 (2).jpg"


def arrival(version: str = "v1", sequencer: str | None = "0A", **changes: Any) -> Arrival:
    told: dict[str, Any] = {
        "bucket": "b", "key": KEY, "object_version": version, "at": NOW, "size": 5, "sequencer": sequencer
    }  # fmt: skip
    return Arrival(**(told | changes))


hexes = st.from_regex(r"\A[0-9A-F]{1,12}\Z")


@given(hexes, hexes, hexes)
def test_sequencers_are_in_one_order(one: str, two: str, three: str) -> None:
    assert not (is_newer(one, two) and is_newer(two, one))
    assert not (is_newer(one, two) and is_newer(two, three) and not is_newer(one, three))


def test_a_shorter_sequencer_is_padded_on_the_right() -> None:
    assert is_newer("0055AED6DCD90281E6", "0055AED6DCD90281E5")
    assert is_newer("1", "0F")
    assert not is_newer("10", "1")


@given(st.text(min_size=1, max_size=40).filter(lambda text: "/" not in text))
def test_any_name_comes_back_from_the_key_of_an_event(name: str) -> None:
    sent = arrival(key=str(OriginalKey("a-1", "i-1", name)), sequencer=None, seen="v0")

    (found,) = read_arrivals(message_of(sent))

    assert found == sent
    assert found.original == OriginalKey("a-1", "i-1", name)


def test_the_test_message_of_s3_tells_of_nothing() -> None:
    assert read_arrivals(b'{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}') == []


@pytest.mark.parametrize(
    "message", [b"", b"x", b"[]", b"{}", b'{"Records":[{}]}', b'{"Records":[{"s3":{"object":1}}]}']
)
def test_what_is_no_event_is_said_to_be_none(message: bytes) -> None:
    with pytest.raises(PermanentFailure, match="no event of S3"):
        read_arrivals(message)


@pytest.mark.parametrize(
    "key", ["x", "originals/a/b", "copies/a/i/1.webp", "originals//i/x.jpg", "originals/a/i/x/y.jpg"]
)
def test_a_key_that_nobody_handed_out_names_no_image(key: str) -> None:
    with pytest.raises(PermanentFailure, match="no original"):
        read_original(key)


def test_the_key_of_a_copy_tells_its_folder_and_whose_it_is() -> None:
    folder = copies_folder("a-1", "i-1", "v1")

    assert read_copy(copy_key("a-1", "i-1", "v1", "480.webp")) == CopyKey(folder, "a-1", "i-1")
    assert {read_copy(key) for key in (folder, "copies/a/i/1.webp", "analyses/a/i/x/1.webp", "x")} == {None}


def test_an_image_that_does_not_exist_is_nobodys() -> None:
    assert due(None, arrival(), NOW) is Due.NOBODYS


@pytest.mark.parametrize("state", ["analysed", "refused"])
def test_the_same_version_again_is_done(state: str) -> None:
    assert due(analysed(state=state, sequencer="0A"), arrival(), NOW) is Due.DONE


def test_an_older_event_changes_nothing_and_a_newer_one_is_analysed() -> None:
    image = analysed(sequencer="0A")

    assert due(image, arrival("v0", "09"), NOW) is Due.OLDER
    assert due(image, arrival("v2", "0B"), NOW) is Due.ANALYSE


def test_an_event_of_s3_is_older_by_its_time_where_the_row_has_no_sequencer() -> None:
    image = analysed(sequencer=None, uploaded=NOW)

    assert due(image, arrival("v0", at=NOW - timedelta(seconds=1)), NOW) is Due.OLDER
    assert due(image, arrival("v2", at=NOW + timedelta(seconds=1)), NOW) is Due.ANALYSE
    # The reconciliation, which set the row, knows whole seconds, and had found the newest of this one.
    assert due(image, arrival("v0", at=NOW + timedelta(milliseconds=900)), NOW) is Due.OLDER


def test_what_the_reconciliation_sends_is_the_newest_even_within_one_second() -> None:
    image = analysed(sequencer="0A", uploaded=NOW + timedelta(milliseconds=900))

    assert due(image, arrival("v2", None, at=NOW, seen="v1"), NOW) is Due.ANALYSE


@pytest.mark.parametrize("seen", [None, "v0"])
def test_what_the_reconciliation_sent_is_refused_when_the_row_has_moved_on_since(seen: str | None) -> None:
    moved_on = analysed(object_version="v2", sequencer="0B", uploaded=NOW)

    assert due(moved_on, arrival("v1", None, seen=seen, at=NOW + timedelta(minutes=1)), NOW) is Due.OLDER


def test_a_file_that_was_said_to_be_gone_and_is_there_is_looked_at() -> None:
    assert due(analysed(state="gone", sequencer="0A"), arrival(), NOW) is Due.ANALYSE


def test_an_analysis_that_runs_is_left_alone_until_its_lease_is_over() -> None:
    image = analysed(state=ImageState.ANALYSING, sequencer="0A", started=NOW)

    assert due(image, arrival(), NOW + LEASE / 2) is Due.BUSY
    assert due(image, arrival(), NOW + LEASE) is Due.ANALYSE
    assert due(image.model_copy(update={"started": None}), arrival(), NOW) is Due.ANALYSE


@given(st.permutations(["0A", "0B", "0C"]), st.lists(st.sampled_from(["0A", "0B", "0C"]), max_size=4))
def test_in_whatever_order_events_come_the_newest_upload_wins(order: list[str], again: list[str]) -> None:
    image = analysed(state="waiting", object_version=None, sequencer=None, analysis=None)

    for sequencer in [*order, *again]:
        if due(image, arrival(f"v-{sequencer}", sequencer), NOW) is Due.ANALYSE:
            changes = {"state": ImageState.ANALYSED, "object_version": f"v-{sequencer}", "sequencer": sequencer}
            image = image.model_copy(update=changes)

    assert image.object_version == "v-0C"


def test_a_message_that_drives_an_image_again_is_one_of_s3() -> None:
    records = msgspec.json.decode(message_of(arrival()))["Records"]

    assert records[0]["s3"]["object"]["key"] == "originals/a-1/i-1/%C3%9Cber+uns+%2B+1+%282%29.jpg"
