"""Which edition of a week's report goes out next: the first one, one that corrects the last, or none.

Belongs here: the figures that a reader of the last edition would read otherwise now, and the edition that says so.
Does not belong here: what was sent to whom (mailing), and figures of weeks before, which a report tells itself.
Only figures make an edition: other words over the same figures are sent to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from prism_core.campaign.places import FROM
from prism_core.campaign.restatements import WAS
from prism_core.facts.ledger import Fact, Ledger
from prism_core.facts.tokens import facts_of, token
from prism_core.failures import BadUsage
from prism_core.reports.content import ReportContent, Statement

_UNKNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class Changed:
    """A figure as the last edition said it and as it is; None: it was not told, or is not known any more."""

    was: Fact | None
    now: Fact | None

    @property
    def fact_id(self) -> str:
        fact = self.now or self.was
        return "" if fact is None else fact.fact_id


def next_edition(told: ReportContent | None, made: ReportContent) -> ReportContent | None:
    """What goes out when `told` was the last edition of the week (None: there was none) and `made` is so now.

    None when a reader of the last edition would read the same figures. Raises BadUsage for another week.
    """
    if told is None:
        return replace(made, edition=1)
    if told.week != made.week:
        raise BadUsage(f"{told.title} of {told.week} is not corrected by one of {made.week}")
    found = changed(told, made)
    if not found:
        return None
    names = {**told.scope.names, **made.scope.names}
    before = [replace(one.was, fact_id=f"{WAS}{one.fact_id}", of=()) for one in found if one.was]
    facts = {one.fact_id: one for one in (*made.scope.facts.values(), *before)}
    said = tuple(_statement(one, names) for one in found)
    return replace(
        made,
        edition=told.edition + 1,
        scope=replace(made.scope, facts=Ledger(facts.values()), names=names),
        corrections=(*said, *_not_among(made.corrections, facts_said(said))),
    )


def changed(told: ReportContent, made: ReportContent) -> tuple[Changed, ...]:
    """The figures that are shown otherwise, those of the cards first; what was told before is not one of them.

    What cards and sentences choose to name is no news because the other edition did not name it: such a figure is
    one when both know it, and it is another.
    """
    of_cards = [fact_id for card in made.cards for fact_id in facts_of(f"{card.value} {card.note}")]
    ids, fixed = dict.fromkeys((*of_cards, *_shown(made), *_shown(told))), told.fixed() | made.fixed()
    pairs = {one: (told.scope.facts.get(one), made.scope.facts.get(one)) for one in ids}
    return tuple(
        Changed(was, now)
        for one, (was, now) in pairs.items()
        if _text(was) != _text(now) and (one in fixed or (was is not None and now is not None))
    )


def facts_said(statements: tuple[Statement, ...]) -> frozenset[str]:
    """The ids of the facts that some statements name."""
    return frozenset(fact_id for one in statements for fact_id in facts_of(one.prose))


def _shown(content: ReportContent) -> tuple[str, ...]:
    """The facts that a reader sees, without those of an earlier telling and of single places.

    What moves at a place moves the sums of its campaign or of all leads, which are told.
    """
    return tuple(one for one in content.shown() if not one.startswith((WAS, FROM)))


def _not_among(statements: tuple[Statement, ...], said: frozenset[str]) -> tuple[Statement, ...]:
    """Corrections that the report has itself, but for those of a figure that is among the changed ones."""
    return tuple(one for one in statements if not said & {x for x in facts_of(one.prose) if x.startswith(WAS)})


def _statement(one: Changed, names: Mapping[str, str]) -> Statement:
    """`Leads, 2023-W31: 41 before, now 47.`"""
    fact = one.now or one.was
    label = "" if fact is None else fact.label
    if fact is not None and fact.subject is not None and fact.subject in names:
        label = label.replace(f" of {fact.subject}", f" of {{{{name:{fact.subject}}}}}", 1)
    before = f"{{{{fact:{WAS}{one.fact_id}}}}}" if one.was else _UNKNOWN
    now = token(one.now) if one.now else _UNKNOWN
    return Statement(f"{label[:1].upper()}{label[1:]}: {before} before, now {now}.")


def _text(fact: Fact | None) -> str | None:
    return None if fact is None else fact.text
