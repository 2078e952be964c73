"""Uploads that go wrong: bad files, lost objects, an analyser that is busy, crashes or refuses, events in any
order.

Why real: what S3 signs and sends, when a queue hands a message out again and what a killed function leaves
behind is decided by the services, and the row of the image must say what happened all the same.
"""

import io
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures

from infra.local.platform import Platform
from infra.local.standins.faults import NAMED, Fault, rekognition_error
from prism_core import clock
from prism_core.failures import TransientFailure
from prism_core.media.arrivals import Arrival, Due, message_of
from prism_core.media.keys import copy_key, raw_key
from prism_core.media.reconciling import MOST_ATTEMPTS, ORPHAN_AFTER
from prism_core.models.images import Image, ImageState
from prism_core.tables import IMAGES
from prism_resources.aws import client
from prism_resources.media.analyser import Analyser
from prism_resources.media.analysing import Analysing
from prism_resources.media.copying import Copying
from prism_resources.media.objects import Made, Original, Originals
from prism_resources.media.reconciling import Reconciling
from prism_resources.media.services import Change
from prism_resources.tables.store import TableStore
from tests.integration.faults import fault_proxy
from tests.integration.fresh import platform_of_this_file, worker_port
from tests.integration.function_workers import workers
from tests.integration.media_world import PHOTOGRAPHS, Studio, await_true, encoded, photograph, studio_of
from tests.unit.test_media_pictures import BAD

platform = platform_of_this_file()
# `make soak` sets 500.
UPLOADS = int(os.environ.get("IMAGES", "25"))


@pytest.fixture(scope="module")
def studio(platform: Platform) -> Iterator[Studio]:
    with studio_of(platform) as found:
        yield found


def arrival_of(studio: Studio, form: dict[str, Any], **changes: Any) -> Arrival:
    """The event of an upload as it would come once more."""
    image = studio.image(form)
    newest = Originals(studio.platform.settings).newest(image.object_key)
    assert newest is not None
    told: dict[str, Any] = {
        "bucket": studio.platform.settings.originals_bucket, "key": image.object_key, "at": newest.at,
        "object_version": newest.object_version, "size": newest.size, "sequencer": image.sequencer,
    }  # fmt: skip
    return Arrival(**(told | changes))


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [BAD[name] for name in ("cut off", "SVG with a script", "a bomb", "animated WebP", "another ending")],
)
def test_a_bad_file_is_refused_in_the_row_of_its_image(studio: Studio, data: bytes, name: str, words: str) -> None:
    form = studio.upload(studio.article("Bad"), f"my {name}", data)

    image = studio.settled(form)

    assert (image.state, image.analysis, image.copies) == (ImageState.REFUSED, None, ())
    assert words in image.reason


def test_a_picture_for_print_becomes_one_of_the_web(studio: Studio) -> None:
    with Pictures.open(PHOTOGRAPHS / "coffee.png") as opened:
        printed = encoded(opened.convert("RGB").resize((300, 200)).convert("CMYK"))

    image = studio.settled(studio.upload(studio.article("Printed"), "a.jpg", printed))

    assert (image.state, image.format, image.width, image.height) == (ImageState.ANALYSED, "JPEG", 300, 200)
    assert image.object_version is not None
    copies = Copying(studio.platform.settings).draw(image.article_id, image.image_id, image.object_version)
    assert {copy.file for copy in copies} == {"300.webp", "300.avif"}
    for copy in copies:
        made = Made(studio.platform.settings)
        body = made.read(copy_key(image.article_id, image.image_id, image.object_version, copy.file))
        assert body is not None
        with Pictures.open(io.BytesIO(body)) as shown:
            assert (shown.mode, shown.size) == ("RGB", (300, 200))


def test_a_form_takes_no_empty_file_and_none_of_another_key(studio: Studio) -> None:
    form = studio.form(studio.article("Forms"), "a.jpg")
    forged = {**form, "fields": {**form["fields"], "key": "originals/other/i/x.jpg"}}

    assert studio.send(form, b"").status_code in {400, 403}
    assert studio.send(forged, photograph()).status_code == 403
    assert studio.send(form, b"\0" * (15 * 1024 * 1024 + 1)).status_code in {400, 403}


def test_a_file_that_is_deleted_before_it_is_looked_at_is_said_to_be_gone(studio: Studio) -> None:
    form = studio.form(studio.article("Gone"), "a.jpg")
    event = Arrival(
        bucket=studio.platform.settings.originals_bucket, key=form["fields"]["key"],
        object_version="0" * 32, at=clock.now(), size=5, sequencer="01",
    )  # fmt: skip

    Analysing(studio.platform.settings).handle(event)

    image = studio.image(form)
    assert image.state is ImageState.GONE
    assert "deleted before it was analysed" in image.reason


