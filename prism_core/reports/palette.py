"""The colours of a report, by light and by dark.

Belongs here: colours, and what each is for. Does not belong here: where they stand (pictures.py, resources).
Text keeps a contrast of 4.5 to what is behind it, marks one of 3, in both; a word stands beside every colour.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Palette:
    """Text is ink, muted, good, bad or warn, on page or panel; marks are accent, quiet or of a series."""

    name: str
    page: str
    panel: str
    rule: str
    ink: str
    muted: str
    good: str
    bad: str
    warn: str
    # What is told of, and what stands beside it for comparison.
    accent: str
    quiet: str
    series: tuple[str, ...]


LIGHT: Final = Palette(
    name="light",
    page="#ffffff",
    panel="#f4f6f8",
    rule="#d5dbdb",
    ink="#16191f",
    muted="#545b64",
    good="#1d7f3f",
    bad="#b3261e",
    warn="#8a5a00",
    accent="#2074d5",
    quiet="#8493a5",
    series=("#2074d5", "#8a5a00", "#067f68"),
)
DARK: Final = Palette(
    name="dark",
    page="#16191f",
    panel="#232a33",
    rule="#3c4652",
    ink="#eceff2",
    muted="#b0bac5",
    good="#7bd597",
    bad="#ff9d94",
    warn="#f0c36a",
    accent="#6db3ff",
    quiet="#73859b",
    series=("#6db3ff", "#f0c36a", "#5fd0b5"),
)
PALETTES: Final = (LIGHT, DARK)
# A word on its own colour, such as ALERT: the same in light and in dark.
ON_COLOUR: Final = "#ffffff"
ALERT: Final = LIGHT.bad
NOTICE: Final = LIGHT.warn
