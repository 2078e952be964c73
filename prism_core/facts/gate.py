"""The gate in front of a report: prose that says a figure, a direction or an alarm of its own does not pass.

Belongs here: judging a sentence against the facts and indicators that it names. Does not belong here: word lists
(lexicon.py), and what is sent instead of refused prose.
Nobody's good will is assumed: whoever wrote it may have altered digits, invented trends or answered with markup.
What cannot be verified is refused: a repair or the deterministic text costs less than one wrong figure.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from prism_core.calendar import Week
from prism_core.facts.denials import Standing, denied
from prism_core.facts.ledger import Fact, Unit
from prism_core.facts.lexicon import (
    ADVISED,
    AFTER_A_FIGURE,
    ALARMS,
    BEFORE_A_CHANGE,
    BEFORE_A_FIGURE,
    BEFORE_A_LEVEL,
    BY_META,
    COMPOUND,
    DIRECTIONS,
    KIN,
    LOOKED_FOR,
    METRIC_WORDS,
    NOTHING,
    NUMBER_WORDS,
    ONE_WEEK,
    OTHER_TIMES,
    OWN,
    WINDOW,
    Direction,
    unknown,
)
from prism_core.facts.tokens import SENTENCE, TOKEN, facts_of, named_in

MOST_CHARACTERS: Final = 2_000
_MARKUP: Final = re.compile(r"[<>]|&(?:#|[a-z]+;)|https?:|www\.|`|\*\*|\]\(", re.IGNORECASE)
_ISO_DAY: Final = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])", re.ASCII)
_WEEK: Final = re.compile(r"(?<![\w-])(?:(\d{4})-)?W(\d{2})(?![\w-])", re.ASCII)
_DIGITS: Final = re.compile(r"\S*\d\S*", re.ASCII)
_GOES_ON: Final = re.compile(r"[\w{+\N{MINUS SIGN}-]|[.,]\d", re.ASCII)
_JOINED: Final = re.compile(r"[\w}.,+\N{MINUS SIGN}-]", re.ASCII)


class Offence(StrEnum):
    """Why prose is refused."""

    UNKNOWN_FACT = "unknown_fact"
    UNKNOWN_NAME = "unknown_name"
    DIGIT = "digit"
    NUMBER_WORD = "number_word"
    NOTHING = "nothing"
    ALTERED = "altered"
    MARKUP = "markup"
    CHARACTER = "character"
    TOO_LONG = "too_long"
    OTHER_METRIC = "other_metric"
    OTHER_SUBJECT = "other_subject"
    OTHER_TIME = "other_time"
    UNCLEAR = "unclear"
    DIRECTION = "direction"
    ALARM = "alarm"
    DENIAL = "denial"
    UNKNOWN_WORD = "unknown_word"


@dataclass(frozen=True, slots=True)
class Refused:
    """One offence: what stands in the text, and what to write instead."""

    offence: Offence
    found: str
    why: str


@dataclass(frozen=True, slots=True)
class Stands:
    """An indicator as code computed it: its direction, whether it is an alert, and whether the direction lasts.

    `large`: this week alone moved as far as an alert.
    """

    direction: Direction
    alert: bool
    lasting: bool = True
    large: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What prose may rest on: facts, names by id, indicators by id, and the weeks that a text may name.

    `own` is the week that the indicators are of; without one they are of no week that a text could miss.
    """

    facts: Mapping[str, Fact]
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    indicators: Mapping[str, Stands] = field(default_factory=dict[str, Stands])
    weeks: frozenset[Week] = frozenset()
    own: Week | None = None

    @property
    def days(self) -> frozenset[date]:
        return frozenset(day for week in self.weeks for day in week.days)


def judge(
    prose: str, scope: Scope, indicators: tuple[str, ...] = (), *, claims: bool = True
) -> tuple[Refused, ...]:
    """Every offence of a text, none when it passes.

    `indicators` are those that the text says it is about. `claims`: it tells what happened; a recommendation tells
    what to do, and may say "lower the budget" of its own, but not that something fell.
    """
    if len(prose) > MOST_CHARACTERS:
        return (Refused(Offence.TOO_LONG, f"{len(prose)} characters", f"at most {MOST_CHARACTERS}"),)
    found = [*_characters(prose), *_tokens(prose, scope), *_figures(prose, scope)]
    for sentence in SENTENCE.split(prose):
        found += (*_about(sentence, scope), *_attached(sentence, scope), *_own(sentence, scope))
    found += _alarms(prose, scope, indicators)
    found += _denials(prose, scope, claims=claims)
    found += _elsewhere(prose, scope, claims=claims)
    words = TOKEN.sub(" ", prose)
    found += _unknown(prose, scope, claims=claims)
    found += _directions(words if claims else _told(words), scope, indicators)
    return tuple(found)


