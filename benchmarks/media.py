"""From an upload to its analysis, on the embedded AWS: what the queue and our own writes add to the analyser.

Belongs here: the time of an upload by stage, the queue's throughput beside the analyser alone, in turns in one
run, the memory of many large pictures at once, and by itself what a publication has drawn: it is no part of the
queue. Does not belong here: how good the models are.
The peer is the same analyser, asked directly with the same pictures by as many at once as the queue has functions.
"""

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import skimage
from PIL import Image

from benchmarks.harness import Target, circumstances, keep, print_targets
from benchmarks.media_analyser import analyser
from benchmarks.own_platform import own_platform
from benchmarks.processes import cpu_seconds, peak_mib, workers
from infra.local.platform import Platform
from prism_core import clock
from prism_core.events.objectives import nearest_rank
from prism_core.media.keys import OriginalKey
from prism_core.models.images import Image as Row
from prism_core.models.images import ImageState
from prism_core.tables import IMAGES
from prism_resources.aws import client
from prism_resources.media.analyser import Analyser
from prism_resources.media.pictures import MAX_BYTES, open_picture
from prism_resources.media.publishing import draw_copies
from prism_resources.tables.codec import decode_key
from prism_resources.tables.store import TableStore

# So many that the first picture, which one function alone is at, and the last ones weigh little.
IMAGES_A_ROUND, SINGLES, REPEATS, LARGE = 120, 5, 3, 20
# Of the template on one machine.
FUNCTIONS: Final = 4
ADDED_MS, OVERHEAD, FUNCTION_MIB = 1_000, 0.2, 1_024
_PATIENCE_SECONDS: Final = 300
# Who looks more often, or at more than states, takes the time from what is measured.
_LOOK_SECONDS: Final = 0.25
_LOOKED_AT: Final = ("image_id", "state")
_PHOTOGRAPHS: Final = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: the image, the key of its file, and when S3 had it (perf_counter)."""

    article_id: str
    image_id: str
    key: str
    at: float


@dataclass(slots=True)
class Found:
    """What the rounds found. `singles` and `looks` are ms of one upload and of the analyser's part of it."""

    singles: list[float] = field(default_factory=list[float])
    looks: list[float] = field(default_factory=list[float])
    queue: list[float] = field(default_factory=list[float])
    drawn: list[float] = field(default_factory=list[float])
    alone: list[float] = field(default_factory=list[float])
    cpu: dict[str, list[float]] = field(default_factory=dict[str, list[float]])  # ms an image, by way and part

    @property
    def added(self) -> list[float]:
        """Ms of queue, opening and writes, by upload."""
        return [whole - look for whole, look in zip(self.singles, self.looks, strict=True)]


class Uploads:
    """Rows and originals, put as the API and a browser do, and what became of them."""

    def __init__(self, platform: Platform) -> None:
        self._settings = platform.settings
        self._s3: Any = client(self._settings, "s3")
        self._logs: Any = client(self._settings, "logs")
        self._rows = TableStore(client(self._settings, "dynamodb"), self._settings, IMAGES, Row)
        self._number = 0

    def rows(self, number: int, ending: str = "jpg") -> list[Row]:
        """The images of a new article, which wait for their files: no list has more than one round made."""
        article = f"a-{self._number + 1:05d}"
        return [self._row(article, f"x.{ending}") for _ in range(number)]

    def _row(self, article_id: str, name: str) -> Row:
        self._number += 1
        image_id = f"i-{self._number:05d}"
        row = Row(
            article_id=article_id, image_id=image_id, file_name=name, requested=clock.now(), requested_by="bench",
            object_key=str(OriginalKey(article_id, image_id, name)),
        )  # fmt: skip
        return self._rows.create(row, actor="bench", reason="", request_id=image_id, now=clock.now())

    def put(self, row: Row, data: bytes) -> Upload:
        self._s3.put_object(Bucket=self._settings.originals_bucket, Key=row.object_key, Body=data)
        return Upload(row.article_id, row.image_id, row.object_key, time.perf_counter())

    def wait(self, uploads: Iterable[Upload], every: float = _LOOK_SECONDS) -> dict[str, float]:
        """Ms by object key from each upload, of one article, until its row says that it is analysed."""
        left, took = {one.image_id: one for one in uploads}, dict[str, float]()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left:
            time.sleep(every)
            condition = IMAGES.condition("by_article", {"article_id": next(iter(left.values())).article_id})
            for raw in self._rows.raw(condition, only=_LOOKED_AT):
                row = decode_key(raw)
                if row["image_id"] in left and row["state"] not in {ImageState.WAITING, ImageState.ANALYSING}:
                    if row["state"] != ImageState.ANALYSED:
                        sys.exit(f"{row['image_id']} is {row['state']}")
                    upload = left.pop(row["image_id"])
                    took[upload.key] = 1000 * (time.perf_counter() - upload.at)
            if time.monotonic() > deadline:
                sys.exit(f"{len(left)} images were not analysed within {_PATIENCE_SECONDS} s")
        return took

    def draw(self, article_id: str) -> None:
        """Public copies of all images of an article, as its publication has them drawn: again until all are."""
        images = list(self._rows.query("by_article", article_id=article_id, consistent=True))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while images:
            left = {one.image_id: one for one in draw_copies(self._settings, images)}
            if time.monotonic() > deadline or not all(one.passes for one in left.values()):
                sys.exit(f"{len(left)} images were not drawn: {next(iter(left.values())).why}")
            images = [one for one in images if one.image_id in left]

    def looks(self, since: float) -> dict[str, float]:
        """Ms of the analyser by object key, as the function logged them of itself."""
        group, found = f"/aws/lambda/{self._settings.name_prefix}-images", dict[str, float]()
        page = self._logs.filter_log_events(logGroupName=group, startTime=int(1000 * since))
        for event in page["events"]:
            if event["message"].startswith("{"):
                for line in msgspec.json.decode(event["message"])["images"]:
                    if "analyser_milliseconds" in line:
                        found[line["key"]] = line["analyser_milliseconds"]
        return found


