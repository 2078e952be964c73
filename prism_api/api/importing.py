"""Loading a workbook for a caller of the API.

Belongs here: which of its tables, columns and items the caller may write, and the judgement that every other
write of the API passes, too. Does not belong here: the plan itself (prism_core/workbooks) and its writes
(prism_resources/tables/imports.py), which `prism ingest workbook` shares; routes (routes/imports.py).
"""

from dataclasses import fields, replace
from http import HTTPStatus
from typing import Any, Final

from prism_api.api import backend
from prism_api.api.calls import Access, Call, Role
from prism_api.api.matrix import find
from prism_api.api.objects import MAX_UPLOAD_BYTES
from prism_api.api.problems import FieldError, Problem, invalid, problem_of
from prism_api.api.resource import Resource
from prism_api.api.routes.everything import RESOURCES
from prism_api.api.visibility import visible
from prism_core.failures import BadUsage
from prism_core.workbooks.mapping import TableMapping, WorkbookMapping, default_mapping, load_mapping
from prism_core.workbooks.package import Limits, WorkbookRefused
from prism_core.workbooks.plan import ImportPlan, ItemWrite
from prism_core.workbooks.reading import Problem as CellProblem
from prism_core.workbooks.reading import Workbook, read_workbook
from prism_resources.tables.imports import plan_of

# A call has 29 seconds; `prism ingest workbook` takes larger ones.
LIMITS: Final = Limits(file_bytes=MAX_UPLOAD_BYTES, unpacked_bytes=128 * 1024 * 1024, rows=20_000)

_FOREIGN: Final = "the item belongs to somebody whose rows are not yours to write"


def planned(call: Call, data: bytes, mapping_text: str | None) -> ImportPlan:
    """What loading the workbook would do now. Raises Problem 422 for no workbook, 403 for a table."""
    workbook = _read(data, _mapping(call, mapping_text))
    _may_write(call, workbook)
    _refuse_foreign_rows(call, workbook)
    plan = plan_of(backend.dynamodb(), backend.settings(), workbook, now=call.now)
    refused = {write.item_key: why for write in plan.writes if (why := _why_refused(call, write)) is not None}
    return plan.without(refused)


def _read(data: bytes, mapping: WorkbookMapping) -> Workbook:
    try:
        return read_workbook(data, mapping, LIMITS)
    except WorkbookRefused as refused:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The workbook cannot be read: {refused}") from refused


def _mapping(call: Call, text: str | None) -> WorkbookMapping:
    """What a caller may not set by a call, no workbook sets either, by a column or by a default of the mapping.

    Fields that a lead may not read are not compared: a difference would tell them.
    """
    try:
        mapping = default_mapping() if text is None else load_mapping(text, "the mapping")
    except BadUsage as error:
        raise invalid((FieldError("body.mapping", str(error)),)) from error
    if Role.ADMIN in call.caller.roles:
        return mapping
    narrowed = {name: _narrowed(call, table, RESOURCES[name]) for name, table in mapping.tables.items()}
    return replace(mapping, tables=narrowed)


def _narrowed(call: Call, table: TableMapping, resource: Resource[Any]) -> TableMapping:
    """Without the columns that are closed to the caller; what the server sets of a new item is a default."""
    closed = {*resource.server, *resource.never_in_history}
    keys = dict.fromkeys(table.spec.key_parts, "")  # every row names its own
    made = resource.complete(call, {**keys})
    filled = {name: made[name] for name in resource.filled if name in made and name not in keys}
    defaults = {name: value for name, value in table.defaults.items() if name not in {*closed, *keys}}
    server = {name: made[name] for name in resource.server if name in made}
    return replace(
        table,
        titles={title: one for title, one in table.titles.items() if table.columns[one].field not in closed},
        defaults={**filled, **defaults, **server},
    )


def _may_write(call: Call, workbook: Workbook) -> None:
    """Raises Problem 403 for a sheet of a table that this caller may not write row by row either."""
    for table in sorted({row.table.spec.name for row in workbook.rows}):
        path = RESOURCES[table].path
        for method, template in (("POST", path), ("PATCH", f"{path}/key")):
            operation = find(method, template).operation
            if operation is None or operation.access(call.caller) is not Access.ALL:
                raise Problem(HTTPStatus.FORBIDDEN, f"The workbook has rows of {table}, which you may not write.")


def _refuse_foreign_rows(call: Call, workbook: Workbook) -> None:
    """Before they are compared: what is wrong with them would tell what is stored."""
    seen = visible(call)
    for row in workbook.rows if seen.members is not None else ():
        owned = RESOURCES[row.table.spec.name].owner is not None
        if owned and "member_id" in row.parts and not seen.sees(str(row.parts["member_id"])):
            row.problems.append(CellProblem(row.sheet, row.number, None, None, _FOREIGN))


def _why_refused(call: Call, write: ItemWrite) -> str | None:
    """What the API has against a write that the model took."""
    resource = RESOURCES[write.spec.name]
    if resource.owner is not None and not visible(call).sees(resource.owner(write.item)):
        return _FOREIGN
    if resource.judge is _NO_JUDGE:
        return None
    before = None
    if write.expected_version:
        parts = {part: getattr(write.item, part) for part in write.spec.key_parts}
        before = backend.reader(resource.spec, resource.model).get(**parts)
    try:
        resource.judge(call, before, write.item)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return problem.detail
    return None


_NO_JUDGE: Final = next(one.default for one in fields(Resource) if one.name == "judge")
