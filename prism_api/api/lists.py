"""Reading a list: filters, order, pages.

Belongs here: choosing the access path of a table from the filters, the two orders of a list (as stored, which
streams; by a field, which reads all that match), cursors. Does not belong here: which rows a caller may see
(visibility.py), which is asked for every row.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from math import prod
from typing import Any

from pydantic import TypeAdapter

from prism_api.api import backend
from prism_api.api.calls import Call
from prism_api.api.opaque import decode_cursor, encode_cursor
from prism_api.api.problems import FieldError, Problem, invalid
from prism_api.api.resource import Resource
from prism_api.api.visibility import Visible, selves, visible
from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage
from prism_core.history.changes import State
from prism_core.models.base import Model, text_of
from prism_core.privacy import readable

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_SORTED_ROWS = 10_000
MAX_READ_ROWS = 5_000  # of one page: a filter that matches little must not read a table in one call
MAX_PARTITIONS = 120
_LIST_NAMES = ("limit", "sort", "cursor", "q", "as_of")
_WEEK, _WEEK_RANGE = "week", ("week_from", "week_to")
# As the parameters are validated: 5.0 is a number of rows, and 1 is true.
_NUMBER, _TRUTH = TypeAdapter(int), TypeAdapter(bool)

Row = Model


@dataclass(frozen=True, slots=True)
class Plan:
    """The partitions to read, in order, and the filters that are left for each row."""

    way: str
    partitions: tuple[Mapping[str, Any], ...]
    first: str | None
    last: str | None
    left: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page and where the next one starts."""

    rows: list[Any]
    next: str | None


def list_rows(resource: Resource[Any], call: Call) -> Listed:
    """One page of a list. Raises Problem for a filter, an order or a cursor that is none."""
    limit = _limit(call)
    seen = visible(call)
    resource.refuse_part(seen)
    filters = _own_rows(resource, _filters(resource, call), seen)
    if filters is None:
        return Listed([], None)
    plan = make_plan(resource, call, filters)
    sort, cursor, as_of = call.one("sort"), call.one("cursor"), call.one("as_of")
    chosen = [resource.path, sorted(filters.items()), sort, call.one("q"), as_of, sorted(seen.members or ())]
    listed = json.dumps(chosen)
    position = decode_cursor(backend.cursor_key(), listed, cursor) if cursor else None
    if as_of is not None and not resource.past:
        raise invalid((FieldError("query.as_of", f"nobody reads how a {resource.noun} was"),))
    if as_of is not None:
        past = _past(resource, call, plan, seen, datetime.fromisoformat(as_of))
        rows, following = in_order(past, resource.key_text, sort, limit, position)
    elif sort is None:
        rows, following = _stream(resource, call, plan, seen, limit, position)
    else:
        found = _collect(resource, call, plan, seen)
        rows, following = in_order(found, resource.key_text, sort, limit, position)
    return Listed(rows, None if following is None else encode_cursor(backend.cursor_key(), listed, following))


def page_of(rows: Sequence[Any], key_text: Callable[[Any], str], call: Call, listed: str) -> Listed:
    """One page of rows that were computed whole. `listed` names the list with all that chooses its rows."""
    limit, sort, cursor = _limit(call), call.one("sort"), call.one("cursor")
    listed = f"{listed} {sort}"
    position = decode_cursor(backend.cursor_key(), listed, cursor) if cursor else None
    page, following = in_order(rows, key_text, sort, limit, position)
    return Listed(page, None if following is None else encode_cursor(backend.cursor_key(), listed, following))


def _limit(call: Call) -> int:
    given = call.one("limit")
    return DEFAULT_LIMIT if given is None else _NUMBER.validate_python(given)


