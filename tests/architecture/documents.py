"""Reading the documents: headings, links, commands, and what is wrong with them.

Belongs here: one function a rule, over text, so that each can be shown to catch something.
Does not belong here: which documents there are (test_documented.py).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CHANGES = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
DECISION_PARTS = ("Context", "Decision", "Consequences")
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)
_LINKS = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_VERSION = re.compile(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}( \[YANKED\])?")
_ADR_NAME = re.compile(r"(\d{4})-[a-z0-9]+(-[a-z0-9]+)*\.md")


def commands(command: Any, name: str = "prism") -> dict[str, list[str]]:
    """Every command of a Typer application and the long names of its options, groups left out."""
    below: Mapping[str, Any] = getattr(command, "commands", {})
    if not below:
        return {
            name: sorted(o for p in command.params for o in (*p.opts, *p.secondary_opts) if o.startswith("--"))
        }
    found: dict[str, list[str]] = {}
    for word, sub in below.items():
        if not getattr(sub, "hidden", False):
            found |= commands(sub, f"{name} {word}")
    return found


def prose(text: str) -> str:
    """The text without blocks of code."""
    return _FENCE.sub("", text)


def headings(text: str) -> list[tuple[int, str]]:
    """Level and words of every heading, back-ticks left out."""
    return [(len(hashes), words.replace("`", "")) for hashes, words in _HEADING.findall(prose(text))]


def sections(text: str) -> dict[str, str]:
    """What stands below each heading, code included, up to the next heading of the same level or above."""
    fences = [match.span() for match in _FENCE.finditer(text)]
    marks = [
        match
        for match in _HEADING.finditer(text)
        if not any(start <= match.start() < end for start, end in fences)
    ]
    found: dict[str, str] = {}
    for index, mark in enumerate(marks):
        ends = (later.start() for later in marks[index + 1 :] if len(later[1]) <= len(mark[1]))
        found[mark[2].replace("`", "")] = text[mark.end() : next(ends, len(text))]
    return found


def undocumented(known: Mapping[str, list[str]], text: str) -> Iterator[str]:
    """Commands without a section and options that their section does not mention; and the other way round."""
    described = sections(text)
    for command, options in known.items():
        if command not in described:
            yield f"`{command}` has no section"
            continue
        for option in options:
            if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", described[command]):
                yield f"`{command}`: {option} is not mentioned"
        for option in re.findall(r"`(--[a-z][a-z0-9-]*)", prose(described[command])):
            if option not in {*options, "--help"}:
                yield f"`{command}`: there is no {option}"
    for words in described:
        if words.startswith("prism ") and not any(c == words or c.startswith(f"{words} ") for c in known):
            yield f"`{words}` is no command"


def anchors(text: str) -> set[str]:
    """The ids that headings get on GitHub."""
    return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for _, words in headings(text)}


def broken_links(file: Path, root: Path) -> Iterator[str]:
    """Relative links to files that do not exist, and to headings that do not."""
    text = re.sub(r"`[^`\n]*`", "", prose(file.read_text()))
    for match in _LINKS.finditer(text):
        link = next(filter(None, match.groups()))
        if _ELSEWHERE.match(link) or link.startswith("//"):
            continue
        path, _, anchor = link.partition("#")
        target = file if not path else root / path[1:] if path.startswith("/") else file.parent / path
        if not target.exists():
            yield f"{file.relative_to(root)}: {link} does not exist"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            yield f"{file.relative_to(root)}: {link}: there is no such heading"


def folders_of_layout(text: str) -> list[str]:
    """The folders that a layout table (or a layout block) names: `prism_core/` at the head of a row."""
    cells = re.findall(r"^\|([^|\n]*)\|", text, re.MULTILINE)
    rows = [name for cell in cells for name in re.findall(r"`([\w./-]+/)`", cell)]
    return rows + re.findall(r"^([\w.-]+/)(?: {2,}|$)", text, re.MULTILINE)


def changelog_problems(text: str) -> Iterator[str]:
    """Departures from Keep a Changelog 1.1.0."""
    found = headings(text)
    if not found or found[0] != (1, "Changelog"):
        yield "it does not begin with `# Changelog`"
    releases = [words for level, words in found if level == 2]
    if releases[:1] != ["[Unreleased]"]:
        yield "its first section is not `## [Unreleased]`"
    yield from (
        f"`## {words}` is no `[1.2.3] - 2026-01-31`" for words in releases[1:] if not _VERSION.fullmatch(words)
    )
    dates = [words.split(" - ")[1][:10] for words in releases[1:] if _VERSION.fullmatch(words)]
    if dates != sorted(dates, reverse=True):
        yield "its newest version does not come first"
    yield from (
        f"`### {words}` is none of {CHANGES}" for level, words in found if level == 3 and words not in CHANGES
    )


def decision_problems(files: Mapping[str, str]) -> Iterator[str]:
    """Decisions that are not numbered 0001, 0002, … or lack a part. `files` is text by name."""
    numbers = sorted(int(match[1]) for name in files if (match := _ADR_NAME.fullmatch(name)))
    yield from (f"{name} is not named 0001-like-this.md" for name in files if not _ADR_NAME.fullmatch(name))
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the numbers {numbers} are not 1 to {len(numbers)}"
    for name, text in sorted(files.items()):
        parts = [words for level, words in headings(text) if level == 2 and words in DECISION_PARTS]
        if tuple(parts) != DECISION_PARTS:
            yield f"{name} has {parts} instead of {list(DECISION_PARTS)}"
