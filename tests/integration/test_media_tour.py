"""An article from its first word to the public, as the README tells it.

Why real: a form of S3, its event, the queue, the function, the models and the public route are one chain, and
each link is somebody else's.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from infra.local.platform import Platform
from infra.local.standins.faults import Fault
from prism_api.public.document import PublicArticle, PublicArticlePage
from prism_core.media.keys import copy_key
from prism_core.media.reconciling import ORPHAN_AFTER
from prism_resources.aws import client
from prism_resources.media.objects import Made, Originals
from prism_resources.media.upkeep import CopiesUpkeep
from tests.integration.api_client import Answer, Api
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


def decide(studio: Studio, form: dict[str, Any], *, accepted: bool, reason: str, match: str = "*") -> Answer:
    seen = studio.image(form).object_version
    body = {"accepted": accepted, "reason": reason, "object_version": seen}
    return studio.author("POST", f"/api/images/{form['key']}/decision", body, match=match)


def spoil(studio: Studio, form: dict[str, Any], field: str, value: dict[str, str]) -> None:
    """A field of the row of an image as a fault of ours might leave it."""
    key = {"article_id": form["fields"]["key"].split("/")[1], "image_id": form["image_id"]}
    put_field(studio, "images", key, field, value)


def put_field(studio: Studio, table: str, key: dict[str, str], field: str, value: Any) -> Any:
    """A field of a stored row, past all rules; answers what it was."""
    settings = studio.platform.settings
    before = client(settings, "dynamodb").update_item(
        TableName=settings.table_name(table), Key={name: {"S": part} for name, part in key.items()},
        UpdateExpression="SET #f = :v", ExpressionAttributeNames={"#f": field},
        ExpressionAttributeValues={":v": value}, ReturnValues="UPDATED_OLD",
    )  # fmt: skip
    return before.get("Attributes", {}).get(field)


def copy_of(read: httpx.Response, form: dict[str, Any]) -> str:
    """The path of a public copy of an image."""
    (image,) = (one for one in read.json()["images"] if one["image_id"] == form["image_id"])
    return str(image["copies"][0]["url"]).removeprefix("/public/")


def copies_of(studio: Studio, article: dict[str, Any]) -> dict[str, list[tuple[str, datetime]]]:
    """The public copies of an article by image, with the time at which each was written."""
    found = defaultdict[str, list[tuple[str, datetime]]](list)
    for key, at in Made(studio.platform.settings).listed(f"copies/{article['article_id']}/"):
        found[key.split("/")[2]].append((key, at))
    return dict(found)


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
    # Nothing of what the public would be shown exists before somebody publishes it.
    assert copies_of(studio, article) == {}
    published = studio.publish(article)
    assert published.status == 200, published.body
    assert published.body["status"] == "published"

    read = public("articles/how-we-label")
    assert (read.status_code, read.headers["cache-control"]) == (
        200,
        "public, max-age=60, stale-while-revalidate=60",
    )
    assert "<h1>Hi</h1>" in PublicArticle.model_validate_json(read.text).html
    assert read.json()["html"].count("<picture>") == 3
    again = public("articles/how-we-label", **{"if-none-match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    copy = next(one for one in read.json()["images"][0]["copies"] if one["type"] == "image/webp")
    got = public(copy["url"].removeprefix("/public/"))
    assert (got.status_code, got.headers["content-type"]) == (200, "image/webp")
    assert got.content.startswith(b"RIFF")
    assert got.headers["cache-control"] == "public, max-age=300, s-maxage=60"
    kept = public(copy["url"].removeprefix("/public/"), **{"if-none-match": got.headers["etag"]})
    assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", got.headers["etag"])
    listed = PublicArticlePage.model_validate_json(public("articles").text).items
    assert [one.slug for one in listed] == ["how-we-label"]
    assert public("articles?tag=other").json()["items"] == []

    # Replacing a picture closes the gate, and takes the one before from the public; the article stays.
    name, form = next(iter(forms.items()))
    again_form = studio.author("POST", f"/api/images/{form['key']}/upload").body
    before = studio.image(form).object_version
    assert studio.send(again_form, photograph("chelsea.png")).status_code == 204
    await_true(lambda: studio.image(form).object_version != before)
    studio.gate(article)
    refused = studio.act(article, "publish")
    assert refused.status == 409
    assert f"confirm or rewrite “A photograph: {name}”" in refused.body["detail"]
    assert studio.gate(article)["withdrawn"] == [form["image_id"]]
    left = public("articles/how-we-label").json()
    assert left["images"] == [one for one in read.json()["images"] if one["image_id"] != form["image_id"]]
    assert left["html"].count("<picture>") == 2
    assert public(copy_of(read, form)).status_code == 404
    assert studio.describe(form, "A cat").status == 200
    assert studio.publish(article).status == 200
    read = public("articles/how-we-label")
    assert read.json()["html"].count("<picture>") == 3
    assert public(copy_of(read, form)).status_code == 200

    # So does a person who rejects it, at once, until they think otherwise.
    assert decide(studio, form, accepted=False, reason="Nobody agreed to this").status == 200
    assert studio.gate(article)["withdrawn"] == [form["image_id"]]
    assert form["image_id"] not in public("articles/how-we-label").text
    assert public(copy_of(read, form)).status_code == 404
    assert decide(studio, form, accepted=True, reason="They have agreed").status == 200
    assert public("articles/how-we-label").json() == read.json()
    assert studio.author("DELETE", f"/api/images/{form['key']}", match="*").status == 204
    assert form["image_id"] not in public("articles/how-we-label").text

    copy = next(one for one in left["images"][0]["copies"] if one["type"] == "image/webp")
    assert public(copy["url"].removeprefix("/public/")).status_code == 200
    assert studio.act(article, "archive").status == 200
    assert public("articles/how-we-label").status_code == 404
    assert public(copy["url"].removeprefix("/public/")).status_code == 404


def test_an_article_is_deleted_softly_and_every_edit_and_decision_is_kept(studio: Studio) -> None:
    article = studio.article("Kept")
    key, author = article["key"], studio.author
    form = studio.form(article, "a.jpg")
    assert studio.describe(form, "Said before it came").status == 200
    assert studio.send(form, photograph("rocket.jpg", 300)).status_code == 204
    image = studio.settled(form)
    assert (image.state, image.alt) == ("analysed", "Said before it came")

    # Nobody describes or decides on a picture that they did not see.
    path, other = f"/api/images/{form['key']}", {"object_version": "another"}
    assert author("PATCH", path, {"alt": "Unseen"}, match="*").status == 428
    refused = author("PATCH", path, {"alt": "Unseen", **other}, match="*")
    assert (refused.status, "You saw the upload another" in refused.body["detail"]) == (409, True)
    unseen = {"accepted": True, "reason": "Unseen"}
    assert author("POST", f"{path}/decision", unseen, match="*").status == 422
    assert author("POST", f"{path}/decision", {**unseen, **other}, match=f'"{image.version}"').status == 409
    seen = {"object_version": studio.gate(article)["images"][0]["object_version"]}
    assert author("PATCH", path, {"alt": "Seen", **seen}, match="*").body["alt"] == "Seen"

    # A person's word stands above the limits, with its reason in the change log.
    assert decide(studio, form, accepted=False, reason="Nobody agreed to this").status == 200
    (reason,) = studio.gate(article)["reasons"]
    assert "rejected it: Nobody agreed to this" in reason["reason"]
    assert decide(studio, form, accepted=True, reason="They have agreed").status == 200
    assert studio.gate(article)["open"] is True
    newest = author("GET", f"/api/history/images/{form['key']}").body["items"][0]
    assert newest["changes"]["override"]["after"]["reason"] == "They have agreed"
    assert newest["changes"]["override"]["before"]["accepted"] is False

    # Revisions are the change log, and an edit is taken back.
    version = studio.read(article)["version"]
    edited = author("PATCH", f"/api/articles/{key}", {"title": "Other"}, match=f'"{version}"', reason="a slip")
    assert edited.body["title"] == "Other"
    revision = author("GET", f"/api/history/articles/{key}").body["items"][0]
    assert (revision["reason"], revision["changes"]["title"]) == ("a slip", {"before": "Kept", "after": "Other"})
    assert author("POST", f"/api/changes/{revision['id']}/revert", match="*").status == 200
    assert studio.read(article)["title"] == "Kept"

    # Deleted, it is in no list but one, keeps its image, and comes back.
    def listed(**query: Any) -> bool:
        return key in {one["key"] for one in author("GET", "/api/articles", **query).body["items"]}

    assert author("DELETE", f"/api/articles/{key}", match="*").status == 204
    assert (listed(), listed(status="deleted")) == (False, True)
    assert author("POST", f"/api/articles/{key}/images", {"file_name": "b.jpg"}).status == 409
    assert studio.act(article, "restore").body["status"] == "draft"
    assert (listed(), studio.image(form).alt) == (True, "Seen")


def test_a_picture_that_is_held_back_is_published_on_a_persons_word_with_its_reason(
    studio: Studio, public: Any
) -> None:
    article = studio.article("Held back")
    labels = [
        {"Name": name, "ParentName": parent, "Confidence": 92.5, "TaxonomyLevel": level}
        for name, parent, level in (("Rude Gestures", "", 1), ("Middle Finger", "Rude Gestures", 2))
    ]
    answer = {"ModerationLabels": labels, "ModerationModelVersion": "7.0", "ContentTypes": []}
    studio.world.faults.add(Fault("DetectModerationLabels", body=answer))

    form = studio.upload(article, "a.jpg", photograph("rocket.jpg", 210))

    assert studio.settled(form).state == "analysed"
    assert studio.describe(form, "A gesture").status == 200
    assert studio.act(article, "submit").status == 200
    refused = studio.act(article, "publish")
    said = {one["message"] for one in refused.body["errors"]}
    assert (refused.status, said) == (
        409,
        {f"{name} at 92.5 %, and the limit of gestures is 80 %" for name in ("Rude Gestures", "Middle Finger")},
    )
    assert public("articles/held-back").status_code == 404

    assert decide(studio, form, accepted=True, reason="A statue, seen by three of us").status == 200
    assert studio.publish(article).status == 200
    read = public("articles/held-back")
    assert [one["alt"] for one in read.json()["images"]] == ["A gesture"]
    drawn, change = studio.author("GET", f"/api/history/images/{form['key']}").body["items"][:2]
    assert (drawn["reason"], list(drawn["changes"])) == ("public copies were drawn", ["copies"])
    assert change["changes"]["override"]["after"]["reason"] == "A statue, seen by three of us"

    # A row that cannot be read hides its picture where nobody knows whether it was taken back, and nothing else.
    spoil(studio, form, "orientation", {"N": "-1"})
    assert public("articles/held-back").json() == read.json()
    assert public(copy_of(read, form)).status_code == 200
    spoil(studio, form, "override", {"S": "rejected"})
    left = public("articles/held-back")
    assert (left.status_code, left.json()["images"]) == (200, [])
    assert public(copy_of(read, form)).status_code == 404

    # The gate names it, beside the article's other images, and stays shut.
    other = studio.form(article, "b.jpg")
    gate = studio.author("GET", f"/api/articles/{article['key']}/gate").body
    reasons = {one["image_id"]: one["reason"] for one in gate["reasons"]}
    assert (gate["open"], gate["waiting"], gate["withdrawn"]) == (False, 1, [form["image_id"]])
    assert [one["image_id"] for one in gate["images"]] == [other["image_id"]]
    assert "cannot be read" in reasons[form["image_id"]]
    refused = studio.act(article, "publish")
    assert (refused.status, len(refused.body["errors"])) == (409, len(gate["reasons"]))


def test_copies_are_drawn_to_be_published_or_nothing_is_drawn_again_when_lost_and_go_with_the_article(
    studio: Studio, public: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    article, settings = studio.article("Copies"), studio.platform.settings
    names = ("a.jpg", "b.jpg")
    kept, lost = (studio.upload(article, name, photograph("rocket.jpg", 320)) for name in names)
    for form in (kept, lost):
        assert studio.settled(form).state == "analysed"
        assert studio.describe(form, "A rocket").status == 200
    assert studio.act(article, "submit").status == 200

    # Not in the time of a call: nothing is public, and the next call goes on.
    with monkeypatch.context() as patched:
        patched.setattr("prism_resources.media.publishing._WHOLE_SECONDS", 0)
        busy = studio.act(article, "publish")
    assert (busy.status, busy.headers["retry-after"], len(busy.body["errors"])) == (503, "5", 2)
    assert "0 of 2 were drawn" in busy.body["detail"]

    # What cannot be drawn is named; what was drawn stays, over what a killed call had left.
    image = studio.image(kept)
    left = copy_key(image.article_id, image.image_id, str(image.object_version), "320.webp")
    Made(settings).write(left, b"half", "image/webp")
    Originals(settings).remove(lost["fields"]["key"])
    why = "its file was deleted; upload it again, or remove the image"
    named = [{"path": f"images.{lost['image_id']}", "message": why}]
    await_true(lambda: studio.act(article, "publish").body["errors"] == named)
    assert studio.act(article, "publish").status == 409
    assert (studio.read(article)["status"], public("articles/copies").status_code) == ("review", 404)
    drawn = copies_of(studio, article)
    assert set(drawn) == {kept["image_id"]}
    assert studio.author("DELETE", f"/api/images/{lost['key']}", match="*").status == 204
    assert studio.act(article, "publish").status == 200
    assert copies_of(studio, article) == drawn
    path = copy_of(public("articles/copies"), kept)
    assert (path.rpartition("/")[2], public(path).content[:4]) == ("320.webp", b"RIFF")

    # A copy that was lost is drawn again.
    upkeep, ((key, at), *_) = CopiesUpkeep(settings), drawn[kept["image_id"]]
    Made(settings).remove(key)
    await_true(lambda: (upkeep.keep(at), key in dict(copies_of(studio, article)[kept["image_id"]]))[1])
    await_true(lambda: len(studio.image(kept).copies) == len(drawn[kept["image_id"]]))
    again = copies_of(studio, article)[kept["image_id"]]
    assert [name for name, _ in again] == [name for name, _ in drawn[kept["image_id"]]]
    assert public(path).status_code == 200

    # Of an archived article copies go once they are a day old, and are drawn when it is published again.
    assert studio.act(article, "archive").status == 200
    last = max(at for _, at in again)
    upkeep.keep(last)
    assert copies_of(studio, article) == {kept["image_id"]: again}
    assert f"{key.rpartition('/')[0]}/" in upkeep.keep(last + ORPHAN_AFTER).unshown
    assert (copies_of(studio, article), studio.image(kept).copies) == ({}, ())
    assert [studio.act(article, step).status for step in ("reopen", "submit")] == [200, 200]
    assert studio.publish(article).status == 200
    assert public(path).status_code == 200


def test_an_article_whose_row_cannot_be_read_is_left_out_of_the_public_list_and_of_nothing_else(
    studio: Studio, public: Any
) -> None:
    slugs, listed = ("sound-row", "broken-row"), "articles?tag=rows"
    broken = [studio.article(slug.replace("-", " "), tags=["rows"]) for slug in slugs][-1]
    for slug in slugs:
        (made,) = studio.author("GET", "/api/articles", slug=slug).body["items"]
        assert [studio.act(made, step).status for step in ("submit", "publish")] == [200, 200]
    assert {one["slug"] for one in public(listed).json()["items"]} == set(slugs)

    key = {"article_id": broken["article_id"]}
    was = put_field(studio, "articles", key, "publication", {"S": "lost"})
    try:
        after, page = public(listed), public(f"{listed}&limit=1")
        statuses = [public(f"articles/{slug}").status_code for slug in slugs]
    finally:
        put_field(studio, "articles", key, "publication", was)

    assert [one["slug"] for one in after.json()["items"]] == ["sound-row"]
    assert page.json()["items"] == after.json()["items"]
    assert statuses == [200, 500]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("articles/", 404), ("articles/Not-A-Slug", 404), (f"articles/{'a' * 3_000}", 404),
        ("articles/nobodys", 404),
        ("images/a//x/480.webp", 404), (f"images/{'a' * 3_000}/i/x/480.webp", 404), ("images/a/i/x/480.webp", 404),
        (f"articles?limit={'9' * 5_000}", 422), ("articles?limit=0", 422), ("articles?tag=Not%20A%20Tag", 422),
        ("articles?cursor=nobodys", 404), ("articles?other=1", 422), ("nothing", 404),
    ],
)  # fmt: skip
def test_what_the_public_asks_in_vain_is_a_problem_and_never_a_fault(public: Any, path: str, status: int) -> None:
    answer = public(path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"


def test_analysts_read_articles_and_annotators_do_not(studio: Studio) -> None:
    article = studio.article("Roles")
    analyst, annotator = Api("[analyst]", "sub-of-an-analyst"), Api("[annotator]", "sub-of-an-annotator")

    assert analyst("GET", f"/api/articles/{article['key']}").status == 200
    assert annotator("GET", f"/api/articles/{article['key']}").status == 403
    for somebody in (analyst, annotator):
        assert somebody("POST", "/api/articles", {"title": "Mine", "body": "x"}).status == 403
        assert somebody("POST", f"/api/articles/{article['key']}/images", {"file_name": "a.jpg"}).status == 403
        assert somebody("POST", f"/api/articles/{article['key']}/publish", match="*").status == 403
