"""A writer without imagination: it tells of a week's report what the facts and indicators say, in tokens.

Belongs here: answers of the agreed forms (prism_core/reports/answers.py) to the questions of a report. Does not
belong here: the wire (claude.py). What it is not asked for a report it answers with the smallest text there is.
It reads the question as a model does, and knows nothing else: its sentences pass the gate or they do not.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.local.standins.claude import smallest_answer

_BEGINS: Final = "The week:\n"
_WENT: Final = {"UP": "rose", "DOWN": "fell"}
_PLURAL: Final = frozenset({"leads", "clicks", "impressions", "landing_page_views"})
_ADVICE: Final = {
    "Marketing": "Keep the campaigns as they are.",
    "Digital and Development": "Keep tracking and forms as they are.",
    "Leadership": "Nothing is to be decided this week.",
}

Said = dict[str, Any]


def honest_author(asked: Mapping[str, Any]) -> str:
    """An Author (world.py) of reports."""
    wanted = asked.get("output_config", {}).get("format", {}).get("schema", {}).get("properties", {})
    first = asked["messages"][0]["content"]
    if not isinstance(first, str) or not first.startswith(_BEGINS):
        return smallest_answer(asked)
    week: Any = json.JSONDecoder().raw_decode(first.removeprefix(_BEGINS))[0]
    if "observations" in wanted:
        return json.dumps({"observations": list(_levels(week))})
    if "lasting" in wanted:
        return json.dumps({"lasting": list(_moving(week))[:6], "noise": []})
    if "headline" in wanted:
        advice = [{**_said(prose), "department": who} for who, prose in _ADVICE.items()]
        analysis = [*_moving(week), *_stable(week)][:6] or [_said("This week is too small to be judged.")]
        return json.dumps({"headline": list(_levels(week))[:3], "analysis": analysis, "recommendations": advice})
    return smallest_answer(asked)


def _levels(week: Mapping[str, Any]) -> Iterator[Said]:
    known = {fact["id"] for fact in week["facts"]}
    for metric in ("spend", "leads", "cost_per_lead"):
        fact_id = f"week.{week['week'].lower()}.{metric}"
        if fact_id in known:
            yield _said(f"{_label(metric)} {_was(metric)} {{{{fact:{fact_id}}}}}.")
    if not known:
        yield _said("There is nothing to tell.")


def _moving(week: Mapping[str, Any]) -> Iterator[Said]:
    known = {fact["id"] for fact in week["facts"]}
    for one in week["indicators"]:
        (way, _, status), change = one["says"].partition(", "), f"change.{week['week'].lower()}.{one['id']}"
        when = " this week" if status == "ONE WEEK" else ""
        if way in _WENT and change in known:
            yield _said(f"{_label(one['id'])} {_WENT[way]}{when} by {{{{fact:{change}}}}}.", one["id"])


def _stable(week: Mapping[str, Any]) -> Iterator[Said]:
    for one in week["indicators"]:
        if one["says"].startswith("FLAT"):
            yield _said(f"{_label(one['id'])} {'are' if one['id'] in _PLURAL else 'is'} stable.", one["id"])


def _said(prose: str, *about: str) -> Said:
    return {"prose": prose, "about": list(about)}


def _label(metric: str) -> str:
    return metric.replace("_", " ").capitalize()


def _was(metric: str) -> str:
    return "were" if metric in _PLURAL else "was"
