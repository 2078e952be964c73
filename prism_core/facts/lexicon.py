"""The words of English prose that say a figure, a direction or an alarm without a digit.

Belongs here: word lists, and the patterns made of them. Does not belong here: what is done about them (gate.py).
What nobody listed is refused where something is claimed (`unknown`): of directions and alarms a word too many only
costs a repair, of plain words one too many lets a claim pass.
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
WINDOW: Final = re.compile(r"\b(?:(?:last|past|previous)\s+)?(?:four|4)[-\s]weeks?\b", re.I)
# A direction is that of this week against its window: of no other time, and of none to come.
OTHER_TIMES: Final = re.compile(
    r"\b(?:next|last|previous|earlier|later|past|months?|quarters?|years?|days?|yesterday|today|tomorrow|Monday|"
    r"Sunday|soon|will|would|may|can|could|should|might)\b|\b(?:week|day)\s+(?:before|after)\b",
    re.I,
)
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
    plateaued, consistent, in line, at that level, at this level, at its level, at their level, that level,
    as before, around the same, same level"""
_ALARMS = """alert, alerts, alarm, alarms, alarming, alarmingly, critical, critically, crisis, urgent,
    urgently, emergency, severe, severely, dramatic, dramatically, drastic, drastically, catastrophic,
    collapse, collapsed, plunge, plunged, plummeted, skyrocketed, soared, surge, surged, spike, spiked,
    warning, danger, dangerous, worrying, worrisome, concerning, serious, unprecedented, record,
    immediately, sharp, sharply"""
DIRECTIONS: Final[Mapping[Direction, re.Pattern[str]]] = {
    Direction.UP: re.compile(rf"\b(?:{_any(_UP)})\b", re.I),
    Direction.DOWN: re.compile(rf"\b(?:{_any(_DOWN)})\b", re.I),
    # "At the same time" is no level.
    Direction.FLAT: re.compile(
        rf"\b(?:{_any(_FLAT)}|the\s+same(?!\s+(?:time|age|weeks?|days?|campaigns?|ads?|account)\b))\b", re.I
    ),
}
# What somebody is to do ("lower the bid"), unless it is told of something ("the bid is lower").
_ADVISED = """increase, grow, drop, lower, higher, less, fewer, above, below, flat, stable, steady, unchanged,
    constant, consistent, in line, same as, no change, level with, at that level, at this level, at its level,
    at their level, the same"""
