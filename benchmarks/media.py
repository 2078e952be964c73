"""From an upload to its analysis, on the embedded AWS: what the queue and our own writes add to the analyser.

Belongs here: the queue's throughput beside the analyser alone, in turns in one run; the time of an upload by
stage; memory with many large pictures. Does not belong here: how good the models are.
Run as `python -m benchmarks.media`. The peer is the same analyser, asked directly with the same pictures.
"""

import argparse
import io
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import skimage
from PIL import Image

from infra.deploy import deploy
from infra.local.platform import Platform, attached
from infra.local.serving import outside
from prism_core import clock
from prism_core.media.keys import OriginalKey
from prism_core.models.images import Image as Row
from prism_core.models.images import ImageState
from prism_core.tables import IMAGES
from prism_resources.aws import client
from prism_resources.media.analyser import Analyser
from prism_resources.media.pictures import open_picture
from prism_resources.tables.store import TableStore

ROUNDS: Final = 5
LARGE: Final = 20
_PHOTOGRAPHS: Final = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")


def photographs(images: int) -> list[bytes]:
    """Real ones, each a little different."""
    folder, found = Path(skimage.__file__).parent / "data", list[bytes]()
    for number in range(images):
        with Image.open(folder / _PHOTOGRAPHS[number % len(_PHOTOGRAPHS)]) as opened:
            image = opened.convert("RGB")
        target = io.BytesIO()
        image.resize((image.width + number, image.height)).save(target, "JPEG", quality=90)
        found.append(target.getvalue())
    return found


@contextmanager
def platform() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="prism-bench-media-") as home:
        os.environ["PRISM_HOME"] = home
        with attached(lambda _: None, port=27_930, beside=outside) as running:
            deploy(running.settings, clock.this_week(), lambda _: None)
            yield running


class Uploads:
    """Rows and originals, put as the API and a browser do."""

    def __init__(self, running: Platform) -> None:
        settings = running.settings
        self._s3: Any = client(settings, "s3")
        self._bucket = settings.originals_bucket
        self._rows = TableStore(client(settings, "dynamodb"), settings, IMAGES, Row)
        self._number = 0

    def put(self, data: bytes) -> tuple[str, str, float]:
        self._number += 1
        article, image = "a-bench", f"i-{self._number:05d}"
        key = str(OriginalKey(article, image, "x.jpg"))
        row = Row(
            article_id=article, image_id=image, file_name="x.jpg", requested=clock.now(), requested_by="bench",
            object_key=key,
        )  # fmt: skip
        self._rows.create(row, actor="bench", reason="", request_id=image, now=clock.now())
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)
        return article, image, time.perf_counter()

    def wait(self, put: list[tuple[str, str, float]]) -> list[float]:
        """Seconds from each upload until its row says that it is analysed."""
        left, took = {image: at for _, image, at in put}, list[float]()
        while left:
            for row in self._rows.query("by_article", consistent=True, article_id="a-bench"):
                if row.image_id in left and row.state is not ImageState.WAITING and row.state != "analysing":
                    if row.state is not ImageState.ANALYSED:
                        raise RuntimeError(row.reason)
                    took.append(time.perf_counter() - left.pop(row.image_id))
            time.sleep(0.02)
        return took


def alone(running: Platform, pictures: list[bytes]) -> float:
    """Seconds of the analyser, asked by two at once, as the queue asks it."""
    analyser = Analyser(running.settings)
    shown = [open_picture(data, "x.jpg").for_analysis() for data in pictures]
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(analyser.look, shown))
    return time.perf_counter() - began


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=20, help="of a round")
    images = parser.parse_args().images
    pictures = photographs(images)
    with platform() as running:
        uploads = Uploads(running)
        uploads.wait([uploads.put(pictures[0])])  # models and functions are warm
        singles, own, through, direct = list[float](), list[float](), list[float](), list[float]()
        for _ in range(ROUNDS):
            seconds = alone(running, pictures)
            direct.append(images / seconds)
            began = time.perf_counter()
            uploads.wait([uploads.put(data) for data in pictures])
            through.append(images / (time.perf_counter() - began))
            analyser = Analyser(running.settings)
            for data in pictures[:5]:
                singles += uploads.wait([uploads.put(data)])
                jpeg, began = open_picture(data, "x.jpg").for_analysis(), time.perf_counter()
                analyser.look(jpeg)
                own.append(time.perf_counter() - began)
        overhead = [one - two for one, two in zip(singles, own, strict=True)]
        print(f"cores {os.cpu_count()}, {clock.now():%Y-%m-%d}, {images} images a round, {ROUNDS} rounds")
        for what, found in (
            ("one upload to analysed, s:", singles),
            ("  of it the analyser:     ", own),
            ("  queue, copies, writes:  ", overhead),
        ):
            print(f"{what} median {statistics.median(found):.2f}, p95 {percentile(found, 0.95):.2f}")
        queue, peer = statistics.median(through), statistics.median(direct)
        print(f"images a second: through the queue {queue:.2f}, the analyser alone {peer:.2f}")
        print(f"overhead of the queue: {peer / queue - 1:.0%}")
    large()


def large() -> None:
    """Twenty pictures of 15 MB, opened one after the other, as a function opens them: a container has one at a
    time."""
    noise = np.random.default_rng(11).integers(0, 255, (2_200, 2_300, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(noise).save(target, "PNG", compress_level=1)
    data = target.getvalue()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: len(open_picture(data, "x.png").for_analysis()), range(LARGE)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    more = (after - before) / 1024
    sys.stdout.write(f"{LARGE} pictures of {len(data):,} bytes, two at a time: {more:.0f} MB more\n")


if __name__ == "__main__":
    main()