def _characters(prose: str) -> Iterator[Refused]:
    if markup := _MARKUP.search(prose):
        yield Refused(Offence.MARKUP, markup[0], "plain sentences only, without markup or links")
    for character in dict.fromkeys(prose):
        category = unicodedata.category(character)
        numeric = character not in "0123456789" and unicodedata.numeric(character, None) is not None
        if numeric or category == "Sc" or (category[0] == "C" and character != "\n"):
            shown = f"U+{ord(character):04X}"
            yield Refused(Offence.CHARACTER, shown, "letters and punctuation only; a figure is a {{fact:…}} token")


def _tokens(prose: str, scope: Scope) -> Iterator[Refused]:
    left = TOKEN.sub("", prose)
    if "{" in left or "}" in left:
        yield Refused(Offence.UNKNOWN_FACT, "{ or }", "a token is written {{fact:ID}} or {{name:ID}}")
    for fact_id in facts_of(prose):
        if fact_id not in scope.facts:
            yield Refused(Offence.UNKNOWN_FACT, fact_id, "no fact of this report has this id")
    for key in named_in(prose):
        if key not in scope.names:
            yield Refused(Offence.UNKNOWN_NAME, key, "nothing in this report has this id")
    for match in TOKEN.finditer(prose):
        if match[1] != "fact":
            continue
        before, after = prose[: match.start()], prose[match.end() :]
        joined = bool(_JOINED.match(before[-1:])) or bool(
            re.match(r"[\w+\N{MINUS SIGN}-]|[.,]\d", after, re.ASCII)
        )
        if joined or BEFORE_A_FIGURE.search(before) or AFTER_A_FIGURE.match(after):
            shown = f"{before[-15:]}{match[0]}{after[:15]}".strip()
            yield Refused(Offence.ALTERED, shown, "a figure stands alone, with its unit, and nothing qualifies it")


def _figures(prose: str, scope: Scope) -> Iterator[Refused]:
    left = WINDOW.sub(" ", TOKEN.sub(" ", prose))
    left = _ISO_DAY.sub(lambda day: " " if _is_day(day[0], scope) else day[0], left)
    left = _WEEK.sub(lambda week: " " if _is_week(week, scope) else week[0], left)
    for digits in _DIGITS.finditer(left):
        yield Refused(Offence.DIGIT, digits[0], "a figure is {{fact:ID}}, a name with digits {{name:ID}}")
    for words in NUMBER_WORDS.finditer(left):
        yield Refused(Offence.NUMBER_WORD, words[0], "a number in words is a figure too: write {{fact:ID}}")
    for words in NOTHING.finditer(left):
        yield Refused(Offence.NOTHING, words[0], "nothing is a figure too: write {{fact:ID}}")


def _is_day(text: str, scope: Scope) -> bool:
    try:
        return date.fromisoformat(text) in scope.days
    except ValueError:
        return False


def _is_week(found: re.Match[str], scope: Scope) -> bool:
    year, number = found.groups()
    return any(one.label == f"{year or one.label[:4]}-W{number}" for one in scope.weeks)


def _about(sentence: str, scope: Scope) -> Iterator[Refused]:
    """Each figure in a sentence is of a metric that the sentence speaks of, and of a subject that it names."""
    named = set(named_in(sentence)) & set(scope.names)
    words = TOKEN.sub(" ", sentence)
    simple = words
    for metric in COMPOUND:
        simple = METRIC_WORDS[metric].sub(" ", simple)
    for fact_id in facts_of(sentence):
        fact = scope.facts.get(fact_id)
        if fact is None:
            continue
        spoken = METRIC_WORDS.get(fact.metric or "")
        if spoken is not None and not spoken.search(words if fact.metric in COMPOUND else simple):
            yield Refused(Offence.OTHER_METRIC, fact_id, f"the sentence does not speak of {fact.metric}")
        if fact.subject is not None and named != {fact.subject}:
            yield Refused(
                Offence.OTHER_SUBJECT, fact_id, f"the sentence names {{{{name:{fact.subject}}}}} and no other"
            )
        if fact.subject is None and named:
            yield Refused(Offence.OTHER_SUBJECT, fact_id, "this figure is of all together; the sentence names one")


