"""What the steps of an analysis leave in the row, and what the reconciliation makes of it."""

from datetime import timedelta
from typing import Any

import pytest

from prism_core.media import steps
from prism_core.media.reconciling import (
    MOST_ATTEMPTS,
    ORPHAN_AFTER,
    STUCK_AFTER,
    Stored,
    Trouble,
    orphans,
    trouble_of,
    unshown,
)
from prism_core.models.images import Copy, Image, ImageState
from tests.unit.items_of_media_tables import analysed, analysis
from tests.unit.test_media_arrivals import arrival

NOW = analysis().at
OLD = NOW - STUCK_AFTER
TRIES_A_DRIVE = 8


def over(image: Image, fields: steps.Fields | None) -> Image:
    assert fields is not None
    return image.model_copy(update=fields)


def drive(image: Image, *, outage: bool) -> Image:
    """All tries of the queue, each of which fails, and the last words."""
    for _ in range(TRIES_A_DRIVE):
        begun = over(image, steps.begun(image, arrival(), NOW))
        image = over(begun, steps.released(begun, arrival(), outage=outage))
    return over(image, steps.given_up(image, arrival(), "busy", outage=outage))


WAITING = analysed(state="waiting", analysis=None, object_version=None)


def test_an_hour_in_which_a_service_is_down_counts_as_one_try() -> None:
    image = drive(WAITING, outage=True)

    assert (image.state, image.attempts) == (ImageState.FAILED, 1)
    assert image.reason == "the analysis has not worked so far and is tried again by itself: busy"
    assert trouble_of(image, Stored("v1", OLD), NOW) is Trouble.STUCK


def test_what_never_ends_is_given_up_after_forty_tries_or_forty_drives_into_an_outage() -> None:
    for outage, drives in ((False, MOST_ATTEMPTS // TRIES_A_DRIVE), (True, MOST_ATTEMPTS)):
        image = WAITING
        for number in range(drives):
            image = drive(image, outage=outage)
            last = number == drives - 1
            expected = Trouble.HOPELESS if last else Trouble.STUCK
            assert trouble_of(image, Stored("v1", OLD), NOW) is expected


def test_another_upload_is_tried_from_the_beginning() -> None:
    image = analysed(state="failed", sequencer="0A", attempts=MOST_ATTEMPTS)

    assert over(image, steps.begun(image, arrival("v2", "0B"), NOW)).attempts == 1


FOUND = {"state": ImageState.REFUSED, "reason": "no picture", "bytes": 3}


def test_begun_and_ended_at_once_is_the_row_of_both_steps() -> None:
    begun = over(WAITING, steps.begun(WAITING, arrival(), NOW))
    expected = over(begun, steps.ended(begun, arrival(), FOUND))

    assert over(WAITING, steps.at_once(WAITING, arrival(), NOW, FOUND)) == expected
    # Somebody has begun it meanwhile, come to its end, or heard of a newer upload.
    assert over(begun, steps.at_once(begun, arrival(), NOW, FOUND)) == expected
    assert steps.at_once(expected, arrival(), NOW, FOUND) is None
    newer = over(begun, steps.begun(begun, arrival("v2", "0B"), NOW))
    assert steps.at_once(newer, arrival(), NOW, FOUND) is None


@pytest.mark.parametrize("changes", [{"object_version": "v2"}, {"state": ImageState.ANALYSED}])
def test_who_comes_late_writes_nothing(changes: dict[str, Any]) -> None:
    image = analysed(state="analysing").model_copy(update=changes)

    assert steps.ended(image, arrival(), {"state": ImageState.FAILED}) is None
    assert steps.released(image, arrival(), outage=True) is None
    assert steps.given_up(image, arrival(), "busy", outage=True) is None


COPIES = (Copy(file="480.webp", width=480, height=320, bytes=9_000),)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, {"copies": COPIES}),
        ({"object_version": "v2"}, None),
        ({"state": "analysing"}, None),
        ({"state": "gone"}, None),
    ],
)
def test_copies_are_of_the_upload_that_was_analysed(
    changes: dict[str, Any], fields: dict[str, Any] | None
) -> None:
    assert steps.drawn(analysed(copies=(), **changes), "v1", COPIES) == fields


def test_another_upload_has_no_copies_of_the_one_before() -> None:
    before = analysed(sequencer="0A")

    assert over(before, steps.begun(before, arrival("v2", "0B"), NOW)).copies == ()


def test_copies_of_nobody_are_old_and_shown_by_no_article() -> None:
    day, minute = NOW - ORPHAN_AFTER, NOW - ORPHAN_AFTER + timedelta(minutes=1)

    assert unshown({"shown/": day, "b/": day, "young/": minute, "a/": day}, {"shown/"}, NOW) == ["a/", "b/"]


V1, V2 = Stored("v1", OLD), Stored("v2", OLD)
FRESH = Stored("v2", NOW - timedelta(seconds=1))
BEGUN = {"started": NOW - timedelta(minutes=1)}
TABLE: tuple[tuple[str, dict[str, Any], Stored | None, Trouble | None], ...] = (
    ("nothing was uploaded", {"state": "waiting", "object_version": None}, None, None),
    ("its event is on its way", {"state": "waiting", "object_version": None}, FRESH, None),
    ("its event never came", {"state": "waiting", "object_version": None}, V1, Trouble.NEVER),
    ("analysed", {}, V1, None),
    ("refused", {"state": "refused"}, V1, None),
    ("replaced just now", {}, FRESH, None),
    ("replaced unheard", {}, V2, Trouble.REPLACED),
    ("refused and replaced unheard", {"state": "refused"}, V2, Trouble.REPLACED),
    ("gone and replaced unheard", {"state": "gone"}, V2, Trouble.REPLACED),
    ("being analysed", {"state": "analysing", **BEGUN}, V1, None),
    ("began and did not end", {"state": "analysing", "started": OLD}, V1, Trouble.STUCK),
    ("released and not begun again", {"state": "analysing"}, V1, Trouble.STUCK),
    ("failed", {"state": "failed", "started": OLD}, V1, Trouble.STUCK),
    ("failed too often", {"state": "failed", "started": OLD, "attempts": MOST_ATTEMPTS}, V1, Trouble.HOPELESS),
    ("said to be gone and there", {"state": "gone"}, V1, Trouble.STUCK),
    ("gone, which somebody must mend", {"state": "gone"}, None, Trouble.DELETED),
    ("refused, and deleted since", {"state": "refused"}, None, None),
    ("analysed, and deleted since", {}, None, Trouble.DELETED),
    ("failed, and deleted since", {"state": "failed"}, None, Trouble.DELETED),
    ("deleted while it is analysed", {"state": "analysing", **BEGUN}, None, Trouble.DELETED),
)


@pytest.mark.parametrize(
    ("changes", "stored", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_is_wrong_with_an_image(
    changes: dict[str, Any], stored: Stored | None, expected: Trouble | None
) -> None:
    assert trouble_of(analysed(**changes), stored, NOW) is expected


def test_an_orphan_is_old_and_in_no_row() -> None:
    day, minute = NOW - ORPHAN_AFTER, NOW - ORPHAN_AFTER + timedelta(minutes=1)
    objects = {
        "b": Stored("v", day),
        "a": Stored("v", day),
        "known": Stored("v", day),
        "young": Stored("v", minute),
    }

    assert orphans(objects, {"known", "other"}, NOW) == ["a", "b"]
