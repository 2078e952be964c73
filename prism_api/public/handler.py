"""The function that the public reads articles through: no token, no writes, and rights on nothing else.

Belongs here: paths, pages, caching headers and what is said when there is nothing. Does not belong here: what is
public (prism_resources/media/reading.py) and what an article looks like (prism_core/media/rendering.py).
"""

import base64
import hashlib
import json
import logging
import re
import sys
import time
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from prism_api import logs
from prism_api.api.opaque import decode_key, encode_key
from prism_api.api.origin import require_origin
from prism_api.api.problems import FieldError, Problem, answer, invalid, not_found, problem_of, unknown
from prism_api.api.start import building

with building():
    from prism_api.public.limits import DEFAULT_LIMIT, MAX_LIMIT, NAME, ROOT, SLUG
    from prism_core.failures import PrismFailure
    from prism_core.media.keys import COPY_TYPES, ending_of, version_folder
    from prism_core.models.articles import MAX_SLUG_CHARACTERS, Article, PublishedImage
    from prism_core.models.base import instant_text
    from prism_core.settings import load_settings
    from prism_resources.media.reading import Published, Shelf

_MOST_PAGES: Final = 10
# A minute until what is taken back is gone; one more at most while an old page is shown and a new one asked for.
_FRESH: Final = "public, max-age=60, stale-while-revalidate=60"
# A copy never changes: another upload has another address. But it may be taken back, and then a CDN must not show
# it any longer: it asks again with the tag of what it has, and is answered without the picture.
_KEPT: Final = "public, max-age=300, s-maxage=60"
_ALWAYS_SENT: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; img-src 'self'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
}
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_PARTS: Final = 4
_POSITION: Final = ("article_id", "published_at", "shelf")
_log = logging.getLogger("prism.public")
_log.setLevel(logging.INFO)


