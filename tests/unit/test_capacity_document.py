"""docs/capacity.md tells the weights as they are."""

import re
from dataclasses import fields
from pathlib import Path

from prism_core.capacity.problem import UNITS, Weights

DOCUMENT = Path(__file__).parents[2] / "docs" / "capacity.md"


def test_every_weight_is_told_with_its_default_and_unit() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d, ]+) \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    values = {one.name: getattr(Weights(), one.name) for one in fields(Weights)}
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
    }

    assert [(name, default, unit) for name, default, unit in rows] == [
        (name, shown[name], UNITS[name]) for name in shown
    ]