def _attached(sentence: str, scope: Scope) -> Iterator[Refused]:
    """Where a sentence has figures of several metrics, each stands beside the words of its own.

    What is said before a figure is its own, unless the one before it has no other words: no two can change places.
    A change is never told as a level ("rose to +4 %"), nor a level as a change ("rose by 41").
    """
    found = [one for one in TOKEN.finditer(sentence) if one[1] == "fact" and one[2] in scope.facts]
    facts = [scope.facts[one[2]] for one in found]
    for one, fact in zip(found, facts, strict=True):
        wrong = BEFORE_A_LEVEL if fact.unit is Unit.CHANGE else BEFORE_A_CHANGE
        if wrong.search(sentence[: one.start()]):
            why = "a change is told by how much, a level to what" if fact.metric else "it is no change"
            yield Refused(Offence.UNCLEAR, one[0], why)
    if len({fact.metric for fact in facts if fact.metric in METRIC_WORDS}) < 2:
        return
    ends = [0, *(one.end() for one in found)]
    starts = [*(one.start() for one in found), len(sentence)]
    spoken = [_metrics(TOKEN.sub(" ", sentence[end:start])) for end, start in zip(ends, starts, strict=True)]
    for index, fact in enumerate(facts):
        if fact.metric not in METRIC_WORDS:
            continue
        before, after = spoken[index], spoken[index + 1]
        if before and before[-1] == fact.metric and (index == 0 or len(before) == 1):
            before.pop()
        elif not before and after and after[0] == fact.metric:
            after.pop(0)
        else:
            why = f"the words beside it do not say {fact.metric} alone; one sentence for each figure"
            yield Refused(Offence.UNCLEAR, fact.fact_id, why)
            return


def _own(sentence: str, scope: Scope) -> Iterator[Refused]:
    """A figure of a source of its own, or of what is missing, is told as that and nothing else is told as it."""
    metrics = {scope.facts[one].metric or "" for one in facts_of(sentence) if one in scope.facts}
    spoken = set(_metrics(TOKEN.sub(" ", sentence)))
    other = spoken & set(OWN) - metrics
    if metrics & METRIC_WORDS.keys() and other:
        why = "the sentence has no figure of it; one sentence for each"
        yield Refused(Offence.UNCLEAR, ", ".join(sorted(other)), why)
    for metric in metrics & set(OWN):
        beside = spoken - {metric} - KIN.get(metric, frozenset()) if len(metrics) == 1 else set[str]()
        by_meta = len(metrics) == 1 and metric in {"crm_leads", "crm_only"} and "not counted by" not in sentence
        if beside or (by_meta and BY_META.search(sentence)):
            yield Refused(Offence.UNCLEAR, metric, "the sentence speaks of something else beside this figure")


def _unknown(prose: str, scope: Scope, *, claims: bool) -> Iterator[Refused]:
    """Words that nobody listed may claim anything. Only reports about metrics of this lexicon are judged."""
    known = scope.indicators.keys() | {fact.metric for fact in scope.facts.values()}
    if not known & METRIC_WORDS.keys():
        return
    left = WINDOW.sub(" ", _WEEK.sub(" ", _ISO_DAY.sub(" ", TOKEN.sub(" ; ", prose))))
    if words := unknown(left, claims=claims):
        why = (
            "plain words only: was, came, brought, rose, fell, is stable; no quantity in words, cause or judgement"
        )
        yield Refused(Offence.UNKNOWN_WORD, ", ".join(words), why)


def _metrics(words: str) -> list[str]:
    """The metrics that words speak of, in their order, each once where it is said twice in a row."""
    ordered = [metric for _, _, metric in _spoken(words)]
    return [metric for at, metric in enumerate(ordered) if at == 0 or ordered[at - 1] != metric]


def _spoken(words: str) -> list[tuple[int, int, str]]:
    """Where words speak of which metric, in their order."""
    said: list[tuple[int, int, str]] = []
    for metric in (*COMPOUND, *(one for one in METRIC_WORDS if one not in COMPOUND)):
        said += ((one.start(), one.end(), metric) for one in METRIC_WORDS[metric].finditer(words))
        words = METRIC_WORDS[metric].sub(lambda one: " " * len(one[0]), words)
    return sorted(said)


def _told(words: str) -> str:
    """The words of a recommendation without those that say what to do."""
    return ADVISED.sub(lambda found: found[0] if found["told"] else " ", words)


