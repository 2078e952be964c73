"""Our own modules in a function.

Belongs here: which packages of the house a function holds. Does not belong here: libraries (libraries.py).
"""

from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# The API and the layers below it; tests/architecture/layers.py keeps anything else out of their imports.
PACKAGES = ("prism_api", "prism_core", "prism_resources")


def own_files() -> Iterator[tuple[str, Path]]:
    """Every module, by its path in the zip."""
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            yield path.relative_to(REPOSITORY).as_posix(), path
