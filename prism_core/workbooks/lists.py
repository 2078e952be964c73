"""Several things in one cell: texts, skills, labelling jobs, and JSON for whatever has no shorter form.

Belongs here: how the parts are written, separated and read back. Does not belong here: single values (codecs.py).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from prism_core.workbooks.cells import CellValue
from prism_core.workbooks.codecs import Formats, TextCodec, day_of, words


@dataclass(frozen=True, slots=True)
class ListCodec:
    r"""Texts with `; ` between them; a semicolon of a text is written `\;`."""

    style: str = "text"
    width: int = 28

    def show(self, value: JsonValue) -> CellValue | None:
        return joined(str(text) for text in value) or None if isinstance(value, list) else None

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        return [*split(words(value))]


@dataclass(frozen=True, slots=True)
class SkillsCodec:
    """Skills with their level: `image-boxes:3; ranking:2`."""

    style: str = "text"
    width: int = 30

    def show(self, value: JsonValue) -> CellValue | None:
        if not isinstance(value, list):
            return None
        return joined(f"{skill['name']}:{skill['level']}" for skill in value if isinstance(skill, dict)) or None

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        skills: list[JsonValue] = []
        for text in split(words(value)):
            name, colon, level = text.rpartition(":")
            if not colon or not (level.strip().isascii() and level.strip().isdigit()):
                raise ValueError(f"a skill is written with its level, such as image-boxes:3, not {text!r}")
            skills.append({"name": name.strip(), "level": int(level.strip()[:9])})
        return skills


@dataclass(frozen=True, slots=True)
class JobsCodec:
    """Labelling jobs with the days they are valid: `job-* 2026-01-05..2026-03-01; other 2026-03-01`."""

    style: str = "text"
    width: int = 40

    def show(self, value: JsonValue) -> CellValue | None:
        if not isinstance(value, list):
            return None
        return joined(_job_text(job) for job in value if isinstance(job, dict)) or None

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        jobs: list[JsonValue] = []
        for text in split(words(value)):
            name, _, span = text.partition(" ")
            first, dots, last = span.strip().partition("..")
            if not first:
                raise ValueError(f"a labelling job is written with its first day, job-* 2026-01-05, not {text!r}")
            job: dict[str, JsonValue] = {"job": name, "valid_from": day_of(first, formats).isoformat()}
            jobs.append(job | ({"valid_to": day_of(last, formats).isoformat()} if dots and last.strip() else {}))
        return jobs


@dataclass(frozen=True, slots=True)
class JsonCodec:
    """Whatever has no shorter form, as JSON."""

    style: str = "text"
    width: int = 30

    def show(self, value: JsonValue) -> CellValue | None:
        return TextCodec().show(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) if value else None

    def read(self, value: CellValue, formats: Formats) -> JsonValue:
        try:
            return json.loads(words(value))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"this column holds JSON: {error}") from error


def joined(texts: Iterable[str]) -> str:
    """Texts in one cell: `a; b`. A line break would separate as well."""
    return "; ".join(re.sub(r"([\\\\;\n])", r"\\\1", text) for text in texts)


def split(text: str) -> list[str]:
    """The inverse of `joined`; a line break separates as well, empty texts are left out."""
    parts, escaped = [""], False
    for character in text:
        if escaped or character not in "\\;\n":
            parts[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append("")
    return [part.strip() for part in parts if part.strip()]


def _job_text(job: Mapping[str, JsonValue]) -> str:
    until = f"..{job['valid_to']}" if job.get("valid_to") else ""
    return f"{job['job']} {job['valid_from']}{until}"
