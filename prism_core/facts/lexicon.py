"""The words of English prose that say a figure, a direction or an alarm without a digit.

Belongs here: word lists, and the patterns made of them. Does not belong here: what is done about them (gate.py).
A word that is missing lets a claim pass unchecked; one too many only costs a repair: lists
err to the long side.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    FLAT = "flat"


def _any(*lists: str) -> str:
    """One pattern of lists, each words or phrases behind commas; the longest first."""
    words = {" ".join(word.split()) for one in lists for word in one.split(",")}
    return "|".join(
        re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=lambda one: (-len(one), one))
    )


_COUNTED = """zero, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen,
    fourteen, fifteen, sixteen, seventeen, eighteen, nineteen, twenty, thirty, forty, fifty, sixty, seventy,
    eighty, ninety"""
_LARGE = "hundred, hundreds, thousand, thousands, million, millions, billion, billions, dozen, dozens"
_PARTS = """half, halves, halved, halving, a third, one third, thirds, a quarter of, quarters of, three
    quarters, a fifth, fifths, a tenth, tenths, percent, per cent, percentage, percentages, majority,
    minority"""
_TIMES = """twice, thrice, double, doubles, doubled, doubling, triple, triples, tripled, tripling,
    quadruple, quadrupled, quintupled, manifold"""
# "One" is not among them: it is a pronoun, too.
NUMBER_WORDS: Final = re.compile(rf"\b(?:{_any(_COUNTED, _LARGE, _PARTS, _TIMES)})\b|\b\w+-?fold\b", re.I)
# The window that every report has; anything else about time is a fact or a date.
WINDOW: Final = re.compile(r"\b(?:four|4)[-\s]weeks?\b", re.I)
# What a direction that does not last yet is told with.
ONE_WEEK: Final = re.compile(r"\b(?:this|that|one|a\s+single)\s+week\b|\bW\d{2}\b", re.I)
# "No leads came": a figure, which is nought.
NOTHING: Final = re.compile(
    r"\b(?:no|not any|not a single|without any|zero|none of the|hardly any|barely any)\s+(?:\w+\s+){0,2}?"
    r"(?:leads?|clicks?|impressions?|spend|spending|cost|costs|conversions?|views?|results?|campaigns?|data)\b",
    re.I,
)
_HEDGES = """minus, negative, nearly, almost, over, under, about, around, roughly, approximately, circa,
    more than, less than, fewer than, at least, at most, up to, below, above, beyond, exceeding, close to"""
# "Rose by 41" of a level, "rose to +4 %" of a change.
BEFORE_A_CHANGE: Final = re.compile(r"\bby\s+\Z", re.I)
BEFORE_A_LEVEL: Final = re.compile(r"\b(?:to|at|from|was|were|is|are)\s+\Z", re.I)
# What would change a figure that it stands beside. A sign of money is refused wherever it stands.
BEFORE_A_FIGURE: Final = re.compile(rf"(?:\b(?:{_any(_HEDGES)})\s+|[-+~<>=]\s*)\Z", re.I)
AFTER_A_FIGURE: Final = re.compile(
    r"\A\s*(?:%|percent|per\s+cent|percentage|points?\b|thousand|million|billion|hundred|dozen|k\b|m\b|bn\b|times\b|"
    r"x\b|fold\b|-fold)",
    re.I,
)

_UP = """rise, rises, rose, risen, rising, increase, increases, increased, increasing, grow, grows, grew,
    grown, growing, growth, higher, climb, climbs, climbed, climbing, gain, gains, gained, surge, surges,
    surged, surging, spike, spikes, spiked, jump, jumps, jumped, soar, soared, soaring, skyrocketed, uptick,
    upward, upwards, upturn, accelerated, accelerating, exceeded, exceeds, outpaced, expanded, expanding,
    went up, is up, are up, was up, were up, peaked, more leads, more clicks, more impressions, above,
    rebound, rebounded, recovered, recovering"""
_DOWN = """fall, falls, fell, fallen, falling, drop, drops, dropped, dropping, decline, declines, declined,
    declining, decrease, decreases, decreased, decreasing, lower, lowered, shrink, shrank, shrunk,
    shrinking, slump, slumped, plunge, plunged, plummeted, collapse, collapsed, dip, dips, dipped, downward,
    downwards, downturn, lost, losing, reduced, slowed, slowing, went down, is down, are down, was down,
    were down, fewer, less, below, deteriorated, deteriorating, weakened, weakening, worsened, worsening"""
_FLAT = """flat, stable, steady, unchanged, constant, level with, same as, no change, held, plateau,
    plateaued, consistent, in line"""
_ALARMS = """alert, alerts, alarm, alarms, alarming, alarmingly, critical, critically, crisis, urgent,
    urgently, emergency, severe, severely, dramatic, dramatically, drastic, drastically, catastrophic,
    collapse, collapsed, plunge, plunged, plummeted, skyrocketed, soared, surge, surged, spike, spiked,
    warning, danger, dangerous, worrying, worrisome, concerning, serious, unprecedented, record,
    immediately, sharp, sharply"""
DIRECTIONS: Final[Mapping[Direction, re.Pattern[str]]] = {
    Direction.UP: re.compile(rf"\b(?:{_any(_UP)})\b", re.I),
    Direction.DOWN: re.compile(rf"\b(?:{_any(_DOWN)})\b", re.I),
    Direction.FLAT: re.compile(rf"\b(?:{_any(_FLAT)})\b", re.I),
}
# What somebody is to do ("lower the bid"), unless it is told of something ("the bid is lower").
_ADVISED = """increase, grow, drop, lower, higher, less, fewer, above, below, flat, stable, steady, unchanged,
    constant, consistent, in line, same as, no change, level with"""
ADVISED: Final = re.compile(
    r"(?P<told>\b(?:is|are|was|were|be|been|has|have|had|stays?|stayed|remains?|remained|became|got)\s+(?:\w+\s+)?)?"
    rf"\b(?:{_any(_ADVISED)})\b",
    re.I,
)
ALARMS: Final = re.compile(rf"\b(?:{_any(_ALARMS)})\b", re.I)
# Metrics whose words hold those of another: a cost per lead speaks neither of leads nor of the spend.
COMPOUND: Final = ("cost_per_lead", "cost_per_click", "click_rate", "landing_page_views")
# By metric, the words of which one stands in a sentence with a figure of it.
METRIC_WORDS: Final[Mapping[str, re.Pattern[str]]] = {
    "spend": re.compile(r"\b(?:spend|spent|spending|cost|costs|budget|invested)\b", re.I),
    "leads": re.compile(r"\b(?:leads?|enquir(?:y|ies))\b", re.I),
    "cost_per_lead": re.compile(r"\b(?:cost\s+(?:per|of\s+a|for\s+each)\s+lead|costs?\s+a\s+lead|CPL)\b", re.I),
    "cost_per_click": re.compile(r"\b(?:cost\s+(?:per|of\s+a|for\s+each)\s+click|costs?\s+a\s+click|CPC)\b", re.I),
    "impressions": re.compile(r"\b(?:impressions?|shown|views?)\b", re.I),
    "clicks": re.compile(r"\b(?:clicks?|clicked)\b", re.I),
    "click_rate": re.compile(r"\b(?:click(?:-|\s)?(?:through)?(?:-|\s)?rate|CTR)\b", re.I),
    "landing_page_views": re.compile(r"\b(?:landing\s+page(?:\s+views?)?|page\s+views?)\b", re.I),
    "match_rate": re.compile(r"\b(?:match(?:ed|es|ing)?|attribut(?:ed|ion))\b", re.I),
}