class Machine:
    """The processes that take part, and what they use."""

    def __init__(self, platform: Platform, seeing: int) -> None:
        if platform.process is None:
            sys.exit("the emulator belongs to somebody else")
        self._platform, self._seeing, self._emulator = platform, seeing, platform.process.pid

    def parts(self) -> dict[str, list[int]]:
        prefix, home = self._platform.settings.name_prefix, self._platform.home
        named = {"functions": "images", "drawing": "copies"}
        ours = {name: workers(home, f"{prefix}-{function}") for name, function in named.items()}
        return {"analyser": [self._seeing], **ours, "embedded AWS": [self._emulator]}

    def cpu(self) -> dict[str, float]:
        """Seconds so far, by part."""
        return {name: cpu_seconds(found) for name, found in self.parts().items()}

    def peaks(self) -> dict[str, float]:
        """MiB at the most, by part: of the largest of its processes."""
        return {name: max(map(peak_mib, found), default=0.0) for name, found in self.parts().items()}


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=IMAGES_A_ROUND, help="of a round")
    parser.add_argument("--singles", type=int, default=SINGLES, help="of a round, one after the other")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--large", type=int, default=LARGE, help="pictures of 15 MB at once")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/media.json")
    options = parser.parse_args(argv)
    load_before, found = os.getloadavg()[0], Found()
    pictures = photographs(max(options.images, options.singles))
    with (
        tempfile.TemporaryDirectory() as folder,
        own_platform(Path(folder) / "home") as platform,
        analyser(platform.ports.standins) as seeing,
    ):
        uploads, machine = Uploads(platform), Machine(platform, seeing)
        # Models are loaded, and every function was called.
        warm = uploads.rows(4 * FUNCTIONS)
        uploads.wait([uploads.put(row, pictures[0]) for row in warm])
        uploads.draw(warm[0].article_id)
        for repeat in range(1, options.repeats + 1):
            _round(platform, uploads, machine, pictures[: options.images], found)
            _singles(uploads, pictures[: options.singles], found)
            said = f"{found.queue[-1]:.2f} images/s beside {found.alone[-1]:.2f}, {found.drawn[-1]:.2f} drawn"
            _say(f"{repeat}/{options.repeats}: {said}")
        before = machine.peaks()
        large, drawn_seconds = _large(uploads, options.large)
        memory = {
            name: {"before": round(before[name]), "peak": round(peak)} for name, peak in machine.peaks().items()
        }
    result = {
        "benchmark": "media",
        **circumstances(load_before),
        "repeats": options.repeats,
        "images": options.images,
        "uploads": len(found.singles),
        "upload_ms": _spread(found.singles),
        "analyser_ms": _spread(found.looks),
        "added_ms": _spread(found.added),
        "images_a_second": {
            "queue": round(statistics.median(found.queue), 3),
            "analyser alone": round(statistics.median(found.alone), 3),
        },
        "drawn_for_publication": {"images_a_second": round(statistics.median(found.drawn), 3)},
        "all_images_a_second": {
            "queue": [round(one, 3) for one in found.queue],
            "analyser alone": [round(one, 3) for one in found.alone],
            "drawn": [round(one, 3) for one in found.drawn],
        },
        "cpu_ms_an_image": {name: round(statistics.median(all_), 1) for name, all_ in found.cpu.items()},
        "large": {
            "pictures": options.large,
            "bytes": large,
            "drawn_seconds": round(drawn_seconds, 1),
            "mib": memory,
        },
    }
    queue, alone = result["images_a_second"].values()
    result["overhead"] = round(alone / queue - 1, 3)
    promised = (
        Target("p95 of what an upload takes beside the analyser, ms", ADDED_MS, result["added_ms"]["p95"]),
        Target("time of an image through the queue over the analyser alone, less 1", OVERHEAD, result["overhead"]),
        Target(
            "memory of a function with large pictures, MiB",
            FUNCTION_MIB,
            max(memory[name]["peak"] for name in ("functions", "drawing")),
        ),
    )
    result["targets"] = [asdict(target) | {"met": target.met} for target in promised]
    _print(result)
    print_targets(promised)
    if options.save:
        keep("media", result)
    return result


