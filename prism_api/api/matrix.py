"""Who may do what: every operation of the API, once.

Belongs here: the table operation x role, and finding the operation of a request. A route that is not in the
table is not served, and a test walks every cell of it.
Does not belong here: which rows OWN means (visibility.py) and reading tokens (guard.py).
"""

from dataclasses import dataclass
from functools import cache

from prism_api.api.calls import Access, Caller, Role

ALL, OWN, NONE = Access.ALL, Access.OWN, Access.NONE


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path template, and how far each role reaches. An admin reaches everything.

    One `of_everybody` is about all teams at once: a lead who sees one of them has no part in it.
    """

    method: str
    path: str
    lead: Access
    analyst: Access
    annotator: Access
    of_everybody: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def access(self, caller: Caller) -> Access:
        """The widest access of the caller's roles."""
        of = {Role.ADMIN: ALL, Role.LEAD: self.lead, Role.ANALYST: self.analyst, Role.ANNOTATOR: self.annotator}
        found = {of[role] for role in caller.roles}
        return ALL if ALL in found else OWN if OWN in found else NONE


def _resource(
    path: str,
    methods: str,
    *,
    item: str = "{key}",
    write: Access = ALL,
    reader: Access = ALL,
    annotator: Access = NONE,
    of_everybody: bool = False,
) -> tuple[Operation, ...]:
    """The operations of a resource: `methods` names list, create, get, put, patch, delete and bulk by initials."""
    known = {
        "l": ("GET", path),
        "c": ("POST", path),
        "g": ("GET", f"{path}/{item}"),
        "u": ("PUT", f"{path}/{item}"),
        "p": ("PATCH", f"{path}/{item}"),
        "d": ("DELETE", f"{path}/{item}"),
        "b": ("POST", f"{path}/bulk"),
    }
    rows: list[Operation] = []
    for initial in methods:
        method, template = known[initial]
        if method == "GET":
            rows.append(Operation(method, template, ALL, reader, annotator, of_everybody))
        else:
            rows.append(Operation(method, template, write, NONE, NONE, of_everybody))
    return tuple(rows)


def _verbs(path: str, *verbs: str, lead: Access = ALL, annotator: Access = NONE) -> tuple[Operation, ...]:
    """`POST <path>/{key}/<verb>`."""
    return tuple(Operation("POST", f"{path}/{{key}}/{verb}", lead, NONE, annotator) for verb in verbs)


OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/api/meta", ALL, ALL, ALL),
    Operation("GET", "/api/status", ALL, ALL, NONE, of_everybody=True),
    *_resource("/api/members", "lcgupdb", annotator=OWN),
    *_resource("/api/projects", "lcgupdb", annotator=ALL),
    *_resource("/api/allocations", "lcgupdb", annotator=OWN),
    Operation("POST", "/api/allocations/reassign", ALL, NONE, NONE),
    *_resource("/api/availability", "lgb", annotator=OWN),
    Operation("POST", "/api/availability", ALL, NONE, OWN),
    Operation("PATCH", "/api/availability/{key}", ALL, NONE, OWN),
    Operation("DELETE", "/api/availability/{key}", ALL, NONE, OWN),
    *_verbs("/api/availability", "decision", annotator=OWN),
    Operation("GET", "/api/holidays", ALL, ALL, ALL),
    *_resource("/api/requests", "lcgupdb"),
    *_verbs("/api/requests", "decision"),
    Operation("GET", "/api/requests/{key}/lateness", ALL, ALL, NONE),
    Operation("GET", "/api/requests/{key}/demand", ALL, ALL, NONE, of_everybody=True),
    *_resource("/api/disputes", "lg", annotator=OWN),
    Operation("POST", "/api/disputes", ALL, NONE, OWN),
    *_verbs("/api/disputes", "decline", "correct"),
    *_verbs("/api/disputes", "withdraw", annotator=OWN),
    *_resource("/api/taxonomy", "lcgupd"),
    Operation("GET", "/api/taxonomy-map", ALL, ALL, ALL),
    Operation("GET", "/api/taxonomy/{key}/rehearsal", ALL, ALL, NONE),
    Operation("GET", "/api/me", ALL, ALL, ALL),
    *_resource("/api/recipients", "lcgupdb", write=NONE),
    *_resource("/api/quality", "lcgupdb", annotator=OWN),
    Operation("GET", "/api/quality-scores", ALL, ALL, OWN),
    Operation("GET", "/api/quality-trend", ALL, ALL, OWN),
    *_resource("/api/workers", "lgpd"),
    *_verbs("/api/workers", "resolve", "ignore"),
    Operation("GET", "/api/workers/{key}/suggestions", ALL, ALL, NONE),
    *_resource("/api/bugs", "lg", annotator=OWN),
    *_resource("/api/bugs", "updb"),
    Operation("POST", "/api/bugs", ALL, ALL, OWN),
    Operation("GET", "/api/bugs/{key}/screenshot", ALL, ALL, OWN),
    *_resource("/api/corrections", "lcgdb"),
    Operation("GET", "/api/saved-views", ALL, ALL, ALL),
    Operation("POST", "/api/saved-views", ALL, ALL, ALL),
    Operation("GET", "/api/saved-views/{key}", ALL, ALL, ALL),
    Operation("PUT", "/api/saved-views/{key}", ALL, ALL, ALL),
    Operation("PATCH", "/api/saved-views/{key}", ALL, ALL, ALL),
    Operation("DELETE", "/api/saved-views/{key}", ALL, ALL, ALL),
    *_resource("/api/alerts", "lg", annotator=OWN),
    Operation("GET", "/api/alerts/precision", ALL, ALL, NONE),
    *_verbs("/api/alerts", "acknowledge", "silence", "unsilence", "verdict"),
    *_resource("/api/plans", "lg", of_everybody=True),
    *_resource("/api/capacity/{week}/plans", "lcg", item="{plan_id}", of_everybody=True),
    *(
        Operation("GET", f"/api/capacity/{{week}}/plans/{{plan_id}}/{what}", ALL, ALL, NONE, of_everybody=True)
        for what in ("result", "explanation", "compare", "candidates", "changes")
    ),
    Operation("POST", "/api/capacity/{week}/plans/{plan_id}/publish", ALL, NONE, NONE, of_everybody=True),
    Operation("POST", "/api/capacity/{week}/unpublish", ALL, NONE, NONE, of_everybody=True),
    Operation("GET", "/api/capacity/{week}", ALL, ALL, NONE, of_everybody=True),
    *_resource("/api/reports", "lg", of_everybody=True),
    Operation("GET", "/api/reports/{key}/content", ALL, ALL, NONE, of_everybody=True),
    Operation("GET", "/api/reports/{key}/letters/{number}", ALL, ALL, NONE, of_everybody=True),
    Operation("GET", "/api/throughput", ALL, ALL, OWN),
    Operation("GET", "/api/throughput/{key}", ALL, ALL, OWN),
    Operation("POST", "/api/throughput/reassign", ALL, NONE, NONE),
    Operation("GET", "/api/throughput-trend", ALL, ALL, OWN),
    Operation("GET", "/api/restatements", ALL, ALL, NONE),
    Operation("GET", "/api/history/{table}/{key}", ALL, ALL, OWN),
    Operation("GET", "/api/changes", ALL, ALL, NONE),
    Operation("POST", "/api/changes/{change_id}/revert", ALL, NONE, NONE),
    *(
        Operation("GET", f"/api/events/{what}", ALL, ALL, NONE, of_everybody=True)
        for what in ("failed", "failed/counts", "failed/{key}", "hours", "rollups", "objectives")
    ),
    Operation("POST", "/api/uploads", ALL, NONE, NONE),
    Operation("POST", "/api/imports", ALL, NONE, NONE),
    Operation("POST", "/api/exports", ALL, ALL, OWN),
    *_resource("/api/articles", "lcgupd"),
    Operation("GET", "/api/articles/{key}/gate", ALL, ALL, NONE),
    *_verbs("/api/articles", "submit", "return", "publish", "archive", "reopen", "restore"),
    *_verbs("/api/articles", "images"),
    *_resource("/api/images", "lgpd"),
    *_verbs("/api/images", "upload", "decision"),
    Operation("POST", "/api/jobs", ALL, NONE, NONE),
    Operation("GET", "/api/jobs", OWN, NONE, NONE),
    Operation("GET", "/api/jobs/{key}", OWN, NONE, NONE),
    Operation("GET", "/api/jobs/{key}/results", OWN, NONE, NONE),
    Operation("POST", "/api/jobs/{key}/cancel", OWN, NONE, NONE),
    Operation("POST", "/api/jobs/{key}/resume", OWN, NONE, NONE),
)


# Of everybody, with a token or without: a function of its own answers them, which has no other rights.
PUBLIC: tuple[Operation, ...] = (
    Operation("GET", "/public/articles", ALL, ALL, ALL),
    Operation("GET", "/public/articles/{slug}", ALL, ALL, ALL),
    Operation("GET", "/public/images/{article_id}/{image_id}/{folder}/{file}", ALL, ALL, ALL),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The operation of a request, or the methods that its path allows."""

    operation: Operation | None
    allowed: tuple[str, ...]


def find(method: str, path: str) -> Found:
    """The operation of a method and path. No `allowed` methods means that there is no such path."""
    parts = path.split("/")
    matching = [operation for template, operation in _templates().get(len(parts), ()) if _fits(template, parts)]
    if matching:  # a fixed path such as /members/bulk goes before /members/{member_id}
        fixed = max(_fixed_parts(operation.path) for operation in matching)
        matching = [operation for operation in matching if _fixed_parts(operation.path) == fixed]
    allowed = tuple(sorted({operation.method for operation in matching}))
    return Found(next((operation for operation in matching if operation.method == method), None), allowed)


@cache
def _templates() -> dict[int, list[tuple[list[str], Operation]]]:
    """By the number of parts. A hundred regular expressions would take 10 ms to compile at a cold start."""
    found: dict[int, list[tuple[list[str], Operation]]] = {}
    for operation in OPERATIONS:
        parts = operation.path.split("/")
        found.setdefault(len(parts), []).append((parts, operation))
    return found


def _fits(template: list[str], parts: list[str]) -> bool:
    pairs = zip(template, parts, strict=True)
    return all(bool(part) if name.startswith("{") else part == name for name, part in pairs)


def _fixed_parts(template: str) -> int:
    return sum(not part.startswith("{") for part in template.split("/"))
