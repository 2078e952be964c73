"""Telling people what a publication changed for them: one letter each.

Belongs here: who gets one, and the edition that is told once. Does not belong here: its text
(prism_core/capacity/notices.py) and the send ledger (mailing.py).
The edition has the number of the publication. Telling it again, after a crash or by somebody else, sends what was
not sent.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from prism_core.calendar import Week
from prism_core.capacity.notices import notice
from prism_core.history.rebuild import in_order
from prism_core.mail_attempts import Outcome, is_due, worth_until
from prism_core.models.published import PublishedPlan
from prism_core.models.reports import Delivery, Edition, EditionStatus, ReportKind
from prism_core.publications import by_member
from prism_core.settings import Settings
from prism_core.tables import EDITIONS, MEMBERS, PROJECTS, PUBLISHED_PLANS, TableSpec
from prism_resources.aws import client
from prism_resources.letters import Letter, opt_out
from prism_resources.mailing import Mailing, Overtaken, edition_id_of
from prism_resources.plans.publishing import Published, publication_of
from prism_resources.recipients import Recipients
from prism_resources.tables.folding import finish
from prism_resources.tables.history import TableHistory
from prism_resources.tables.imports import batch_get
from prism_resources.tables.publications import Publications
from prism_resources.tables.reader import TableReader

REPORT: Final = ReportKind.ALLOCATION_CHANGES


def tell(settings: Settings, published: Published, *, now: datetime) -> Outcome | None:
    """Send each member whose hours a publication changed one letter; answers what became of them.

    None where nobody is to be told: no hours changed, or the week has ended.
    """
    pointer = published.pointer
    week, number = pointer.week, pointer.publication
    if not published.changes or week.end <= now:
        return None
    mailing = Mailing(settings)
    edition = _stored(settings, edition_id_of(REPORT, week, number))
    if edition is None:
        letters = _letters(settings, published)
        if not letters:
            return None
        title = f"Changed allocations of {week}"
        try:
            edition = mailing.prepare(REPORT, week, title, letters, now=now, number=number)
        except Overtaken:  # somebody told it at the same time, to people who have changed in between
            edition = _stored(settings, edition_id_of(REPORT, week, number))
    return None if edition is None else mailing.deliver(edition, now=now)


def tell_all(settings: Settings, *, now: datetime) -> list[Outcome]:
    """Tell every publication of the weeks that have not ended, and finish those of any week that were cut off."""
    dynamodb = client(settings, "dynamodb")
    publications = Publications(dynamodb, settings)
    found: list[Outcome] = []
    for pointer in publications.between(Week.of(now).label):
        done = finish(dynamodb, settings, pointer)
        for one in (*_untold(settings, done), done):
            outcome = tell(settings, publication_of(publications, one), now=now)
            if outcome is not None:
                found.append(outcome)
    # Nobody is told of a week that has ended, but its rows are read, and its history waits for them.
    for pointer in publications.unfinished(last=(Week.of(now) + -1).label):
        finish(dynamodb, settings, pointer)
    return found


def unsettled(settings: Settings, *, now: datetime) -> list[Delivery]:
    """Mails about weeks that have not ended that were refused, or of which nobody knows whether they went."""
    mailing, publications = Mailing(settings), Publications(client(settings, "dynamodb"), settings)
    return [
        one
        for pointer in publications.between(Week.of(now).label)
        for number in range(1, pointer.publication + 1)
        for one in mailing.unsettled(edition_id_of(REPORT, pointer.week, number), now=now)
    ]


def refused(settings: Settings, pointers: Iterable[PublishedPlan], *, now: datetime) -> list[Delivery]:
    """Mails about the weeks of these pointers, from the one of `now` on, that were refused and are due again."""
    last = max((one.week for one in pointers), default=None)
    if last is None:
        return []
    mailing, found = Mailing(settings), list[Delivery]()
    for edition in mailing.open(last, REPORT, first=Week.of(now)):
        until = worth_until(edition)
        found += [one for one in mailing.deliveries(edition.edition_id) if is_due(one, until, now)]
    return found


def _untold(settings: Settings, last: PublishedPlan) -> list[PublishedPlan]:
    """The publications of a week before its last one that are not told to the end, from the log of its pointer."""
    history = TableHistory(client(settings, "dynamodb"), settings)
    key = PUBLISHED_PLANS.item_key(PUBLISHED_PLANS.key({"week": last.week}))
    found: dict[int, PublishedPlan] = {}
    said: dict[str, JsonValue] = {}
    for change in in_order(history.of_item(PUBLISHED_PLANS, key) if last.publication > 1 else ()):
        said |= {name: one.get("after") for name, one in change.changes.items()}
        named = {name: said.get(name) for name in ("publication", "body", "undoes")}
        one = PublishedPlan.from_plain(last.plain() | named)
        found[one.publication] = one  # as it was when it settled: it may have left rows alone
    return [one for one in found.values() if one.publication < last.publication and not _is_told(settings, one)]


def _is_told(settings: Settings, pointer: PublishedPlan) -> bool:
    edition = _stored(settings, edition_id_of(REPORT, pointer.week, pointer.publication))
    return edition is not None and edition.status is not EditionStatus.PREPARED


def _stored(settings: Settings, edition_id: str) -> Edition | None:
    return TableReader(client(settings, "dynamodb"), settings, EDITIONS, Edition).get(edition_id=edition_id)


def _letters(settings: Settings, published: Published) -> list[Letter]:
    """A letter for each member and each part of the changes that somebody wants to know of."""
    of_each = by_member(published.changes)
    names = _texts(settings, PROJECTS, "project_id", "name", {one.project_id for one in published.changes})
    teams = _texts(settings, MEMBERS, "member_id", "team", of_each)
    recipients = Recipients(settings).of_members(REPORT, of_each)
    pointer, closing = published.pointer, opt_out(settings, REPORT)
    letters: list[Letter] = []
    for member, changes in of_each.items():
        alike: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
        for recipient_id, wanted in recipients[member].items():
            places = (at for at, one in enumerate(changes) if wanted.covers({one.project_id}, teams.get(member)))
            alike[tuple(places)].append(recipient_id)
        for places, whom in alike.items():
            if places:
                mine = [changes[at] for at in places]
                said = notice(pointer.week, mine, names, undone=pointer.undoes is not None, closing=closing)
                letters.append(Letter(tuple(whom), said.subject, said.text, said.html))
    return letters


def _texts(settings: Settings, spec: TableSpec, key: str, field: str, ids: Iterable[str]) -> dict[str, str]:
    """One field of items that are not sealed in it, by id; items without it are left out."""
    keys = [spec.key({key: one}) for one in sorted(ids)]
    found = batch_get(client(settings, "dynamodb"), settings, spec, keys)
    return {raw[key]["S"]: raw[field]["S"] for raw in found if "S" in raw.get(field, {})}