ADVISED: Final = re.compile(
    r"(?P<told>\b(?:is|are|was|were|be|been|has|have|had|stays?|stayed|remains?|remained|became|got)\s+(?:\w+\s+)?)?"
    rf"\b(?:{_any(_ADVISED)})\b",
    re.I,
)
ALARMS: Final = re.compile(rf"\b(?:{_any(_ALARMS)})\b", re.I)
# Metrics whose words hold those of another: a cost per lead speaks neither of leads nor of the spend.
# Those of OWN are of figures that stand for nothing else; beside them the words of KIN may stand.
OWN: Final = (
    "rest_spend",
    "rest_leads",
    "rest_campaigns",
    "missing_spend",
    "missing_leads",
    "missing_excess",
    "missing_contacts",
    "missing_days",
    "missing_rows",
    "crm_others",
    "crm_only",
    "meta_only",
    "crm_leads",
    "beyond",
    "matched",
    "match_rate",
    "lead_spend",
    "lead_leads",
)
KIN: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("crm_only", "meta_only", "crm_leads", "beyond", "matched", "match_rate"), frozenset({"leads"})
    ),
}
COMPOUND: Final = (*OWN, "cost_per_lead", "cost_per_click", "click_rate", "landing_page_views")
BY_META: Final = re.compile(r"\bMeta\b", re.I)
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
    "crm_others": re.compile(
        r"\b(?:new\s+)?contacts\s+beside\s+the\s+leads(?:,?\s+by\s+their\s+(?:life\s+cycle\s+stage|source))?\b",
        re.I,
    ),
    "crm_only": re.compile(
        r"\b(?:not\s+matched,\s+)?(?:leads\s+of\s+)?(?:the\s+)?(?:customer\s+system|CRM)\s+alone\b", re.I
    ),
    "meta_only": re.compile(r"\b(?:not\s+matched,\s+)?(?:leads\s+that\s+)?Meta\s+alone(?:\s+counted)?\b", re.I),
    "crm_leads": re.compile(
        r"\b(?:leads\s+(?:\w+\s+)?(?:in|of|by|from)\s+)?(?:the\s+)?(?:customer\s+system|CRM|HubSpot)\b", re.I
    ),
    "beyond": re.compile(r"\bleads\s+matched\s+by\s+id\s+that\s+Meta\s+did\s+not\s+count\b", re.I),
    "matched": re.compile(
        r"\b(?:leads\s+(?:that\s+)?(?:were\s+|are\s+)?matched(?:\s+by\s+id)?|matched\s+(?:leads|by\s+id))\b", re.I
    ),
    "match_rate": re.compile(r"\b(?:match\s+rate|share\s+of\s+(?:the\s+)?matched\s+leads)\b", re.I),
    "lead_spend": re.compile(r"\b(?:spend|spent|spending)\s+(?:of|on|in)\s+campaigns\s+for\s+leads\b", re.I),
    "lead_leads": re.compile(r"\bleads\s+of\s+campaigns\s+for\s+leads\b", re.I),
    "rest_spend": re.compile(r"\bspend\s+of\s+further\s+campaigns\b", re.I),
    "rest_leads": re.compile(r"\bleads\s+of\s+further\s+campaigns\b", re.I),
    "rest_campaigns": re.compile(r"\bfurther\s+campaigns(?:\s+with\s+a\s+smaller\s+spend)?\b", re.I),
    "missing_spend": re.compile(
        r"\bspend\s+of\s+the\s+account\s+that\s+is\s+in\s+no\s+row(?:\s+of\s+ads)?\b", re.I
    ),
    "missing_leads": re.compile(
        r"\bleads\s+of\s+the\s+account\s+that\s+are\s+in\s+no\s+row(?:\s+of\s+ads)?\b", re.I
    ),
    "missing_excess": re.compile(
        r"\bspend\s+of\s+rows\s+(?:of\s+ads\s+that\s+the\s+account's\s+own\s+total\s+does\s+not\s+have|"
        r"beyond\s+the\s+account's)",
        re.I,
    ),
    "missing_contacts": re.compile(
        r"\bcontacts\s+(?:of\s+the\s+customer\s+system\s+)?that\s+(?:were\s+refused|"
        r"the\s+customer\s+system\s+(?:counts\s+and\s+)?did\s+not\s+send)\b",
        re.I,
    ),
    "missing_days": re.compile(
        r"\b(?:days(?:\s+of\s+(?:this|the)\s+week)?(?:\s+that)?\s+(?:were|are)\s+(?:not\s+read|missing)|"
        r"(?:unread|missing)\s+days)\b",
        re.I,
    ),
    "missing_rows": re.compile(
        r"\b(?:rows\s+of\s+ads\s+(?:that\s+)?were\s+refused|refused\s+rows(?:\s+of\s+ads)?)\b", re.I
    ),
}
# Words without a claim of their own. What tells a quantity, a cause or a judgement is none of them.
_PLAIN = """a, an, the, this, that, these, those, it, its, they, them, their, there, here, which, what, who,
    and, or, but, while, whereas, with, of, in, on, at, by, for, from, to, into, between, beside, besides,
    against, during, until, within, per, as, so, than, over, also, too, still, yet, now, again, both, is,
    are, was, were, be, been, being, has, have, had, do, does, did, can, one week,
    one more week, own, first, earlier, later, past, before, one, week, weeks,
    weekly, day, days, report, figure, figures, number, numbers, campaign, campaigns, ad, ads, set,
    sets, account, metric, metrics, indicator, indicators, trend, trends, noise, direction, directions,
    level, levels, mean, average, window, total, totals, change, changes, comparison, value, values, result,
    results, period, share, rate, currencies, currency, customer, system, data, performance, Meta,
    Marketing, Digital, Development, Leadership, came, come, comes, coming, brought, bring, brings,
    bringing, count, counts, counted, delivered, delivers, generated, recorded, received, ran, run, runs,
    stands, stood, stand, show, shows, showed, shown, say, says, said, tell, tells, told, remain, remains,
    remained, stay, stays, stayed, reached, reaches, amounted, totalled, totaled, ended, ends, end, began,
    begins, lasting, lasts, lasted, moved, move, moves, moving, compared, compare, compares, judged, judge,
    known, unknown, read, seen, see, look, looks, points, confirm, confirmed, continue, continued,
    continues, matched, together, yesterday, today, Monday, Sunday, at the same time, the same, around the same,
    the same week, the same campaigns, the same ads, the same account,
    all campaigns, all ads, all of them together, all time, each campaign, every campaign, whole, longer,
    several currencies, since the first week"""