@cache
def _shelf() -> Shelf:
    return Shelf(load_settings())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An event of API Gateway (payload 2.0) to its answer."""
    started = time.perf_counter()
    logs.begin(context)
    request_id = str(event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "none"))
    path = str(event["rawPath"])
    try:
        require_origin(event)
        result = _answered(event, path)
    except (Problem, PrismFailure) as failure:
        problem = problem_of(failure)
        if problem is None:
            _log.exception("request %s failed", request_id)
        result = answer(problem or unknown(), request_id, path)
        result["headers"] |= {"cache-control": "no-store"}
    except Exception:  # noqa: BLE001 - nobody stands above to answer
        _log.exception("request %s failed", request_id)
        result = answer(unknown(), request_id, path)
        result["headers"] |= {"cache-control": "no-store"}
    result["headers"] = {**result["headers"], **_ALWAYS_SENT, "x-request-id": request_id}
    took = round((time.perf_counter() - started) * 1000, 1)
    line = {"request_id": request_id, "path": path, "status": int(result["statusCode"]), "milliseconds": took}
    sys.stdout.write(json.dumps(line) + "\n")
    return result


def _answered(event: Mapping[str, Any], path: str) -> dict[str, Any]:
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    method = str(event["requestContext"]["http"]["method"])
    if method != "GET":
        words = f"{path} takes GET, not {method}."
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, words, headers={"allow": "GET"})
    match path.removeprefix(ROOT).split("/"):
        case ["articles"]:
            return _json(_list(str(event.get("rawQueryString") or "")), headers)
        case ["articles", slug] if _is_slug(slug):
            return _json(_article(slug), headers)
        case ["images", *names] if len(names) == _PARTS and all(_is_name(one) for one in names):
            return _image(*names, headers=headers)
        case _:
            raise not_found(path)


def _is_slug(text: str) -> bool:
    return len(text) <= MAX_SLUG_CHARACTERS and re.fullmatch(SLUG, text) is not None


def _is_name(text: str) -> bool:
    return re.fullmatch(NAME, text) is not None


def _list(query: str) -> dict[str, Any]:
    """`items` and `next`. A tag narrows a page after it was read, so that one may be short and not the last."""
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    unknown_names = sorted(set(given) - {"limit", "cursor", "tag"})
    if unknown_names:
        words = "unknown; valid are cursor, limit, tag"
        raise invalid(tuple(FieldError(f"query.{name}", words) for name in unknown_names))
    limit = given.get("limit", str(DEFAULT_LIMIT))
    if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= MAX_LIMIT:
        raise invalid((FieldError("query.limit", f"a number from 1 to {MAX_LIMIT}"),))
    if "tag" in given and not _is_slug(given["tag"]):
        raise invalid((FieldError("query.tag", "small letters and digits, with hyphens between"),))
    start = decode_key(given["cursor"], _POSITION) if given.get("cursor") else None
    wanted, rows, tag = int(limit), list[Article](), given.get("tag")
    for _ in range(_MOST_PAGES):
        page = _shelf().page(wanted - len(rows), start)
        rows += [one for one in page.items if one.publication and (tag is None or tag in one.publication.tags)]
        start = page.next
        if start is None or len(rows) >= wanted:
            break
    items = [_row(row) for row in rows]
    return {"items": items, "next": None if start is None else encode_key(start)}


def _row(article: Article) -> dict[str, Any]:
    """As it was published: the article may say something else by now."""
    told = article.publication
    assert told is not None  # noqa: S101 - it stands on the shelf
    return {
        "slug": article.slug,
        "url": f"{ROOT}articles/{article.slug}",
        "title": told.title,
        "summary": told.summary,
        "tags": list(told.tags),
        "published_at": instant_text(article.published_at or told.at),
    }


def _article(slug: str) -> dict[str, Any]:
    found = _shelf().by_slug(slug)
    if found is None:
        raise not_found(f"article {slug[:100]}")
    told = found.publication
    return {
        "slug": found.article.slug,
        "title": told.title,
        "summary": told.summary,
        "tags": list(told.tags),
        "published_at": instant_text(found.article.published_at or told.at),
        "updated_at": instant_text(told.at),
        "html": _html(found),
        "images": [
            {
                "image_id": image.image_id,
                "alt": image.alt,
                "copies": [
                    {"url": _address(found.article.article_id, image, copy.file), "width": copy.width}
                    | {"height": copy.height, "type": COPY_TYPES[ending_of(copy.file)], "bytes": copy.bytes}
                    for copy in image.copies
                ],
            }
            for image in told.images
        ],
    }


def _html(found: Published) -> str:
    from prism_core.media.rendering import rendered  # noqa: PLC0415 - a list and an image do without it

    images = {one.image_id: one for one in found.publication.images}
    article_id = found.article.article_id
    return rendered(found.publication.body, images, lambda image, file: _address(article_id, image, file))


def _address(article_id: str, image: PublishedImage, file: str) -> str:
    return f"{ROOT}images/{article_id}/{image.image_id}/{version_folder(image.object_version)}/{file}"


def _json(body: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """With a tag of the content: who has it already is told so, and sent nothing."""
    text = json.dumps(body, ensure_ascii=False)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    sent = {"cache-control": _FRESH, "etag": tag, "content-type": "application/json"}
    if _has(headers, tag):
        return _not_modified(sent)
    return {"statusCode": int(HTTPStatus.OK), "headers": sent, "body": text, "isBase64Encoded": False}


def _image(
    article_id: str, image_id: str, folder: str, file: str, *, headers: Mapping[str, str]
) -> dict[str, Any]:
    key = _shelf().copy(article_id, image_id, folder, file)
    if key is None:
        raise not_found("image")
    tag = f'"{folder}-{file}"'
    sent = {"cache-control": _KEPT, "etag": tag, "content-type": COPY_TYPES[ending_of(file)]}
    if _has(headers, tag):
        return _not_modified(sent)
    found = _shelf().read(key)
    if found is None:
        raise not_found("image")
    body = base64.b64encode(found).decode()
    return {"statusCode": int(HTTPStatus.OK), "headers": sent, "body": body, "isBase64Encoded": True}


def _has(headers: Mapping[str, str], tag: str) -> bool:
    """Whether who asks has this very answer already."""
    known = {one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")}
    return tag in known or "*" in known


def _not_modified(sent: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": sent, "body": ""}
