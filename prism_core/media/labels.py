"""From the analyser's answers to what decisions need of them.

Belongs here: reading the answers of Rekognition's wire, and a proposal for an alternative text. Does not belong
here: asking, and what a finding means (gate.py). Nothing is concluded that the answers do not say.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from prism_core.models.images import MAX_ALT_CHARACTERS, Analysis, Finding

_LABELS_KEPT, _LINES_KEPT, _COLOURS_KEPT = 30, 20, 5
_SURE: Final = Decimal(80)
_LABELS_SAID: Final = 4
_QUANTUM: Final = Decimal("0.0001")
LABELS, MODERATION, TEXT = "labels", "moderation", "text"


def read_answers(
    answers: Mapping[str, Mapping[str, Any]], *, object_version: str, raw_key: str, at: datetime
) -> Analysis:
    """What `labels`, `moderation` and `text` answered about one version. Raises KeyError, TypeError."""
    labels, moderation, text = answers[LABELS], answers[MODERATION], answers[TEXT]
    quality = labels.get("ImageProperties", {}).get("Quality", {})
    found = [one for one in text["TextDetections"] if one["Type"] == "LINE"]
    # Reading a pattern as a letter is what such models do when they are not sure.
    lines = [one["DetectedText"] for one in found if _sure(one["Confidence"]) >= _SURE]
    return Analysis(
        object_version=object_version,
        at=at,
        label_model=labels["LabelModelVersion"],
        moderation_model=moderation["ModerationModelVersion"],
        text_model=text["TextModelVersion"],
        raw_key=raw_key,
        labels=tuple(_labels(labels["Labels"]))[:_LABELS_KEPT],
        moderation=tuple(_moderation(moderation["ModerationLabels"])),
        text=tuple(line[:500] for line in lines[:_LINES_KEPT]),
        colours=tuple(_colours(labels)),
        brightness=_percent(quality.get("Brightness")),
        sharpness=_percent(quality.get("Sharpness")),
    )


def _labels(found: Iterable[Mapping[str, Any]]) -> list[Finding]:
    read = [
        Finding(name=one["Name"], category=_first_category(one), confidence=_sure(one["Confidence"]))
        for one in found
    ]
    return sorted(read, key=lambda one: (-one.confidence, one.name))


def _first_category(label: Mapping[str, Any]) -> str:
    categories: list[Mapping[str, str]] = label.get("Categories") or [{"Name": label["Name"]}]
    return categories[0]["Name"]


def _moderation(found: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Every label of every level, with the top of its branch: the answer names all of them."""
    labels = list(found)
    parents = {one["Name"]: one.get("ParentName") or "" for one in labels}
    read = [
        Finding(name=one["Name"], category=_top(one["Name"], parents), confidence=_sure(one["Confidence"]))
        for one in labels
    ]
    return sorted(read, key=lambda one: (-one.confidence, one.name))


def _top(name: str, parents: Mapping[str, str]) -> str:
    seen = {name}
    while (parent := parents.get(name, "")) and parent not in seen:
        name = parent
        seen.add(name)
    return name


def _colours(labels: Mapping[str, Any]) -> list[str]:
    found: list[Mapping[str, Any]] = labels.get("ImageProperties", {}).get("DominantColors", [])
    most = sorted(found, key=lambda one: -float(one.get("PixelPercent", 0)))
    return [str(one["HexCode"]).lower() for one in most[:_COLOURS_KEPT]]


def _percent(value: float | None) -> Decimal | None:
    return None if value is None else _sure(value)


def _sure(value: float) -> Decimal:
    number = Decimal(repr(float(value))).quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
    return min(max(number, Decimal(0)), Decimal(100))


def suggested_alt(analysis: Analysis) -> str | None:
    """A proposal from what the analyser is sure of; None when it is sure of nothing. A person confirms or
    rewrites."""
    names = list(dict.fromkeys(one.name.lower() for one in analysis.labels if one.confidence >= _SURE))
    parts = [f"Picture with {_listed(names[:_LABELS_SAID])}"] if names else []
    if analysis.text:
        written = " ".join(analysis.text)
        parts.append(f"with the words “{written}”" if parts else f"The words “{written}”")
    said = ", ".join(parts)
    return None if not said else said if len(said) <= MAX_ALT_CHARACTERS else f"{said[: MAX_ALT_CHARACTERS - 1]}…"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