def test_a_file_that_was_deleted_is_not_looked_at_by_its_version(studio: Studio) -> None:
    form = studio.upload(studio.article("Deleted"), "a.jpg", photograph("rocket.jpg", 220))
    image, event = studio.settled(form), arrival_of(studio, form)
    Originals(studio.platform.settings).remove(image.object_key)
    put_row(studio, image, state=ImageState.ANALYSING, started=None)

    done = Analysing(studio.platform.settings).handle(event)

    assert (done.state, studio.image(form).state) == (ImageState.GONE, ImageState.GONE)
    # It waits for a person, in this hour and in the next one.
    for _ in range(2):
        found = Reconciling(studio.platform.settings).reconcile(clock.now()).troubles
        assert found[name_of(image)] == "deleted"


def test_who_comes_second_to_an_upload_waits_for_the_first(studio: Studio) -> None:
    settings = studio.platform.settings
    form = studio.upload(studio.article("Second to begin"), "a.jpg", photograph("rocket.jpg", 230))
    image, event = studio.settled(form), arrival_of(studio, form)
    open_ = put_row(studio, image, state=ImageState.ANALYSING, started=None)

    class Slow(Analysing):
        """Between its look at the row and its begin another call begins."""

        def _write(self, image: Image, step: str, change: Change) -> Image | None:
            if step == "begin" and image == open_:
                put_row(studio, image, started=clock.now())
            return super()._write(image, step, change)

    done = Slow(settings).handle(event)

    assert (done.due, done.again > 0) == (Due.BUSY, True)
    put_row(studio, studio.image(form), state=ImageState.ANALYSED)


def test_an_upload_that_a_call_has_no_time_for_is_left_and_does_not_count(studio: Studio) -> None:
    settings = studio.platform.settings
    form = studio.upload(studio.article("No time"), "a.jpg", photograph("rocket.jpg", 215))
    image, event = studio.settled(form), arrival_of(studio, form)
    left = put_row(studio, image, state=ImageState.ANALYSING, started=None)

    with pytest.raises(TransientFailure, match="no time left"):
        Analysing(settings).handle(event, until=time.monotonic() + 5)
    with pytest.raises(TransientFailure, match="no time left"):
        Analyser(settings).look(photograph(), until=time.monotonic() + 1)

    assert studio.image(form) == left
    # Somebody who has, comes to its end.
    assert Analysing(settings).handle(event, until=time.monotonic() + 600).state is ImageState.ANALYSED


def test_a_service_that_hangs_is_given_up_in_time_and_does_not_count(studio: Studio, tmp_path: Path) -> None:
    emulator = studio.platform.emulator
    assert emulator is not None
    form = studio.upload(studio.article("Hangs"), "a.jpg", photograph("rocket.jpg", 225))
    image, event = studio.settled(form), arrival_of(studio, form)
    left = put_row(studio, image, state=ImageState.ANALYSING, started=None, attempts=3)

    with fault_proxy(emulator.url, worker_port(8), tmp_path / "proxy.log") as proxy:
        behind = proxy.settings(studio.platform.settings)
        assert Made(behind).read("nothing") is None  # the first call of a proxy takes its time
        proxy.rule(service="s3", operation="GetObject", timeout_ms=600_000)
        with pytest.raises(TransientFailure, match="could not be reached"):
            Analysing(behind).handle(event, until=time.monotonic() + 60, tried=2)
        assert proxy.fired() > 0

    after = studio.image(form)
    assert (after.state, after.started, after.attempts) == (left.state, left.started, left.attempts)
    put_row(studio, after, state=ImageState.ANALYSED)


def test_an_analyser_that_is_busy_is_asked_again_and_its_answer_is_stored_once(studio: Studio) -> None:
    throttled = Fault(
        "rekognition", status=400, body=rekognition_error("ThrottlingException", "Rate exceeded"), times=3
    )
    studio.world.faults.add(throttled)

    image = studio.settled(studio.upload(studio.article("Busy"), "a.jpg", photograph("rocket.jpg", 300)))

    # A try that met somebody else's fault does not count.
    assert (image.state, image.attempts) == (ImageState.ANALYSED, 1)