def _round(
    platform: Platform, uploads: Uploads, machine: Machine, pictures: Sequence[bytes], found: Found
) -> None:
    """The analyser alone, the same pictures through the queue, and then drawn as their publication has them. Rows
    and what is shown are made before."""
    asked, shown = Analyser(platform.settings), [open_picture(data, "x.jpg").for_analysis() for data in pictures]
    rows = uploads.rows(len(pictures))

    def alone() -> None:
        with ThreadPoolExecutor(FUNCTIONS) as pool:
            list(pool.map(asked.look, shown))

    def queue() -> None:
        uploads.wait([uploads.put(row, data) for row, data in zip(rows, pictures, strict=True)])

    def publication() -> None:
        uploads.draw(rows[0].article_id)

    ways: tuple[tuple[str, Callable[[], None], list[float]], ...]
    ways = (
        ("alone", alone, found.alone),
        ("queue", queue, found.queue),
        ("publication", publication, found.drawn),
    )
    for name, way, rates in ways:
        before, began = machine.cpu(), time.perf_counter()
        way()
        rates.append(len(pictures) / (time.perf_counter() - began))
        for part, seconds in machine.cpu().items():
            used = 1000 * (seconds - before[part]) / len(pictures)
            found.cpu.setdefault(f"{name}: {part}", []).append(used)


def _singles(uploads: Uploads, pictures: Sequence[bytes], found: Found) -> None:
    since, took = time.time(), dict[str, float]()
    for data in pictures:
        took |= uploads.wait([uploads.put(uploads.rows(1)[0], data)], every=0.01)
    looks, deadline = uploads.looks(since), time.monotonic() + _PATIENCE_SECONDS
    while not took.keys() <= looks.keys():  # a line of log is there a moment after what it tells
        if time.monotonic() > deadline:
            sys.exit("the function did not log its analyses")
        time.sleep(_LOOK_SECONDS)
        looks = uploads.looks(since)
    found.singles += [took[key] for key in took]
    found.looks += [looks[key] for key in took]


def _large(uploads: Uploads, number: int) -> tuple[int, float]:
    """So many at once through the queue, and then drawn as a publication has them; answers the bytes of one, and
    the seconds in which all were drawn."""
    data = large_picture()
    rows = uploads.rows(number, "png")
    with ThreadPoolExecutor(max(1, number)) as pool:
        put = list(pool.map(lambda row: uploads.put(row, data), rows))
    uploads.wait(put)
    began = time.perf_counter()
    if rows:
        uploads.draw(rows[0].article_id)
    return len(data), time.perf_counter() - began


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


def large_picture() -> bytes:
    """The worst that is taken: a PNG of nearly 15 MiB and 50 megapixels, which is unpacked before it is shrunk."""
    pixels = np.full((6_000, 8_000, 3), 200, dtype=np.uint8)
    pixels[:2_200, :2_200] = np.random.default_rng(11).integers(0, 255, (2_200, 2_200, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=1)
    if len(target.getvalue()) > MAX_BYTES:
        sys.exit(f"the large picture has {len(target.getvalue()):,} bytes, which are not taken")
    return target.getvalue()


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": round(nearest_rank(values, 0.5) or 0.0, 1), "p95": round(nearest_rank(values, 0.95) or 0.0, 1)}


def _print(result: Mapping[str, Any]) -> None:
    for what, name in (
        ("one upload to analysed", "upload_ms"),
        ("  of it the analyser", "analyser_ms"),
        ("  queue, opening, writes", "added_ms"),
    ):
        print(f"{what:<26} p50 {result[name]['p50']:>7.0f} ms, p95 {result[name]['p95']:>7.0f} ms")
    for name, rate in result["images_a_second"].items():
        print(f"{name:<26} {rate:.2f} images a second, {rate / result['cores']:.2f} a core")
    drawn = result["drawn_for_publication"]["images_a_second"]
    print(f"{'drawn at publication':<26} {drawn:.2f} images a second, {drawn / result['cores']:.2f} a core")
    for name, used in result["cpu_ms_an_image"].items():
        if round(used):  # who has no part in it prints nothing
            print(f"{name:<26} {used:.0f} ms of CPU an image")
    large = result["large"]
    print(
        f"{large['pictures']} pictures of {large['bytes']:,} bytes at once, drawn in {large['drawn_seconds']} s:"
    )
    for name, one in large["mib"].items():
        print(f"  {name:<24} {one['before']:,} MiB before, {one['peak']:,} at the most")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
