"""Whether data fit a schema, and where they do not.

Belongs here: compiling a schema once and judging data with it. Does not belong here: which schema an event asks
for and where compiled ones are kept (prism_api/events).
`format` and what a text contains are notes, no rules, as drafts allow and the reference has it. Patterns run in
linear time and nothing is fetched: a schema of a stranger can neither hang a function nor send it anywhere. What
is told of a problem holds no value of the data: it goes into lists and mails, where an address or a name must not.
"""

from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final, cast

import jsonschema_rs

from prism_core.events.branches import Branch, branches_of, named, unknown_tag
from prism_core.events.problems import Problem
from prism_core.events.rejections import pointer
from prism_core.events.schemas import DRAFT_7, DRAFT_2020, Schema, check_schema, draft_of
from prism_core.events.strict_json import canonical
from prism_core.failures import PermanentFailure

MAX_PROBLEMS: Final = 20
_MAX_REASON: Final = 300
# What the library judges by and the reference does not; 2020-12 has the last one no more.
_NOTES: Final = {DRAFT_7: ("contentEncoding", "contentMediaType"), DRAFT_2020: ("dependencies",)}
_Validator = jsonschema_rs.Draft7Validator | jsonschema_rs.Draft202012Validator


class CompiledSchema:
    """A schema ready to judge; made once a container, used from one thread or many."""

    def __init__(self, schema: object) -> None:
        """Raises PermanentFailure for a schema that the registry does not take."""
        self._schema = check_schema(schema)
        self._validator = _compiled(self._schema)
        self._of_branch: dict[int, _Validator] = {}

    def fits(self, data: Any) -> bool:
        """Whether the data are valid: a fifth of the time that saying why not takes."""
        return self._validator.is_valid(data)

    def problems(self, data: Any) -> tuple[Problem, ...]:
        """What does not fit, at most 20; nothing: the data are valid."""
        if self._validator.is_valid(data):
            return ()
        return self._within_branch(data) or _problems(self._validator, data)

    @cached_property
    def _branches(self) -> tuple[Branch, ...]:
        return branches_of(self._schema)

    def _within_branch(self, data: Any) -> tuple[Problem, ...]:
        """What the branch that the data name refuses, or that they name none; nothing when that is not the cause.

        The library would tell all data once for each branch and each problem: 4 ms of 10 kB instead of 0.3.
        """
        if not isinstance(data, dict) or not self._branches:
            return ()
        known = cast("Mapping[str, Any]", data)
        number = named(self._branches, known)
        if number is not None:
            if number not in self._of_branch:
                self._of_branch[number] = _compiled(self._branches[number].schema)
            return _problems(self._of_branch[number], known)
        unknown = unknown_tag(self._branches, known)
        if unknown is None:
            return ()
        name, values = unknown
        if name not in known:
            return (Problem("", "required", f'"{name}" is a required property'),)
        return (Problem(pointer(name), "enum", _short(f"the value is none of {', '.join(values)}")),)


class _Note:
    """A word of a schema that refuses nothing, in the form that the library asks for."""

    def __init__(self, parent_schema: object, value: object, schema_path: object) -> None:
        pass

    def validate(self, instance: object) -> None:
        pass


def _compiled(schema: Schema) -> _Validator:
    draft, text = draft_of(schema), canonical(schema)
    # Only where one stands: the library judges half as fast once it knows any words of ours.
    notes = [word for word in _NOTES[draft] if f'"{word}":'.encode() in text]
    kind = jsonschema_rs.Draft7Validator if draft == DRAFT_7 else jsonschema_rs.Draft202012Validator
    try:
        return kind(
            schema,
            validate_formats=False,
            offline=True,
            mask="the value",
            pattern_options=jsonschema_rs.RegexOptions(),
            keywords=dict.fromkeys(notes, _Note) if notes else None,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise PermanentFailure(f"the schema is not taken: {str(error).splitlines()[0][:_MAX_REASON]}") from error


def _problems(validator: _Validator, data: Any) -> tuple[Problem, ...]:
    return tuple(
        Problem(pointer(*error.instance_path), error.kind.name, _short(error.message))
        for error in islice(validator.iter_errors(data), MAX_PROBLEMS)
    )


def _short(reason: str) -> str:
    return reason if len(reason) <= _MAX_REASON else f"{reason[: _MAX_REASON - 1]}\N{HORIZONTAL ELLIPSIS}"
