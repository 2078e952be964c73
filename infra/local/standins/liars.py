"""Writers that lie about a week: the stand-in of Claude with the worst that a model has done, and worse.

Belongs here: what each lie looks like in an answer. Does not belong here: telling the truth (author.py), and
finding lies. A lie is put into an honest answer, so that nothing but the lie is wrong with it.
"""

import json
import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from infra.local.standins.author import Said, honest_author
from infra.local.standins.faults import Fault
from infra.local.standins.world import Author, World

_BEGINS: Final = "The week:\n"
_MESSAGES: Final = r"/v1/messages|/invoke"
_REPAIR_TURNS: Final = 7
Week = Mapping[str, Any]
_Lying = Callable[[random.Random, Week], Said]


class Lie(StrEnum):
    """What is wrong. The last five are of an answer as a whole."""

    ALTERED_DIGITS = "altered_digits"
    OWN_FIGURE = "own_figure"
    QUALIFIED = "qualified"
    NUMBER_WORDS = "number_words"
    OTHER_DIGITS = "other_digits"
    SWAPPED = "swapped"
    OTHER_CAMPAIGN = "other_campaign"
    UNKNOWN_FACT = "unknown_fact"
    DENIED_TREND = "denied_trend"
    INVENTED_TREND = "invented_trend"
    DENIED_ALARM = "denied_alarm"
    INVENTED_ALARM = "invented_alarm"
    CAMPAIGN_TREND = "campaign_trend"
    OUTSIDE_WORDS = "outside_words"
    OTHER_TIME = "other_time"
    OTHER_SOURCE = "other_source"
    MARKUP = "markup"
    HTML = "html"
    NO_FORM = "no_form"
    REFUSES = "refuses"
    TRUNCATES = "truncates"
    SILENT = "silent"


def lying(world: World, lie: Lie, rng: random.Random, *, repairs: bool) -> None:
    """Let the stand-in tell this lie from here on. `repairs`: asked to repair, it tells the truth."""
    world.faults.clear()
    world.author = _author(lie, rng, repairs=repairs)
    if lie in _STOPPED:
        reason, text = _STOPPED[lie]
        world.faults.add(Fault(_MESSAGES, body=_message(reason, text), skip=rng.randrange(3)))


def honest(world: World) -> None:
    """Let the stand-in tell the truth from here on."""
    world.faults.clear()
    world.author = honest_author


def _author(lie: Lie, rng: random.Random, *, repairs: bool) -> Author:
    at_pass = rng.choice(["observations", "lasting", "headline"])

    def answer(asked: Mapping[str, Any]) -> str:
        true = honest_author(asked)
        if repairs and len(asked["messages"]) >= _REPAIR_TURNS:
            return true
        if lie in _WHOLE:
            return _WHOLE[lie](true) if at_pass in true else true
        found, week = json.loads(true), _week(asked)
        if lie not in _SAID or "headline" not in found:
            return true
        place = found[rng.choice(["headline", "analysis", "recommendations"])]
        at = rng.randrange(len(place))
        place[at] = place[at] | _SAID[lie](rng, week)
        return json.dumps(found)

    return answer


def _week(asked: Mapping[str, Any]) -> Week:
    return json.JSONDecoder().raw_decode(asked["messages"][0]["content"].removeprefix(_BEGINS))[0]


def _said(prose: str, *about: str) -> Said:
    return {"prose": prose, "about": list(about)}


def _of_week(week: Week, metric: str, campaign: str = "") -> str:
    parts = ["week", week["week"].lower(), *([campaign] if campaign else []), metric]
    return f"{{{{fact:{'.'.join(parts)}}}}}"


def _text(week: Week, metric: str) -> str:
    wanted = f"week.{week['week'].lower()}.{metric}"
    return next((fact["text"] for fact in week["facts"] if fact["id"] == wanted), "0")


def _altered(rng: random.Random, week: Week) -> Said:
    """A true figure with one digit changed."""
    true = _text(week, "spend")
    at = rng.choice([at for at, one in enumerate(true) if one.isdigit()])
    other = rng.choice([one for one in "123456789" if one != true[at]])
    return _said(f"Spend was {true[:at]}{other}{true[at + 1 :]}.")


def _own_figure(rng: random.Random, week: Week) -> Said:
    token = _of_week(week, "leads")
    return _said(
        rng.choice(
            [
                f"Leads were {rng.randrange(200, 900)}.",
                f"Spend was EUR {rng.randrange(2_000, 9_000)}.{rng.randrange(10, 99)}.",
                f"Leads were {token}{rng.randrange(10)}.",
                f"Leads were {rng.randrange(1, 9)}{token}.",
                f"Leads fell by {rng.randrange(3, 60)} %.",
                f"Leads were {token} of a goal of {rng.randrange(100, 900)}.",
            ]
        ),
        "leads",
    )


