"""An article from its first word to the public, as the README tells it.

Why real: a form of S3, its event, the queue, the function, the models and the public route are one chain, and
each link is somebody else's.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.local.platform import Platform
from tests.integration.deployed import Deployed
from tests.integration.media_world import Studio, await_true, photograph, studio_of

FILES = {
    "the team.jpg": "astronaut.png",
    "coffee + cake.jpg": "coffee.png",
    "Rakete über Florida.jpg": "rocket.jpg",
}


@pytest.fixture(scope="module")
def studio(platform: Platform) -> Iterator[Studio]:
    with studio_of(platform) as found:
        yield found


@pytest.fixture(scope="module")
def public(studio: Studio) -> Any:
    deployed = Deployed(studio.platform)

    def get(path: str, **headers: str) -> httpx.Response:
        return studio.http.get(f"{deployed.url}/public/{path}", headers=headers)

    return get


def test_the_tour_of_the_readme_from_a_draft_to_the_public(studio: Studio, public: Any) -> None:
    article = studio.article("How we label", tags=["lidar"])
    assert (article["slug"], article["status"]) == ("how-we-label", "draft")
    forms = {name: studio.upload(article, name, photograph(of)) for name, of in FILES.items()}
    gate = studio.gate(article)
    assert {one["file_name"]: one["state"] for one in gate["images"]} == dict.fromkeys(FILES, "analysed"), gate
    assert gate["open"] is False

    shown = "\n\n".join(f"![](image:{form['image_id']})" for form in forms.values())
    version = studio.read(article)["version"]
    edited = studio.author(
        "PATCH", f"/api/articles/{article['key']}", {"body": f"# Hi\n\n{shown}"}, match=f'"{version}"'
    )
    assert edited.status == 200, edited.body
    assert studio.act(article, "publish").status == 409  # a draft
    assert studio.act(article, "submit").status == 200
    refused = studio.act(article, "publish")
    assert (refused.status, len(refused.body["errors"])) == (409, 3)
    assert "no alternative text" in refused.body["detail"]
    assert public("articles/how-we-label").status_code == 404

    suggested = {one["file_name"]: one["alt_suggestion"] for one in gate["images"]}
    assert suggested["the team.jpg"] is None or "face" in suggested["the team.jpg"]
    for name, form in forms.items():
        assert studio.describe(form, f"A photograph: {name}").status == 200
    published = studio.act(article, "publish")
    assert published.status == 200, published.body
    assert published.body["status"] == "published"

    read = public("articles/how-we-label")
    assert (read.status_code, read.headers["cache-control"]) == (
        200,
        "public, max-age=60, stale-while-revalidate=600",
    )
    assert "<h1>Hi</h1>" in read.json()["html"]
    assert read.json()["html"].count("<picture>") == 3
    again = public("articles/how-we-label", **{"if-none-match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    copy = next(one for one in read.json()["images"][0]["copies"] if one["type"] == "image/webp")
    got = public(copy["url"].removeprefix("/public/"))
    assert (got.status_code, got.headers["content-type"]) == (200, "image/webp")
    assert got.content.startswith(b"RIFF")
    listed = public("articles").json()["items"]
    assert [one["slug"] for one in listed] == ["how-we-label"]
    assert public("articles?tag=other").json()["items"] == []

    # Replacing a picture closes the gate for what comes next, and the public keeps what was accepted.
    name, form = next(iter(forms.items()))
    again_form = studio.author("POST", f"/api/images/{form['key']}/upload").body
    assert studio.send(again_form, photograph("chelsea.png")).status_code == 204
    before = studio.image(form).object_version
    await_true(lambda: studio.image(form).object_version != before)
    studio.gate(article)
    refused = studio.act(article, "publish")
    assert refused.status == 409
    assert f"confirm or rewrite “A photograph: {name}”" in refused.body["detail"]
    assert public("articles/how-we-label").json()["images"] == read.json()["images"]

    assert studio.act(article, "archive").status == 200
    assert public("articles/how-we-label").status_code == 404
    assert public(copy["url"].removeprefix("/public/")).status_code == 404