def _directions(words: str, scope: Scope, indicators: tuple[str, ...]) -> Iterator[Refused]:
    """A direction is that of an indicator which the text is about, and of the metric that goes that way in it."""
    if not any(pattern.search(words) for pattern in DIRECTIONS.values()):
        return
    about = {one: scope.indicators[one].direction for one in indicators if one in scope.indicators}
    if len(set(about.values())) > 1:
        yield Refused(Offence.DIRECTION, ", ".join(indicators), "these differ in direction: one text for each")
    for sentence, spoken in _sentences(words, scope):
        for way, pattern in DIRECTIONS.items():
            for found in pattern.finditer(sentence):
                metric = _moving(found, spoken, sentence)
                ways = {known for one, known in about.items() if metric is None or one == metric}
                if way not in ways:
                    truth = f"it is {', '.join(sorted(ways))}" if ways else "it names no indicator that says so"
                    yield Refused(Offence.DIRECTION, found[0], truth)
                    return
                told = (one for one, known in about.items() if known is way and metric in {None, one})
                if not ONE_WEEK.search(sentence) and not any(scope.indicators[one].lasting for one in told):
                    why = 'only this week went that way; the sentence says "this week"'
                    yield Refused(Offence.DIRECTION, found[0], why)
                    return


def _moving(found: re.Match[str], spoken: list[tuple[int, int, str]], sentence: str) -> str | None:
    """The metric that a word of direction is said of: the one right behind it, else the last one before it."""
    behind = [
        metric
        for start, end, metric in spoken
        if end > found.start() and not sentence[found.end() : start].strip()
    ]
    before = [metric for start, _, metric in spoken if start < found.start()]
    after = [metric for start, _, metric in spoken if start >= found.start()]
    return next(iter((*behind[:1], *before[-1:], *after[:1])), None)


def _alarms(prose: str, scope: Scope, indicators: tuple[str, ...]) -> Iterator[Refused]:
    words = TOKEN.sub(" ", prose)
    if not ALARMS.search(words):
        return
    alerts = {one for one in indicators if one in scope.indicators and scope.indicators[one].alert}
    for sentence, spoken in _sentences(words, scope):
        for found in ALARMS.finditer(sentence):
            metric = _moving(found, spoken, sentence)
            if not alerts or metric not in {None, *alerts}:
                yield Refused(Offence.ALARM, found[0], "no indicator that the text is about is an alert of that")
                return


def _elsewhere(prose: str, scope: Scope, *, claims: bool) -> Iterator[Refused]:
    """Indicators are of all together, and of this week against four: of no campaign, other week or time to come.

    Neither has a sentence a direction that names one of these, nor "it" behind such a sentence.
    """
    named = other = False
    for sentence in SENTENCE.split(prose):
        words = TOKEN.sub(" ", sentence)
        itself = bool(next(_sentences(words, scope))[1])
        named = bool(named_in(sentence)) or (named and not itself)
        other = _is_of_another_week(sentence, scope) or (other and not itself)
        told = words if claims else _told(LOOKED_FOR.sub(" ", words))
        found = next(filter(None, (one.search(told) for one in (*DIRECTIONS.values(), ALARMS))), None)
        if found and named:
            yield Refused(Offence.OTHER_SUBJECT, found[0], "an indicator is of all together, of no single one")
            return
        if found and (other or OTHER_TIMES.search(WINDOW.sub(" ", told))):
            yield Refused(Offence.OTHER_TIME, found[0], "an indicator is of this week against the four before it")
            return


def _is_of_another_week(sentence: str, scope: Scope) -> bool:
    if scope.own is None:
        return False
    own, said = scope.own.label, TOKEN.sub(" ", sentence)
    periods = (scope.facts[one].period or "" for one in facts_of(sentence) if one in scope.facts)
    weeks = [f"{one[1] or own[:4]}-W{one[2]}" for one in _WEEK.finditer(f"{said} ; {' ; '.join(periods)}")]
    return bool(_ISO_DAY.search(said)) or any(one != own for one in weeks)


def _denials(prose: str, scope: Scope, *, claims: bool) -> Iterator[Refused]:
    """Alerts and large moves are code's: no text takes one back, wherever it stands and whatever it is about."""
    stood = scope.indicators.items()
    standing = Standing(
        frozenset(name for name, one in stood if one.alert),
        frozenset(name for name, one in stood if one.large),
        frozenset(name for name, one in stood if one.lasting and one.direction is not Direction.FLAT),
    )
    for sentence, spoken in _sentences(TOKEN.sub(" ", prose), scope):
        if words := denied(sentence, {metric for _, _, metric in spoken}, standing, claims=claims):
            yield Refused(Offence.DENIAL, words, "an indicator says otherwise: tell what it says, or leave it out")
            return


def _sentences(words: str, scope: Scope) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
    """Each sentence with the metrics of this report that it speaks of."""
    metrics = scope.indicators.keys() | {fact.metric for fact in scope.facts.values()}
    for sentence in SENTENCE.split(words):
        yield sentence, [one for one in _spoken(sentence) if one[2] in metrics]