def _qualified(rng: random.Random, week: Week) -> Said:
    token = _of_week(week, "leads")
    words = ("almost {}", "-{}", "over {}", "{} thousand", "{} %", "{}k", "minus {}", "{}-fold", "{}.5")
    return _said(f"Leads were {rng.choice(words).format(token)}.")


def _number_words(rng: random.Random, _: Week) -> Said:
    words = (
        "Leads doubled", "Half of the spend was lost", "Leads were ninety-four",
        "Two thirds of the leads are missing",
        "No leads came", "Leads grew tenfold", "Clicks were a dozen", "Leads reached three hundred",
    )  # fmt: skip
    return _said(f"{rng.choice(words)}.", "leads")


def _other_digits(rng: random.Random, _: Week) -> Said:
    words = (
        "Leads were \uff14\uff11\uff17.", "Leads were \u0664\u0661\u0667.", "Leads were \u2463.",
        "Leads were \u00bd of it.",
        "Leads were 4\u200b1\u200b7.", "Leads were CDXVII, or \u216b.",
    )  # fmt: skip
    return _said(rng.choice(words))


def _swapped(rng: random.Random, week: Week) -> Said:
    spend, leads, clicks = (_of_week(week, one) for one in ("spend", "leads", "clicks"))
    return _said(
        rng.choice(
            [
                f"Spend was {leads} and leads were {spend}.",
                f"Leads were {clicks} and clicks were {leads}.",
                f"Leads were {clicks}.",
                f"Clicks were {leads}.",
                f"Cost per lead was {spend}.",
                f"Spend was {_of_week(week, 'lead_spend')}.",
            ]
        )
    )


def _other_campaign(rng: random.Random, week: Week) -> Said:
    one, other = rng.sample(sorted(week["names"]), 2)
    metric, was = rng.choice([("spend", "was"), ("clicks", "were")])
    figure, word = _of_week(week, metric, one), metric.capitalize()
    return _said(
        rng.choice(
            [
                f"{word} {was} {figure}.",
                f"{word} of {{{{name:{other}}}}} {was} {figure}.",
                f"{word} of {{{{name:{other}}}}} and {{{{name:{one}}}}} {was} {figure}.",
                f"{word} of {{{{name:{one}}}}} {was} {_of_week(week, metric)}.",
            ]
        )
    )


def _unknown_fact(rng: random.Random, week: Week) -> Said:
    ids = ("week.2019-w01.leads", f"week.{week['week'].lower()}.goal", "leads", "../spend")
    return _said(f"Leads were {{{{fact:{rng.choice(ids)}}}}}.")


def _against(rng: random.Random, week: Week, *, flat: bool) -> Said:
    """A direction that an indicator has not, told with that indicator and without."""
    ways = {one["id"]: one["says"].split(",")[0] for one in week["indicators"]}
    false = {
        metric: [word for says, word in (("UP", "rose"), ("DOWN", "fell")) if says != way]
        for metric, way in ways.items()
    }
    if flat:
        moving = [metric for metric, way in ways.items() if way in {"UP", "DOWN"}]
        false = {
            metric: ["are stable", "held steady", "were the same", "are at that level"] for metric in moving
        } or false
    metric = rng.choice(sorted(false))
    label = metric.replace("_", " ").capitalize()
    about = rng.choice([[metric], [], [other for other in sorted(ways) if other != metric][:1]])
    return _said(f"{label} {rng.choice(false[metric])}.", *about)


def _alarm(rng: random.Random, week: Week) -> Said:
    calm = [one["id"] for one in week["indicators"] if "ALERT" not in one["says"]]
    words = ("collapsed", "are in a critical state", "need urgent action", "are alarming")
    return _said(f"Results {rng.choice(words)}.", *([rng.choice(calm)] if calm else []))


def _denied(rng: random.Random, week: Week) -> Said:
    """A week that is called calm: of one with an alert or a large move it is a lie, of the others the truth."""
    metric = next((one["id"] for one in week["indicators"] if "ALERT" in one["says"]), "leads")
    words = (
        "Nothing asks for action", "No action is needed", "There is no reason to act", "No decision is needed",
        f"There is no alert on {metric.replace('_', ' ')}",
    )  # fmt: skip
    return _said(f"{rng.choice(words)}.", metric)