def _past(
    resource: Resource[Any],
    call: Call,
    plan: Plan,
    seen: Visible,
    instant: datetime,
    most: int = MAX_SORTED_ROWS,
) -> list[Row]:
    """The list as it was known at an instant: today's rows with the changes since undone."""

    def row_of(state: State) -> Row:
        return resource.row_model.from_plain(readable(resource.spec, state))

    def belongs(state: State) -> bool:
        row = row_of(state)
        return _lies_in(plan, row) and _matches(resource, call, plan, seen, row)

    states = backend.history().list_at(
        resource.spec,
        _read_at_most(resource, plan, most),
        instant,
        now=call.now,
        matches=belongs,
        fields=None if resource.row is None else frozenset(resource.row.model_fields),
    )
    return [row_of(state) for state in states.values()]


def every_row(resource: Resource[Any], call: Call, most: int = MAX_SORTED_ROWS) -> list[Row]:
    """All rows of a list in its order, for an export. Raises Problem 422 beyond `most`."""
    seen = visible(call)
    resource.refuse_part(seen)
    filters = _own_rows(resource, _filters(resource, call), seen)
    if filters is None:
        return []
    plan = make_plan(resource, call, filters)
    sort, as_of = call.one("sort"), call.one("as_of")
    if as_of is not None:
        rows = _past(resource, call, plan, seen, datetime.fromisoformat(as_of), most)
    else:
        rows = _collect(resource, call, plan, seen, most)
    if sort is None and as_of is None:
        return rows
    return all_in_order(rows, resource.key_text, sort)


def _filters(resource: Resource[Any], call: Call) -> dict[str, tuple[str, ...]]:
    known = {*resource.filters, *(_WEEK_RANGE if "week" in resource.filters else ())}
    unknown = sorted(set(call.query) - known - set(_LIST_NAMES))
    if unknown:
        valid = ", ".join(sorted(known | set(_LIST_NAMES)))
        raise invalid(tuple(FieldError(f"query.{name}", f"unknown; valid are {valid}") for name in unknown))
    found = {name: values for name, values in call.query.items() if name in known}
    if resource.mine in found and not selves(call).isdisjoint(found[resource.mine]):
        found[resource.mine] = tuple(sorted({*found[resource.mine], *selves(call)}))
    return found


def _own_rows(
    resource: Resource[Any], filters: dict[str, tuple[str, ...]], seen: Visible
) -> dict[str, tuple[str, ...]] | None:
    """The filters, narrowed to the members whose rows may be seen; None when nothing is left."""
    if seen.members is None or "member_id" not in resource.filters:
        return filters
    wanted = filters.get("member_id")
    members = sorted(seen.members if wanted is None else seen.members & set(wanted))
    return filters | {"member_id": tuple(members)} if members else None


def make_plan(resource: Resource[Any], call: Call, filters: Mapping[str, tuple[str, ...]]) -> Plan:
    """The first way whose partition is named by the filters, else everything.

    Where they name more partitions than one call reads, such as 200 members of a week, the next way that they
    name: the week is read, and rows of others are left out.
    """
    filters = _with_weeks(filters, keep_range=_ranges_over_week(resource, filters))
    ways = [name for name in resource.ways if all(part in filters for part in _parts(resource, name))]
    ranged = any(name in filters for name in _WEEK_RANGE)  # over the weeks of the first way
    few = [name for name in ways if not ranged and _partitions(resource, name, filters) <= MAX_PARTITIONS]
    if ways:
        name = (few or ways)[0]
        return _plan(resource, name, {part: filters[part] for part in _parts(resource, name)}, filters)
    default = resource.everything(call)
    way = next(name for name in resource.ways if set(resource.spec.path(name).partition.parts) <= set(default))
    return _plan(resource, way, default, {**filters})


def _parts(resource: Resource[Any], way: str) -> tuple[str, ...]:
    return resource.spec.path(way).partition.parts


def _partitions(resource: Resource[Any], way: str, filters: Mapping[str, tuple[str, ...]]) -> int:
    return prod(len(set(filters[part])) for part in _parts(resource, way))


