"""The committed document is what the API serves, and says all that a client needs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from prism_api.api.matrix import PUBLIC
from prism_api.api.openapi import FILE, as_text, document
from prism_api.api.problems import CONTENT_TYPE


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document()


def operations(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_committed_document_is_up_to_date(made: dict[str, Any]) -> None:
    assert FILE.read_text(encoding="utf-8") == as_text(made), "run `make openapi` and commit the file"


def test_there_are_at_least_forty_operations_with_names_of_their_own(made: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(made)]

    assert len(names) >= 40
    assert len(set(names)) == len(names)


def test_every_operation_has_a_summary_errors_and_an_example(made: dict[str, Any]) -> None:
    for name, operation in operations(made):
        assert operation["summary"], name
        problems = {s: a for s, a in operation["responses"].items() if int(s) >= 400}
        told = {"401", "403", "422", "500"}
        assert told - ({"401"} if operation.get("security") == [] else set()) <= set(problems), name
        assert all(list(answer["content"]) == [CONTENT_TYPE] for answer in problems.values()), name
        sent = operation.get("requestBody", {}).get("content", {}).values()
        assert all("example" in body for body in sent), name
        good = [a for s, a in operation["responses"].items() if int(s) < 300]
        shown = [body for answer in good for media, body in answer.get("content", {}).items() if "json" in media]
        assert all("example" in body for body in shown), name


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    text = json.dumps(made)
    schemas = made["components"]["schemas"]

    for piece in text.split('"$ref": "#/components/schemas/')[1:]:
        assert piece.partition('"')[0] in schemas


def test_what_the_public_reads_needs_no_token_and_is_all_that_does_not(made: dict[str, Any]) -> None:
    public = {name for name, operation in operations(made) if operation.get("security") == []}

    assert public == {operation.name for operation in PUBLIC}
    assert {path for path in made["paths"] if not path.startswith("/api/")} == {one.path for one in PUBLIC}
