"""docs/third-party.md: what PRISM runs with that others wrote, and under which licences.

Belongs here: reading both locks, and the command that writes the page: `python -m infra.third_party`. A test fails
when the page says anything else. Does not belong here: tools of development, which are not handed on.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "docs" / "third-party.md"
OURS: Final = "prism-platform"
# What nobody needs to run it: tools of development, and Node, which builds the screens.
NOT_HANDED_ON: Final = frozenset({"dev", "web"})
UNKNOWN: Final = "see its page"
_NAMED: Final = 80
_CLASSIFIER: Final = "License :: OSI Approved :: "
_HEAD = """\
# Third-party notices

What PRISM runs with and hands on, with the licence that each package states about itself. Written by
`python -m infra.third_party` from `uv.lock` and `web/package-lock.json`; a test compares. The texts come with
the packages (`*.dist-info/licenses`, `node_modules/*/LICENSE`). As CycloneDX documents with hashes: `make sbom`.

PRISM itself is under the [Apache License 2.0](../LICENSE). None of the packages below asks for more than to keep
its notice, except those marked with a star: they are used unchanged as libraries, and their sources are where
their pages say.
"""
_COPYLEFT = re.compile(r"\b(?:A|L)?GPL|MPL|EPL|CDDL", re.IGNORECASE)


def document() -> str:
    """The whole text."""
    python = "\n".join(f"| {name} | {version} | {licence} |" for name, version, licence in python_packages())
    web = "\n".join(f"| {name} | {version} | {licence} |" for name, version, licence in web_packages())
    head = "| package | version | licence |\n|---|---|---|\n"
    return f"{_HEAD}\n## Python\n\n{head}{python}\n\n## The screens\n\n{head}{web}\n"


def python_packages() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of all that the project and its groups ask for, however deep, in order."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages: dict[str, list[dict[str, Any]]] = {}
    for one in lock["package"]:
        packages.setdefault(one["name"], []).append(one)
    (ours,) = packages[OURS]
    groups = ours.get("dev-dependencies", {})
    asked = [*ours["dependencies"], *(one for name in groups if name not in NOT_HANDED_ON for one in groups[name])]
    seen: set[str] = set()
    while asked:
        name = asked.pop()["name"]
        if name not in seen:
            seen.add(name)
            for one in packages[name]:
                asked += one.get("dependencies", [])
                asked += [item for extra in one.get("optional-dependencies", {}).values() for item in extra]
    for name in sorted(seen):
        for version in sorted({one["version"] for one in packages[name]}):
            licence = _licence(name)
            if licence is not None:
                yield name, version, _marked(licence)


def _licence(name: str) -> str | None:
    """What the installed package says; None for one that this system does not need (an extra, another OS)."""
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    said = _field(found, "License-Expression")
    classified = [line.removeprefix(_CLASSIFIER) for line in found.get_all("Classifier") or ()]
    named = [line for line in classified if not line.startswith("License ::") and "License" in line]
    text = said or "; ".join(named) or _field(found, "License").partition("\n")[0]
    return text if text and len(text) < _NAMED else UNKNOWN


def _field(found: metadata.PackageMetadata, name: str) -> str:
    return found[name].strip() if name in found else ""


def web_packages() -> Iterator[tuple[str, str, str]]:
    """The same of what the built screens hold."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    found = {
        (path.rpartition("node_modules/")[2], one["version"], _marked(str(one.get("license", UNKNOWN))))
        for path, one in lock["packages"].items()
        if path and not one.get("dev") and not one.get("devOptional")
    }
    yield from sorted(found)


def _marked(licence: str) -> str:
    return f"{licence} *" if _COPYLEFT.search(licence) else licence


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
