"""The OpenAPI document of the API, committed as prism_api/openapi.json; a check fails when it drifts.

Belongs here: what Powertools leaves out: security, examples, one form of problem, what the public reads. Run as a
module, it writes the file. Does not belong here: the operations themselves (routes), who may use them (matrix.py).
"""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from prism_api.api.apps import app_of
from prism_api.api.matrix import OPERATIONS
from prism_api.api.opaque import encode_key
from prism_api.api.resource import Resource
from prism_api.api.routes.everything import RESOURCES
from prism_api.api.strict_json import MAX_SAFE_INTEGER
from prism_api.public import document as public

FILE = Path(__file__).resolve().parents[1] / "openapi.json"
_ABOUT = (
    "Operations of a data-annotation programme. Errors are RFC 9457 problems; lists are pages with an opaque "
    "cursor; writes need the ETag that was read (If-Match); every change is kept with who made it and why."
)
_LEFT_OUT = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
_DEPTH = 6
_TEXT = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$"
_ETAGS = '^(\\*|(W/)?"[0-9]{1,15}"(, ?(W/)?"[0-9]{1,15}")*)$'


def document() -> dict[str, Any]:
    """The whole document, with keys in the order of the paths."""
    text = app_of(None).get_openapi_json_schema(title="PRISM", version="1.0.0", description=_ABOUT)
    made: dict[str, Any] = json.loads(text)
    made["servers"] = [{"url": "/", "description": "the origin that serves the screens"}]
    made["security"] = [{"cognito": []}]
    schemas = made["components"]["schemas"]
    made["components"]["securitySchemes"] = {
        "cognito": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "an access token"}
    }
    for name in _LEFT_OUT:
        schemas.pop(name, None)
    schemas["ProblemDetails"]["additionalProperties"] = True  # extension members: RFC 9457, section 3.2
    access = {operation.name: operation for operation in OPERATIONS}
    _narrow(made)
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _complete(operation, f"{method.upper()} {path}", path, schemas)
            rule = access[f"{method.upper()} {path}"]
            operation["x-roles"] = {
                "admin": "all",
                "lead": rule.lead.value,
                "analyst": rule.analyst.value,
                "annotator": rule.annotator.value,
            }
    schemas |= public.schemas()
    made["paths"] |= public.paths()
    made["paths"] = {path: made["paths"][path] for path in sorted(made["paths"])}
    return made


def as_text(made: dict[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def _complete(operation: dict[str, Any], name: str, path: str, schemas: dict[str, Any]) -> None:
    operation["operationId"] = _operation_id(name)
    resource = next((one for one in RESOURCES.values() if path.startswith(one.path)), None)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["example"] = _key_example(resource, parameter["name"])
        if parameter["name"] == "table" and path != "/api/restatements":  # there it is a table of the lake
            parameter["schema"] = {"type": "string", "enum": sorted(RESOURCES)}
        if parameter["name"] == "if-match":
            parameter |= {"required": True, "schema": {"type": "string", "pattern": _ETAGS}, "example": '"3"'}
    _example(operation.get("requestBody", {}).get("content", {}), resource, schemas)
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        if int(status) >= 400:
            content.pop("application/json", None)  # Powertools' own form of a 422
            content["application/problem+json"] = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
            answer["content"] = content
        elif int(status) == HTTPStatus.NO_CONTENT:
            answer.pop("content", None)
        else:
            _example(content, resource, schemas)


def _narrow(schema: Any) -> None:
    """Say what the JSON reader and the guard refuse everywhere: control characters, numbers no double holds."""
    if isinstance(schema, list):
        for one in schema:
            _narrow(one)
    elif isinstance(schema, dict):
        for one in schema.values():
            _narrow(one)
        if schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum", "const"}:
            schema["pattern"] = _TEXT
        if schema.get("type") == "integer":
            schema.setdefault("maximum", MAX_SAFE_INTEGER)
            schema.setdefault("minimum", -MAX_SAFE_INTEGER)


def _operation_id(name: str) -> str:
    method, _, path = name.partition(" ")
    words = path.removeprefix("/api/").replace("{", "by_").replace("}", "").replace("-", "_").split("/")
    return "_".join((method.lower(), *words))


def _key_example(resource: Resource[Any] | None, name: str) -> str:
    if name in {"table", "week", "plan_id"}:
        return {"table": "allocations", "week": "2026-W02", "plan_id": "plan-2026-W02-1"}[name]
    if name == "change_id":
        place = {"table_week_shard": "allocations#2026-W02#1", "instant_ulid": "2026-01-05T07:00:00.000000Z#01KE"}
        return encode_key(place)
    if resource is None:
        return "m-017"
    parts = {part: str(resource.example.get(part, f"{part}-1")) for part in resource.spec.key_parts}
    return encode_key(parts) if resource.composite else next(iter(parts.values()))


def _example(content: dict[str, Any], resource: Resource[Any] | None, schemas: dict[str, Any]) -> None:
    for media, body in content.items():
        if "json" in media and "schema" in body:
            known = {} if resource is None else {**resource.example, "key": _key_example(resource, "key")}
            body["example"] = _sample(body["schema"], known, schemas, _DEPTH)


def _sample(schema: dict[str, Any], known: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    """A value of a schema: what the resource gives as its example, else the plainest one."""
    if "$ref" in schema:
        return _sample(schemas[schema["$ref"].rpartition("/")[2]], known, schemas, depth)
    for name in ("const", "default", "example"):
        if schema.get(name) is not None:
            return schema[name]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return _sample(schema[name][0], known, schemas, depth)
    kind = schema.get("type")
    if kind == "object" and depth:
        return _object(schema, known, schemas, depth)
    if kind == "array" and depth:
        items = schema.get("items")
        return [_sample(items, known, schemas, depth - 1)] if items else []
    return _scalar(schema, kind)


def _object(schema: dict[str, Any], known: dict[str, Any], schemas: dict[str, Any], depth: int) -> dict[str, Any]:
    found = {
        name: known.get(name, _sample(part, known, schemas, depth - 1))
        for name, part in schema.get("properties", {}).items()
    }
    return found if found else dict[str, Any]()


def _scalar(schema: dict[str, Any], kind: str | None) -> Any:
    texts = {"date": "2026-01-05", "date-time": "2026-01-05T07:00:00Z", "binary": ""}
    if kind == "string":
        return texts.get(schema.get("format", ""), "2026-W02" if "W" in schema.get("pattern", "") else "text")
    if kind in {"integer", "number"}:
        return max(1, int(schema.get("minimum", 1)))
    return True if kind == "boolean" else None


if __name__ == "__main__":
    FILE.write_text(as_text(document()), encoding="utf-8")