def _ranges_over_week(resource: Resource[Any], filters: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the way that will be taken sorts by week within its partition, so that a range stays a range."""
    for name in resource.ways:
        way = resource.spec.path(name)
        if all(part in filters for part in way.partition.parts):
            return way.sort is not None and way.sort.parts[:1] == ("week",)
    return False


def _with_weeks(filters: Mapping[str, tuple[str, ...]], *, keep_range: bool) -> dict[str, tuple[str, ...]]:
    found = dict(filters)
    for name in ("week", *_WEEK_RANGE):
        for text in found.get(name, ()):
            _week(name, text)
    if all(name in found for name in _WEEK_RANGE):
        _range(*(found[name][0] for name in _WEEK_RANGE))
    if keep_range or not any(name in found for name in _WEEK_RANGE):
        return found
    start = found.pop("week_from", (None,))[0]
    end = found.pop("week_to", (start,))[0]
    if start is None or end is None:
        raise invalid((FieldError("query.week_to", "give week_from too"),))
    weeks = _range(start, end)
    both = [week.label for week in weeks if "week" not in found or week.label in found["week"]]
    return found | {"week": tuple(both)}


def _range(start: str, end: str) -> WeekRange:
    try:
        return WeekRange(Week.parse(start), Week.parse(end))
    except BadUsage as error:
        raise invalid((FieldError("query.week_to", str(error)),)) from error


def _week(name: str, text: str) -> Week:
    try:
        return Week.parse(text)
    except BadUsage as error:
        raise invalid((FieldError(f"query.{name}", str(error)),)) from error


def _plan(
    resource: Resource[Any],
    way: str,
    chosen: Mapping[str, tuple[str, ...]],
    filters: Mapping[str, tuple[str, ...]],
) -> Plan:
    left = {name: values for name, values in filters.items() if name not in chosen and name not in _WEEK_RANGE}
    partitions: list[dict[str, str]] = [{}]
    for part, values in chosen.items():
        partitions = [{**one, part: value} for one in partitions for value in dict.fromkeys(values)]
    if len(partitions) > MAX_PARTITIONS:
        raise Problem(
            422, f"The filters name {len(partitions)} partitions of at most {MAX_PARTITIONS}; narrow them."
        )
    first, last = filters.get("week_from", (None,))[0], filters.get("week_to", (None,))[0]
    sort = resource.spec.path(way).sort
    if (
        sort is not None
        and sort.parts
        and len(left.get(sort.parts[0], ())) == 1
        and first is None
        and last is None
    ):
        value = left.pop(sort.parts[0])[0]  # the first part of the sort key: read only that
        partitions = [{**one, sort.parts[0]: value} for one in partitions]
    return Plan(way, tuple(partitions), first, last, left)


def _stream(
    resource: Resource[Any], call: Call, plan: Plan, seen: Visible, limit: int, position: Any
) -> tuple[list[Row], Any]:
    """As stored: partition after partition, each by its sort key."""
    number, start = position or (0, None)
    rows: list[Row] = []
    read = 0
    while number < len(plan.partitions):
        filtered = bool(plan.left) or call.one("q") is not None or seen.members is not None
        page = backend.reader(resource.spec, resource.model).page_as(
            resource.row_model,
            plan.way,
            limit=MAX_LIMIT if filtered else limit - len(rows),
            start=start,
            first=plan.first,
            last=plan.last,
            **plan.partitions[number],
        )
        for index, row in enumerate(page.items):
            read += 1
            if _matches(resource, call, plan, seen, row):
                rows.append(row)
            if len(rows) == limit and index + 1 < len(page.items):
                return rows, (number, _key_in_way(resource, plan.way, row))
        number, start = (number, page.next) if page.next else (number + 1, None)
        if (len(rows) == limit or read >= MAX_READ_ROWS) and number < len(plan.partitions):
            return rows, (number, start)
    return rows, None


def _key_in_way(resource: Resource[Any], way: str, row: Row) -> dict[str, str]:
    """The position of a row, as DynamoDB writes it: the keys of the table and of the index."""
    path = resource.spec.path(way)
    attributes = {a.name: a for a in (*resource.spec.key_attributes, path.partition, path.sort) if a is not None}
    values = {part: getattr(row, part) for a in attributes.values() for part in a.parts}
    return {name: attribute.text(values) or "" for name, attribute in attributes.items()}


def all_in_order(rows: Sequence[Any], key_text: Callable[[Any], str], sort: str | None) -> list[Any]:
    """All rows by a field, then by key, as the pages of their list have them."""
    return in_order(rows, key_text, sort, len(rows), None)[0] if rows else []


def in_order(
    rows: Sequence[Any], key_text: Callable[[Any], str], sort: str | None, limit: int, position: Any
) -> tuple[list[Any], Any]:
    """A page by a field, then by key; absent values stand last in both directions."""
    ordered = sorted(rows, key=key_text)
    if sort is not None:
        name, backwards = sort.removeprefix("-"), sort.startswith("-")
        present = [row for row in ordered if getattr(row, name) is not None]
        absent = [row for row in ordered if getattr(row, name) is None]
        present.sort(key=lambda row: _sortable(getattr(row, name)), reverse=backwards)
        ordered = [*present, *absent]
    keys = [key_text(row) for row in ordered]
    start = keys.index(position) + 1 if position in keys else 0 if position is None else _gone()
    page = ordered[start : start + limit]
    return page, keys[start + limit - 1] if start + limit < len(ordered) else None


def _gone() -> int:
    raise Problem(400, "The row that the cursor stands on is no longer in the list; start from the first page.")


def _sortable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _collect(
    resource: Resource[Any], call: Call, plan: Plan, seen: Visible, most: int = MAX_SORTED_ROWS
) -> list[Row]:
    rows = _read_at_most(resource, plan, most)
    return [row for row in rows if _matches(resource, call, plan, seen, row)]


def _read_at_most(resource: Resource[Any], plan: Plan, most: int) -> list[Any]:
    rows = list(islice(_read(resource, plan), most + 1))
    if len(rows) > most:
        raise Problem(422, f"More than {most:,} rows would be read at once; narrow the filters.")
    return rows


def _read(resource: Resource[Any], plan: Plan) -> Iterator[Row]:
    table = backend.reader(resource.spec, resource.model)
    for parts in plan.partitions:
        yield from table.query_as(resource.row_model, plan.way, first=plan.first, last=plan.last, **parts)


def _lies_in(plan: Plan, row: Row) -> bool:
    """Whether the plan would have read the row: what changed since stands anywhere in the table."""
    if plan.first is not None or plan.last is not None:
        week = text_of(getattr(row, _WEEK))
        if (plan.first is not None and week < plan.first) or (plan.last is not None and week > plan.last):
            return False
    return any(
        all(_is_one_of(getattr(row, part), (text_of(value),)) for part, value in parts.items())
        for parts in plan.partitions
    )


def _matches(resource: Resource[Any], call: Call, plan: Plan, seen: Visible, row: Row) -> bool:
    if not resource.seen_by(call, seen, row):
        return False
    if not all(_is_one_of(getattr(row, name), values) for name, values in plan.left.items()):
        return False
    sought = call.one("q")
    return sought is None or _found(sought, [getattr(row, name) for name in resource.search])


def _is_one_of(value: object, wanted: Sequence[str]) -> bool:
    if isinstance(value, bool):
        return any(_TRUTH.validate_python(one) is value for one in wanted)
    if isinstance(value, tuple):  # one of several, such as tags
        return any(text_of(one) in wanted for one in value)
    return value is not None and text_of(value) in wanted


def _found(sought: str, values: list[Any]) -> bool:
    return any(isinstance(value, str) and sought.casefold() in value.casefold() for value in values)
