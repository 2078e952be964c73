"""Whether data fit a schema, and where they do not.

Belongs here: compiling a schema once and judging data with it. Does not belong here: which schema an event asks
for and where compiled ones are kept (prism_api/events).
`format` is a note, not a rule, as both drafts allow and as the reference validator has it. Patterns run in linear
time and nothing is fetched: a schema of a stranger can neither hang a function nor send it anywhere.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

import jsonschema_rs

from prism_core.events.problems import Problem
from prism_core.events.rejections import pointer
from prism_core.events.schemas import DRAFT_7, check_schema, draft_of
from prism_core.failures import PermanentFailure

MAX_PROBLEMS: Final = 20
_MAX_REASON: Final = 300


class CompiledSchema:
    """A schema ready to judge; made once a container, used from one thread or many."""

    def __init__(self, schema: object) -> None:
        """Raises PermanentFailure for a schema that the registry does not take."""
        known = check_schema(schema)
        kind = jsonschema_rs.Draft7Validator if draft_of(known) == DRAFT_7 else jsonschema_rs.Draft202012Validator
        try:
            self._validator = kind(
                known, validate_formats=False, offline=True, pattern_options=jsonschema_rs.RegexOptions()
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise PermanentFailure(
                f"the schema is not taken: {str(error).splitlines()[0][:_MAX_REASON]}"
            ) from error

    def problems(self, data: Any) -> tuple[Problem, ...]:
        """What does not fit, at most 20; nothing: the data are valid."""
        if self._validator.is_valid(data):
            return ()
        return tuple(_problem(error) for error in islice(self._validator.iter_errors(data), MAX_PROBLEMS))


def newly_failing(candidate: CompiledSchema, archived: Iterable[tuple[str, Any]]) -> dict[str, int]:
    """A rehearsal: how many archived events of each producer a candidate would refuse. All were stored once."""
    found: dict[str, int] = {}
    for producer, data in archived:
        if candidate.problems(data):
            found[producer] = found.get(producer, 0) + 1
    return dict(sorted(found.items()))


def _problem(error: jsonschema_rs.ValidationError) -> Problem:
    reason = error.message
    short = reason if len(reason) <= _MAX_REASON else f"{reason[: _MAX_REASON - 1]}\N{HORIZONTAL ELLIPSIS}"
    return Problem(pointer(*error.instance_path), error.kind.name, short)
