"""Authors, photographs and what became of them, for tests of the deployed articles and images.

Belongs here: writing as a person does, uploading as a browser does, waiting until nothing is under way. Does not
belong here: what a test expects. The photographs are real ones, which scikit-image ships.
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import skimage
from PIL import Image as Pictures

from infra.local.platform import Platform
from infra.local.serving import standins
from infra.local.standins.serving import home_world
from infra.local.standins.world import World
from prism_core.models.images import Image
from prism_core.tables import IMAGES
from prism_resources.aws import client
from prism_resources.events.queue import EventQueue
from prism_resources.tables.reader import TableReader
from tests.integration.api_client import Answer, Api

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
LEAD = Api("[lead]", "sub-of-an-author")
TEXT = "# A day\n\nWhat we saw."


def photograph(name: str = "coffee.png", width: int | None = None, form: str = "JPEG", **how: Any) -> bytes:
    """A real photograph in a format of the web, made smaller or larger to a width."""
    with Pictures.open(PHOTOGRAPHS / name) as opened:
        image = opened.convert("RGB")
    if width is not None:
        image = image.resize((width, max(80, image.height * width // image.width)))
    return encoded(image, form, **how)


def encoded(image: Pictures.Image, form: str = "JPEG", **how: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **how)
    return target.getvalue()


@dataclass
class Studio:
    """The deployed service as authors see it."""

    platform: Platform
    world: World
    author: Api = LEAD
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    @cached_property
    def queue(self) -> EventQueue:
        return EventQueue(self.platform.settings, "images")

    @cached_property
    def dead(self) -> EventQueue:
        return EventQueue(self.platform.settings, "images-dead")

    @cached_property
    def rows(self) -> TableReader[Image]:
        settings = self.platform.settings
        return TableReader(client(settings, "dynamodb"), settings, IMAGES, Image)

    def article(self, title: str = "A day", **fields: Any) -> dict[str, Any]:
        made = self.author("POST", "/api/articles", {"title": title, "body": TEXT, **fields})
        assert made.status == 201, made.body
        return made.body

    def read(self, article: Mapping[str, Any]) -> dict[str, Any]:
        return self.author("GET", f"/api/articles/{article['key']}").body

    def act(self, article: Mapping[str, Any], step: str) -> Answer:
        """A step of an article as it is now."""
        version = self.read(article)["version"]
        return self.author("POST", f"/api/articles/{article['key']}/{step}", match=f'"{version}"')

    def publish(self, article: Mapping[str, Any], seconds: float = 180) -> Answer:
        """As an author does, who asks again while the answer says that it goes on."""
        deadline = time.monotonic() + seconds
        while (answer := self.act(article, "publish")).status == 503:
            assert time.monotonic() < deadline, answer.body
        return answer

    def form(self, article: Mapping[str, Any], file_name: str) -> dict[str, Any]:
        made = self.author("POST", f"/api/articles/{article['key']}/images", {"file_name": file_name})
        assert made.status == 201, made.body
        return made.body

    def send(self, form: Mapping[str, Any], data: bytes, name: str = "file.jpg") -> httpx.Response:
        """As a browser does: the fields, then the file, straight to S3."""
        return self.http.post(form["url"], data=dict(form["fields"]), files={"file": (name, data)})

    def upload(self, article: Mapping[str, Any], file_name: str, data: bytes) -> dict[str, Any]:
        form = self.form(article, file_name)
        sent = self.send(form, data)
        assert sent.status_code == 204, sent.text
        return form

    def image(self, form: Mapping[str, Any]) -> Image:
        key = form["fields"]["key"].split("/")
        found = self.rows.get(article_id=key[1], image_id=form["image_id"])
        assert found is not None
        return found

    def settled(self, form: Mapping[str, Any], seconds: float = 180) -> Image:
        """The row of an image when nothing is under way."""
        await_true(lambda: self.image(form).state not in {"waiting", "analysing"}, seconds)
        return self.image(form)

    def gate(self, article: Mapping[str, Any], seconds: float = 180) -> dict[str, Any]:
        """The gate when nothing is waiting, asked as a page asks it."""
        found: dict[str, Any] = {}

        def asked() -> bool:
            found.update(self.author("GET", f"/api/articles/{article['key']}/gate").body)
            return found["waiting"] == 0

        await_true(asked, seconds)
        return found

    def describe(self, form: Mapping[str, Any], alt: str) -> Answer:
        version = self.author("GET", f"/api/images/{form['key']}").body["version"]
        return self.author("PATCH", f"/api/images/{form['key']}", {"alt": alt}, match=f'"{version}"')

    def waiting(self) -> int:
        """Messages in the queue, seen and not seen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = client(self.platform.settings, "sqs")
        found = sqs.get_queue_attributes(QueueUrl=self.queue.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


def await_true(asked: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


@contextmanager
def studio_of(platform: Platform) -> Iterator[Studio]:
    """The service with its analyser, at the address that the functions were deployed with."""
    world = home_world(platform.home)
    with standins(world, platform.ports.standins, platform.home.token()):
        yield Studio(platform, world)
