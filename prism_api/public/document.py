"""What openapi.json says of the operations that everybody may call.

Belongs here: their answers as models, parameters and problems. Does not belong here: answering (handler.py). It
answers plain dictionaries, so that a cold start builds no models; schemathesis holds both against each other.
"""

from http import HTTPStatus
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from prism_api.public.limits import DEFAULT_LIMIT, FILE, MAX_LIMIT, NAME, ROOT, SLUG
from prism_core.media.keys import COPY_TYPES
from prism_core.models.articles import MAX_SLUG_CHARACTERS, Slug, Tag
from prism_core.models.base import Id, Instant, Model


class PublicRow(Model):
    """An article in the list, as it was published."""

    slug: Slug
    url: str
    title: str
    summary: str
    tags: list[Tag]
    published_at: Instant


class PublicArticlePage(Model):
    """A page, the latest first. With a tag it may be short and not the last."""

    items: list[PublicRow]
    next: str | None


class PublicCopy(Model):
    """A copy of an image; `url` is a path of this origin."""

    url: str
    width: int
    height: int
    type: str
    bytes: int


class PublicImage(Model):
    """An image that the article shows."""

    image_id: Id
    alt: str
    copies: list[PublicCopy]


class PublicArticle(Model):
    """An article as it was published, without the images that were taken back since; `html` is sanitised."""

    slug: Slug
    title: str
    summary: str
    tags: list[Tag]
    published_at: Instant
    updated_at: Instant
    html: str
    images: list[PublicImage]


_MODELS: Final = (PublicArticlePage, PublicArticle)
_ROW: Final = {
    "slug": "how-we-label", "url": "/public/articles/how-we-label", "title": "How we label", "summary": "",
    "tags": ["lidar"], "published_at": "2026-01-05T07:00:00.000000Z",
}  # fmt: skip
_ADDRESS: Final = "/public/images/a-1/i-1/4c94485e0c21ae6c41ce/480.webp"
_ARTICLE: Final = {name: value for name, value in _ROW.items() if name != "url"} | {
    "updated_at": "2026-01-05T07:00:00.000000Z",
    "html": "<h1>How we label</h1>\n",
    "images": [
        {
            "image_id": "i-1",
            "alt": "Two people",
            "copies": [{"url": _ADDRESS, "width": 480, "height": 320, "type": "image/webp", "bytes": 20_480}],
        }
    ],
}


def schemas() -> dict[str, Any]:
    """The schemas of the answers, by name."""
    wanted = [(model, "serialization") for model in _MODELS]
    _, made = models_json_schema(wanted, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found: dict[str, Any] = made["$defs"]
    return found


def paths() -> dict[str, Any]:
    """The operations by path."""
    images = {media: {"schema": {"type": "string", "format": "binary"}} for media in COPY_TYPES.values()}
    slug = _parameter("path", "slug", "how-we-label", pattern=SLUG, maxLength=MAX_SLUG_CHARACTERS)
    names = {"article_id": ("a-1", NAME), "image_id": ("i-1", NAME), "folder": ("4c94485e0c21ae6c41ce", NAME)}
    of_copy = [_parameter("path", name, example, pattern=form) for name, (example, form) in names.items()]
    of_copy.append(_parameter("path", "file", "480.webp", pattern=FILE))
    return {
        f"{ROOT}articles": _operation(
            "get_public_articles",
            "List what is published",
            [
                _parameter("query", "limit", DEFAULT_LIMIT, type="integer", minimum=1, maximum=MAX_LIMIT),
                _parameter("query", "cursor", None, maxLength=2_000),
                _parameter("query", "tag", "lidar", pattern=SLUG, maxLength=MAX_SLUG_CHARACTERS),
            ],
            _json("PublicArticlePage", {"items": [_ROW], "next": None}),
        ),
        f"{ROOT}articles/{{slug}}": _operation(
            "get_public_articles_by_slug", "Read a published article", [slug], _json("PublicArticle", _ARTICLE)
        ),
        f"{ROOT}images/{{article_id}}/{{image_id}}/{{folder}}/{{file}}": _operation(
            "get_public_images", "Read a copy of an image of a published article", of_copy, images
        ),
    }


def _operation(name: str, summary: str, parameters: list[Any], content: dict[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    # 403: not through the CDN, where there is one. 405: only GET is taken.
    bad = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    worse = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    answers: dict[str, Any] = {"200": {"description": HTTPStatus.OK.phrase, "content": content}}
    answers["304"] = {"description": "Not Modified: the ETag in If-None-Match is still that of the answer"}
    answers |= {str(int(one)): {"description": one.phrase, "content": problem} for one in (*bad, *worse)}
    told = {"operationId": name, "tags": ["public"], "summary": summary, "description": f"{summary}. No token."}
    return {"get": {**told, "security": [], "parameters": parameters, "responses": answers, "x-roles": _EVERYBODY}}


_EVERYBODY: Final = dict.fromkeys(("everybody", "admin", "lead", "analyst", "annotator"), "all")


def _parameter(place: str, name: str, example: object, **schema: Any) -> dict[str, Any]:
    found = {"in": place, "name": name, "required": place == "path", "schema": {"type": "string"} | schema}
    return found if example is None else found | {"example": example}


def _json(model: str, example: object) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}, "example": example}}