def test_an_analyser_that_refuses_us_leaves_a_reason_and_the_reconciliation_drives_it_again(
    studio: Studio,
) -> None:
    studio.world.faults.add(NAMED["rekognition-denied"])
    try:
        form = studio.upload(studio.article("Denied"), "a.jpg", photograph("chelsea.png"))
        image = studio.settled(form)
        assert image.state is ImageState.FAILED
        assert "AccessDenied" in image.reason
    finally:
        studio.world.faults.clear()

    done = Reconciling(studio.platform.settings).reconcile(clock.now() + timedelta(minutes=11))

    assert done.troubles[name_of(image)] == "stuck", done.troubles
    await_true(lambda: studio.image(form).state is ImageState.ANALYSED)
    await_true(lambda: studio.waiting() == 0)


def name_of(image: Image) -> str:
    """As the reconciliation names it."""
    return f"{image.article_id}/{image.image_id}"


def put_row(studio: Studio, image: Image, **changes: Any) -> Image:
    """A row as a fault may have left it."""
    settings = studio.platform.settings
    return TableStore(client(settings, "dynamodb"), settings, IMAGES, Image).update(
        image.model_copy(update=changes), expected_version=image.version, actor="test", reason="",
        request_id=f"fault-{image.version}", now=clock.now(),
    )  # fmt: skip


def test_the_reconciliation_mends_what_it_can_and_names_the_rest(studio: Studio) -> None:
    settings, article = studio.platform.settings, studio.article("Mended")
    dynamodb, s3 = (client(settings, name) for name in ("dynamodb", "s3"))
    forms = [studio.upload(article, "a.jpg", photograph("rocket.jpg", 200 + width)) for width in range(5)]
    gone, never_ends, unreadable, sound, removed = (studio.settled(form) for form in forms)
    put_row(studio, gone, state=ImageState.GONE)
    put_row(studio, never_ends, state=ImageState.ANALYSING, started=None, attempts=MOST_ATTEMPTS)
    dynamodb.update_item(
        TableName=settings.table_name("images"),
        Key={"article_id": {"S": unreadable.article_id}, "image_id": {"S": unreadable.image_id}},
        UpdateExpression="SET orientation = :o", ExpressionAttributeValues={":o": {"N": "-1"}},
    )  # fmt: skip
    # Nobody is told of a file of this ending.
    nobodys = "originals/a-nobody/i-nobody/x.gif"
    s3.put_object(Bucket=settings.originals_bucket, Key=nobodys, Body=b"GIF89a")

    names = [name_of(one) for one in (gone, never_ends, unreadable, sound)]

    done = Reconciling(settings).reconcile(clock.now() + timedelta(minutes=11))

    assert [done.troubles.get(name) for name in names] == ["stuck", "hopeless", "unreadable", None]
    assert "orientation" in done.words[names[2]]
    await_true(lambda: studio.image(forms[0]).state is ImageState.ANALYSED)
    given_up = studio.image(forms[1])
    assert given_up.state is ImageState.FAILED
    assert "begun 40 times and came to no end; upload the picture again" in given_up.reason

    # Once is enough; and a day later the file of the row that nobody can read is nobody's orphan.
    deleted = clock.now() + timedelta(hours=20)
    TableStore(client(settings, "dynamodb"), settings, IMAGES, Image).delete(
        removed, expected_version=removed.version, actor="test", reason="", request_id="removed", now=deleted
    )
    later = Reconciling(settings).reconcile(clock.now() + timedelta(hours=25))

    assert [later.troubles.get(name) for name in names] == [None, "hopeless", "unreadable", None]
    assert later.troubles[nobodys] == "orphan"
    assert studio.image(forms[1]) == given_up
    # Whoever removed an image has a day to think better of it, however long ago it was uploaded.
    assert Originals(settings).newest(removed.object_key) is not None
    assert Reconciling(settings).reconcile(deleted + ORPHAN_AFTER).troubles[removed.object_key] == "orphan"
    assert Originals(settings).newest(removed.object_key) is None
    put_row(studio, given_up, attempts=0)
    dynamodb.update_item(
        TableName=settings.table_name("images"),
        Key={"article_id": {"S": unreadable.article_id}, "image_id": {"S": unreadable.image_id}},
        UpdateExpression="SET orientation = :o", ExpressionAttributeValues={":o": {"N": "1"}},
    )  # fmt: skip