_PHRASES = """cannot be judged, can not be judged, can be judged, cannot be said, not judged, not known,
    not known yet, not yet known, not compared, not lasting, not yet lasting, not yet a trend, not a trend,
    not read, not matched, not added up, not to be relied on, not to be judged, is no trend, no trend,
    no lasting, no lasting change, no action, no decision, no alert, no reason to act,
    nothing asks for action, nothing needs, nothing is to be decided, nothing is to be done, nothing to do,
    nothing to decide, nothing to tell, nothing else, nothing in the figures asks for,
    nothing whole to compare, needs to be done, needs to be decided, action is needed, decision is needed,
    to be judged, to be decided, to be done, to decide, to act, to do, asks for action, is needed,
    for action, because there is nothing whole to compare, because too few weeks before it are known,
    because the volume is too small to tell a trend from chance, too few weeks, too little to compare,
    too little, too small, one week alone, this week alone, it alone, in none of the figures,
    of small volume, small volume, wait and see, out of, the attached list has every campaign, of the table,
    is part of, part of, for leads alone, column, the last leads came in, the last column,
    next Monday, the next week has ended, until the next report, at the same age, which were counted for longer,
    Leads without the id of an ad set stand in the row of their campaign alone,
    because the weeks before it were counted for longer, as they stood at the same age"""
# What is told as it stands in a report beside its reason: outcomes of attribution.
_REASONS = """no ids, not counted by Meta, counted leads used up, not from ads, unknown ids, contradicting ids,
    match, compared with nothing, not read whole, may have come that are not counted, what is missing is listed,
    is another one, time zone, other account, with a star, these sums have in part or not at all,
    Attribution, refused, rows, edition, ids, id"""
# "Keep", "see whether", and what departments work on.
_ADVICE_WORDS = """decide nothing, increase nothing, change nothing, move nothing,
    about, act, adjust, after, agreed, another, any bid, any budget, any change, arrive,
    arrives, ask, audience, audiences, avoid, be, bid, bids, browser, budget, budgets, button, calmly, can,
    carefully, check, click, compare, consider, course, creative, creatives, current, cut, decide, decided,
    decrease, department, departments, device, discuss, do, do not, done, each form, each lead form, else,
    end, ended, enough, event, events, every form, field, fields, fill, find, finds, for now, form, forms,
    frequency, further, further notice, give, go, highest, hold, how, if, image, images, in, increase,
    inspect, keep, landing, last, leave, let, link, links, load, loads, long, longest, lower, lowest, make, may,
    monitor, month, more, necessary, need, needed, needs, new, newest, next, no hurry, not before, not yet,
    nothing to change, off, offer, old, oldest, on, once, only after, only once, open, other, our, out,
    page, pages, pass, passes, pause, people, person, pixel, pixels, place, placement, placements, places,
    plan, planned, prepare, quarter, raise, reduce, refresh, replace, resume, review, sales, schedule,
    schedules, sent, setting, settings, shift, should, site, start, stop, strategy, submit, tag, tags, take,
    targeting, team, teams, telephone, test, text, then, thing, things, through, time, tracking, try,
    try out, unless, up, use, usual, verify, video, wait, walk, wanted, watch, way, we, website, when,
    where, whether, which, whom, whose, why, without, work, working, works, year, you, your"""


def _plain(*lists: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_any(*lists)})\b", re.I)


_TOLD_PLAINLY: Final = _plain(_PLAIN, _PHRASES, _REASONS)
_ADVISED_PLAINLY: Final = _plain(_PLAIN, _PHRASES, _REASONS, _ADVICE_WORDS)
# What somebody is to look for need not be so.
LOOKED_FOR: Final = re.compile(r"\b(?:whether|(?:see|check|verify|confirm)\s+that|if)\b[^,.;:!?]*", re.I)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\W\d_]+)*")


def unknown(words: str, *, claims: bool) -> tuple[str, ...]:
    """The words of a text that are none of the lists, each once: nobody knows what they claim."""
    left = words if claims else LOOKED_FOR.sub(" ", words)
    judged = (*METRIC_WORDS.values(), *DIRECTIONS.values(), ALARMS, NUMBER_WORDS, NOTHING)
    own = (METRIC_WORDS[one] for one in OWN)
    # Phrases come before the words that are judged elsewhere, so that "no trend" does not fall apart.
    for pattern in (*own, _TOLD_PLAINLY if claims else _ADVISED_PLAINLY, *judged):
        left = pattern.sub(" ", left)
    return tuple(dict.fromkeys(_WORD.findall(left)))