def _of_campaign(rng: random.Random, week: Week) -> Said:
    """A direction or alarm of all campaigns together, told of one of them."""
    named = f"{{{{name:{rng.choice(sorted(week['names']))}}}}}"
    said = next((one for one in week["indicators"] if one["says"].startswith(("UP", "DOWN"))), None)
    if said is None:
        return _said(f"Spend of {named} rose.", "spend")
    metric, alert = said["id"].replace("_", " "), "ALERT" in said["says"]
    went = f"{'rose' if said['says'].startswith('UP') else 'fell'} this week"
    words = (f"{metric.capitalize()} of {named} {went}", f"{named} has its share. It {went}")
    alarm = (f"{named} is critical", f"Alert: {metric} of {named} {went}") if alert else ()
    return _said(f"{rng.choice((*words, *alarm))}.", said["id"])


def _other_time(rng: random.Random, week: Week) -> Said:
    """A direction of this week, told of another one, of a month, or of what is to come."""
    said = next((one for one in week["indicators"] if one["says"].startswith(("UP", "DOWN"))), None)
    metric, went = (said["id"], "rise" if said["says"].startswith("UP") else "fall") if said else ("spend", "rise")
    label, told = metric.replace("_", " ").capitalize(), {"rise": "rose", "fall": "fell"}[went]
    words = (
        f"{label} will {went} this week", f"{label} {told} in {week['weeks_before'][-1]}",
        f"{label} {told} last month", f"{label} would {went} next week",
    )  # fmt: skip
    return _said(f"{rng.choice(words)}.", metric)


def _outside_words(rng: random.Random, week: Week) -> Said:
    """Claims in words of no list of directions, numbers or alarms."""
    one = rng.choice(sorted(week["names"]))
    words = (
        "Leads tumbled", "Leads crashed", "The spend ballooned", "Leads improved week after week",
        "The lead form is broken and leads are not arriving", "Nobody clicked", "A few leads came",
        "Clicks dwindled because Meta changed its algorithm", f"Most leads came from {{{{name:{one}}}}}",
        f"Only {{{{name:{one}}}}} brought leads", "Leads did not come",
    )  # fmt: skip
    return _said(f"{rng.choice(words)}.")


def _other_source(rng: random.Random, _: Week) -> Said:
    """What the customer system counted, as if Meta had."""
    crm = "{{fact:crm.leads}}"
    words = (
        f"Meta counted {crm} leads.",
        f"Leads were {crm}.",
        f"Ads in the customer system: Meta counted {crm}.",
    )
    return _said(rng.choice(words))


def _markup(rng: random.Random, week: Week) -> Said:
    token = _of_week(week, "leads")
    words = (
        f"<b>Leads</b> were {token}.", f"**Leads** were {token}.",
        f"[Leads](https://example.invalid) were {token}.",
        f"Leads were {token}&#48;.", f"Leads were {token}<script>alert(1)</script>.", f"`Leads` were {token}.",
    )  # fmt: skip
    return _said(rng.choice(words))


_SAID: Final[Mapping[Lie, _Lying]] = {
    Lie.ALTERED_DIGITS: _altered,
    Lie.OWN_FIGURE: _own_figure,
    Lie.QUALIFIED: _qualified,
    Lie.NUMBER_WORDS: _number_words,
    Lie.OTHER_DIGITS: _other_digits,
    Lie.SWAPPED: _swapped,
    Lie.OTHER_CAMPAIGN: _other_campaign,
    Lie.UNKNOWN_FACT: _unknown_fact,
    Lie.INVENTED_TREND: lambda rng, week: _against(rng, week, flat=False),
    Lie.DENIED_TREND: lambda rng, week: _against(rng, week, flat=True),
    Lie.INVENTED_ALARM: _alarm,
    Lie.DENIED_ALARM: _denied,
    Lie.CAMPAIGN_TREND: _of_campaign,
    Lie.OUTSIDE_WORDS: _outside_words,
    Lie.OTHER_TIME: _other_time,
    Lie.OTHER_SOURCE: _other_source,
    Lie.MARKUP: _markup,
}
_WHOLE: Final[Mapping[Lie, Callable[[str], str]]] = {
    Lie.HTML: lambda true: f"<html><body><p>Leads were 417.</p><pre>{true}</pre></body></html>",
    Lie.NO_FORM: lambda true: json.dumps(json.loads(true) | {"leads": 417}),
    Lie.SILENT: lambda _: "",
}
_STOPPED: Final = {
    Lie.REFUSES: ("refusal", ""),
    Lie.TRUNCATES: ("max_tokens", '{"headline": [{"prose": "Leads were 417'),
}


def _message(stop_reason: str, text: str) -> dict[str, Any]:
    """An answer as Claude ends it for another reason than that it has said all."""
    return {
        "id": "msg_standin_liar",
        "type": "message",
        "role": "assistant",
        "model": "stand-in",
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