def test_an_upload_that_comes_while_files_are_listed_is_not_said_to_be_gone(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = studio.form(studio.article("Between"), "a.jpg")

    class SlowList(Originals):
        """The list is read, and before the rows are a picture is uploaded and analysed."""

        def listed(self) -> Iterator[Original]:
            found = list(super().listed())
            studio.send(form, photograph("rocket.jpg", 240))
            studio.settled(form)
            return iter(found)

    monkeypatch.setattr("prism_resources.media.reconciling.Originals", SlowList)

    done = Reconciling(studio.platform.settings).reconcile(clock.now())

    assert studio.image(form).state is ImageState.ANALYSED
    assert not [name for name in done.troubles if name.endswith(form["image_id"])]


def test_a_picture_that_was_replaced_within_the_second_and_unheard_is_found(studio: Studio) -> None:
    form = studio.upload(studio.article("Second"), "a.jpg", photograph("rocket.jpg", 250))
    first = studio.settled(form)
    studio.send(form, photograph("rocket.jpg", 260))
    await_true(lambda: studio.image(form).object_version != first.object_version)
    second = studio.settled(form)
    # The row as it would be had the event of the second been lost: analysed after both had come.
    put_row(
        studio, second, object_version=first.object_version, sequencer=first.sequencer, uploaded=first.uploaded,
        analysis=first.analysis, started=clock.now() + timedelta(seconds=1),
    )  # fmt: skip

    done = Reconciling(studio.platform.settings).reconcile(clock.now() + timedelta(minutes=11))

    assert done.troubles[name_of(first)] == "replaced"
    await_true(lambda: studio.image(form).object_version == second.object_version)
    assert studio.settled(form).state is ImageState.ANALYSED


def test_events_twice_and_out_of_order_leave_the_newest_upload(studio: Studio) -> None:
    article = studio.article("Order")
    form = studio.upload(article, "a.jpg", photograph("chelsea.png"))
    first = studio.settled(form)
    old = arrival_of(studio, form)
    studio.send(form, photograph("coffee.png", 300))
    await_true(lambda: studio.image(form).object_version != first.object_version)
    second = studio.settled(form)

    studio.queue.send([message_of(old), message_of(old), message_of(arrival_of(studio, form))])
    await_true(lambda: studio.waiting() == 0)

    assert studio.image(form) == second


@pytest.mark.slow
def test_every_upload_is_analysed_once_whatever_comes_twice_or_is_killed(studio: Studio) -> None:
    drawn, kinds = random.Random(11), ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")
    began = time.monotonic()
    article = studio.article("Many")
    forms = []
    for number in range(UPLOADS):
        if number % 90 == 89:
            article = studio.article(f"Many {number}")
        width = 100 + number % 50
        name = f"bild {number} + ä.jpg"
        forms.append(studio.upload(article, name, photograph(drawn.choice(kinds), width)))
    events = [arrival_of(studio, form, sequencer=None) for form in forms for _ in range(drawn.randint(0, 2))]
    drawn.shuffle(events)
    for start in range(0, len(events), 10):
        studio.queue.send([message_of(one) for one in events[start : start + 10]])
    killed = 0
    for _ in range(max(2, UPLOADS // 50)):
        time.sleep(drawn.uniform(0.5, max(2, UPLOADS / 50)))
        if not killed:  # a busy machine may not have started one yet
            await_true(lambda: bool(workers(studio.platform, "images")))
        for worker in workers(studio.platform, "images")[:1]:
            os.kill(worker, signal.SIGKILL)
            killed += 1

    states = {form["image_id"]: studio.settled(form, 60 + 4 * UPLOADS) for form in forms}
    await_true(lambda: studio.waiting() == 0, 200)

    made = Made(studio.platform.settings)
    assert killed
    assert {one.state for one in states.values()} == {ImageState.ANALYSED}
    for image in states.values():
        assert image.analysis is not None
        assert image.analysis.object_version == image.object_version
        assert image.object_version is not None
        assert made.read(raw_key(image.article_id, image.image_id, image.object_version)) is not None
    s3: Any = client(studio.platform.settings, "s3")
    listed = s3.get_paginator("list_objects_v2")
    keys = [
        one["Key"]
        for page in listed.paginate(Bucket=studio.platform.settings.media_bucket, Prefix="analyses/")
        for one in page.get("Contents", ())
        if any(
            one["Key"].startswith(f"analyses/{image.article_id}/{image.image_id}/") for image in states.values()
        )
    ]
    assert len(keys) == UPLOADS
    assert studio.dead.waiting() == 0
    done = Reconciling(studio.platform.settings).reconcile(clock.now())
    assert not {name for name in done.troubles if name.split("/")[-1] in states}
    took = time.monotonic() - began
    again = f"{len(events)} events once more and shuffled, {killed} functions killed"
    rate = f"{took:.0f} s, {UPLOADS / took:.2f} a second"
    sys.stdout.write(f"\n{UPLOADS} uploads, {again}: each analysed once, none in trouble, {rate}\n")
