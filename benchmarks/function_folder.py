"""The libraries of a function in a folder of their own, as its package holds them.

Belongs here: copying what `prism package` would install (the main group, stripped) from this environment, with
peers beside it: a developer's environment has eight times as many packages and four hundred services of AWS, which
are searched at a start. Does not belong here: wheels of another Python (infra/packaging).
"""

import shutil
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from infra.packaging.libraries import strip

OURS = "prism-platform"


def copy_libraries(folder: Path, peers: Iterable[str] = ()) -> int:
    """Fill the folder; answers how many distributions it holds."""
    found: set[str] = set()
    waiting = [OURS, *peers]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _required(name)
    for name in found - {OURS}:
        _copy(name, folder)
    strip(folder)
    return len(found) - 1


def _required(name: str) -> list[str]:
    wanted = [Requirement(text) for text in distribution(name).requires or ()]
    return [
        one.name.lower().replace("_", "-")
        for one in wanted
        if one.marker is None or one.marker.evaluate({"extra": ""})
    ]


def _copy(name: str, folder: Path) -> None:
    for file in distribution(name).files or ():
        if file.parts[0] != ".." and "__pycache__" not in file.parts:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(str(file.locate())), target)
