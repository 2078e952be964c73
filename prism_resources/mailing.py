"""The send ledger: an edition of a report goes to each of its recipients at most once, whatever crashes.

Belongs here: storing an edition with its letters, delivering it, and settling what a crash left. Does not belong
here: what letters say, and SES (mail.py).
A delivery is claimed before its mail is handed over. One that a crash left claimed may have gone, so it is never
sent again by itself: it stays to be seen until a person settles it.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import ClientError
from pydantic import JsonValue

from prism_core.calendar import Week, WeekRange
from prism_core.failures import BadUsage, PermanentFailure, PrismFailure, StaleVersion
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.mail_attempts import Outcome, is_due, worth_until
from prism_core.models.reports import Delivery, DeliveryStatus, Edition, EditionStatus, ReportKind
from prism_core.settings import Settings
from prism_core.tables import DELIVERIES, EDITIONS
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.letters import Content, Letter, letter_document, letter_of
from prism_resources.mail import Mailer, Unanswered
from prism_resources.recipients import Recipients
from prism_resources.tables.codec import encode_key
from prism_resources.tables.store import CheckFailed, TableStore, Write

ACTOR: Final = "mailing"
PREFIX: Final = "editions/"
# A claim of another process that is sending just now is none that waits for a person.
CLAIM_GRACE: Final = timedelta(minutes=10)
# Editions that are not finished are looked for in so many weeks.
LOOKS_BACK: Final = 4
_ERROR_MAX: Final = 1_000
_LIKE_AN_ADDRESS: Final = re.compile(r"[^\s@<>(),:;'\"]+@[^\s@<>(),:;'\"]+")


class Settled(StrEnum):
    """What a person says of a delivery whose outcome is open: it has arrived, is to be sent by the next run, or by
    none any more."""

    ARRIVED = "arrived"
    AGAIN = "again"
    DROPPED = "dropped"


class Overtaken(PermanentFailure):
    """Another edition has the number meanwhile."""


class Mailing:
    """Editions and their deliveries. Everything may be repeated, by several processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._s3 = settings, client(settings, "s3")
        dynamodb = client(settings, "dynamodb")
        self._editions = TableStore(dynamodb, settings, EDITIONS, Edition)
        self._deliveries = TableStore(dynamodb, settings, DELIVERIES, Delivery)
        self._recipients = Recipients(settings)

    # -- editions ------------------------------------------------------------------------------------------

    def last(self, report: ReportKind, week: Week) -> Edition | None:
        """The newest edition of a week, read consistently: nothing is behind it as this is answered."""
        number = max((one.number for one in self._of_week(report, week)), default=0)
        found = None if not number else self.edition(edition_id_of(report, week, number))
        while (following := self.edition(edition_id_of(report, week, number + 1))) is not None:
            found, number = following, number + 1
        return found

    def prepare(
        self,
        report: ReportKind,
        week: Week,
        title: str,
        letters: Sequence[Letter],
        *,
        now: datetime,
        number: int | None = None,
        occasion: str = "",
        data: Mapping[str, JsonValue] | None = None,
    ) -> Edition:
        """Fix what an edition says, and to whom; nothing is sent yet.

        The same content twice is the same edition, also after a crash. `occasion` tells apart what says the same
        and is another one. With a `number` it is that issue of the week, or Overtaken is raised: whoever read
        what there is to say after the issue before it knows that nobody said it meanwhile.
        """
        if not any(letter.recipients is None or letter.recipients for letter in letters):
            raise BadUsage(f"the {report} edition of {week} is for nobody")
        said = {"title": title, "occasion": occasion, "data": dict(data or {})}
        body = json.dumps(said | {"letters": [letter_document(one) for one in letters]}, sort_keys=True).encode()
        content_hash = hashlib.sha256(body).hexdigest()[:32]
        known = self._of_week(report, week)
        for one in known:
            if one.content_hash == content_hash and number in {None, one.number}:
                return one
        key = f"{PREFIX}{report}/{week}/{content_hash}.json"
        with calling(f"s3://{self._settings.lake_bucket}/{key}", "write"):
            self._s3.put_object(
                Bucket=self._settings.lake_bucket, Key=key, Body=body, ContentType="application/json"
            )
        at = number or max((one.number for one in known), default=0) + 1
        while True:
            edition = Edition(
                edition_id=edition_id_of(report, week, at),
                report=report,
                week=week,
                number=at,
                title=title,
                content=key,
                content_hash=content_hash,
                created=now,
            )
            try:
                return self._editions.create(edition, **_author(now, title))
            except StaleVersion:
                found = self.edition(edition.edition_id)
                if found is not None and found.content_hash == content_hash:
                    return found
                if number is not None:
                    raise Overtaken(f"{edition.edition_id} says something else already") from None
                at += 1

    def content(self, edition: Edition) -> Content:
        """What an edition says. Raises PermanentFailure when it is gone or is another than was stored."""
        place = f"s3://{self._settings.lake_bucket}/{edition.content}"
        with calling(place, "read"):
            try:
                body = self._s3.get_object(Bucket=self._settings.lake_bucket, Key=edition.content)["Body"].read()
            except ClientError as error:
                if error_code(error) not in {"NoSuchKey", "404"}:
                    raise
                body = b""
        if hashlib.sha256(body).hexdigest()[: len(edition.content_hash)] != edition.content_hash:
            raise PermanentFailure(
                f"{place} is not what {edition.edition_id} said; it cannot be sent: put the object back, or "
                f"`prism deliveries {edition.edition_id} --withdraw`"
            )
        said: dict[str, Any] = json.loads(body)
        return Content(tuple(letter_of(one) for one in said["letters"]), said["data"])

    def open(self, week: Week, report: ReportKind | None = None, first: Week | None = None) -> list[Edition]:
        """The editions up to a week with a delivery that is not settled, or not begun; oldest first.

        Those of the weeks from `first` on, of a few where it is left out.
        """
        weeks = WeekRange(first or week + (1 - LOOKS_BACK), week)
        reports = tuple(ReportKind) if report is None else (report,)
        found = [one for kind in reports for one in self._of_weeks(kind, weeks)]
        return sorted(
            (one for one in found if one.status is EditionStatus.PREPARED),
            key=lambda one: (one.created, one.edition_id),
        )

    def edition(self, edition_id: str) -> Edition | None:
        """One edition, read consistently, of whatever week."""
        return self._editions.get(edition_id=edition_id)

    def withdraw(self, edition_id: str, *, actor: str, now: datetime) -> Edition:
        """Nothing of an edition is sent any more. Raises BadUsage for one that is none, or that is finished."""
        edition = self.edition(edition_id)
        if edition is None or edition.status is not EditionStatus.PREPARED:
            stands = "there is no such edition" if edition is None else f"it is {edition.status}"
            raise BadUsage(f"{edition_id} cannot be withdrawn: {stands}")
        withdrawn = edition.model_copy(update={"status": EditionStatus.WITHDRAWN})
        author = _author(now, "not to be sent any more", actor)
        return self._editions.update(withdrawn, expected_version=edition.version, **author)

    def may_have_gone(self, edition: Edition) -> bool:
        """Whether somebody got it, or may have: what is refused or left out has gone to nobody."""
        nowhere = {DeliveryStatus.FAILED, DeliveryStatus.SKIPPED}
        return any(one.status not in nowhere for one in self.deliveries(edition.edition_id))

    def recall(self, edition: Edition, *, now: datetime) -> bool:
        """Withdraw an edition that has gone to nobody, so that what it says may be told anew.

        False where it went to somebody, may have gone, or somebody is sending it now.
        """
        if self.may_have_gone(edition):
            return False
        author = _author(now, "it has gone to nobody, and is out of date")
        withdrawn = edition.model_copy(update={"status": EditionStatus.WITHDRAWN})
        try:
            stored = self._editions.update(withdrawn, expected_version=edition.version, **author)
        except StaleVersion:
            return False
        if not self.may_have_gone(edition):
            return True
        # Claimed while we looked; no claim holds on a withdrawn edition, so there are no more.
        again = stored.model_copy(update={"status": EditionStatus.PREPARED})
        self._editions.update(again, expected_version=stored.version, **_author(now, "it is being sent"))
        return False

    def closed(self, edition: Edition, now: datetime, why: str) -> Edition:
        """An edition of which nothing more is sent, to nobody. Who comes second finds it closed."""
        sent = edition.model_copy(update={"status": EditionStatus.SENT, "sent": now})
        try:
            return self._editions.update(sent, expected_version=edition.version, **_author(now, why))
        except StaleVersion:
            return self.edition(edition.edition_id) or edition

    def require_sender(self) -> None:
        """Raises PermanentFailure where nobody has said whom mail is from: what is stored then goes to nobody."""
        _ = self.mailer

    # -- deliveries ----------------------------------------------------------------------------------------

    def deliver(self, edition: Edition, *, now: datetime, to: Collection[str] = ()) -> Outcome:
        """Send an edition to each recipient that it has not been tried with; answers what became of all.

        A refused one is tried again by later calls (prism_core/mail_attempts.py). One that was claimed and whose
        outcome nobody knows is left as it is, by this call and by every later one.
        `to` get a letter that names nobody itself; an edition with one stays open for others until it is `closed`.
        """
        edition = self.edition(edition.edition_id) or edition  # somebody may have withdrawn it since
        if edition.status is not EditionStatus.PREPARED:
            return Outcome(edition, tuple(self.deliveries(edition.edition_id)))
        known = {one.recipient_id: one for one in self.deliveries(edition.edition_id)}
        letters, for_good = self.content(edition).letters, set[str]()
        until = worth_until(edition)
        whom = dict.fromkeys([*to, *(one.recipient_id for one in known.values() if is_due(one, until, now))])
        try:
            found = [
                self._to(edition, letter, recipient_id, known.get(recipient_id), now, for_good)
                for letter in letters
                for recipient_id in (whom if letter.recipients is None else letter.recipients)
            ]
        except CheckFailed:  # it was withdrawn, or finished by somebody else, in between
            edition = self.edition(edition.edition_id) or edition
            return Outcome(edition, tuple(self.deliveries(edition.edition_id)))
        if any(letter.recipients is None for letter in letters):
            tried = {one.recipient_id for one in found}
            others = (one for one in known.values() if one.recipient_id not in tried)
            return Outcome(edition, (*found, *others), frozenset(for_good))
        if all(_is_settled(one) for one in found):
            edition = self.closed(edition, now, "every delivery is settled")
        return Outcome(edition, tuple(found), frozenset(for_good))

    def deliveries(self, edition_id: str) -> list[Delivery]:
        """What became of an edition, by recipient."""
        return list(self._deliveries.query("by_edition", edition_id=edition_id, consistent=True))

    def unsettled(self, edition_id: str, *, now: datetime) -> list[Delivery]:
        """Deliveries that were refused, or of which nobody knows whether they went: they may wait for a person."""
        return [
            one
            for one in self.deliveries(edition_id)
            if one.status is DeliveryStatus.FAILED
            or (one.status is DeliveryStatus.CLAIMED and now - one.claimed > CLAIM_GRACE)
        ]

    def untried(self, edition: Edition, recipients: Iterable[str], *, now: datetime) -> tuple[str, ...]:
        """Those to whom `deliver` would send an edition: it was not tried with them, or refused."""
        known, until = {one.recipient_id: one for one in self.deliveries(edition.edition_id)}, worth_until(edition)
        return tuple(one for one in recipients if one not in known or is_due(known[one], until, now))

    def settle(
        self, edition_id: str, recipient_id: str, settled: Settled, *, actor: str, now: datetime
    ) -> Delivery:
        """A person says what becomes of a delivery that is claimed or refused. Raises BadUsage for another one."""
        found = self._deliveries.get(edition_id=edition_id, recipient_id=recipient_id)
        if found is None or found.status not in {DeliveryStatus.CLAIMED, DeliveryStatus.FAILED}:
            stands = "there is no such delivery" if found is None else f"it is {found.status}"
            raise BadUsage(f"{edition_id} to {recipient_id} needs no settling: {stands}")
        said: dict[str, Any] = {
            Settled.ARRIVED: {"status": DeliveryStatus.SENT, "error": None},
            Settled.AGAIN: {"status": DeliveryStatus.FAILED, "attempts": 0, "error": "to be sent again"},
            Settled.DROPPED: {"status": DeliveryStatus.SKIPPED, "error": "not to be sent any more"},
        }[settled]
        return self._put(found.model_copy(update=said | {"settled": now}), found, now, actor)

    def _to(
        self,
        edition: Edition,
        letter: Letter,
        recipient_id: str,
        known: Delivery | None,
        now: datetime,
        for_good: set[str],
    ) -> Delivery:
        """One letter to one recipient, who is added `for_good` where that will not pass by itself."""
        if known is not None and not is_due(known, worth_until(edition), now):
            return known
        attempts = 1 if known is None else known.attempts + 1
        claim = Delivery(edition_id=edition.edition_id, recipient_id=recipient_id, claimed=now, attempts=attempts)
        address, why_not = self._recipients.address(edition.report, recipient_id)
        if address is None:
            said = {"status": DeliveryStatus.SKIPPED, "settled": now, "error": why_not}
            return self._first(edition, claim.model_copy(update=said), known, now)[0]
        mailer = self.mailer  # raises where nothing can be sent, before anything is claimed
        claimed, mine = self._first(edition, claim, known, now)
        if not mine:
            return claimed
        try:
            message_id = mailer.send(
                [address],
                letter.subject,
                letter.text,
                html=letter.html,
                pictures=letter.pictures,
                attached=letter.attached,
                headers=self._headers(edition),
            )
        except Unanswered as error:
            return self._put(claimed.model_copy(update={"error": _said(error, address)}), claimed, now)
        except PrismFailure as error:
            for_good |= {recipient_id} if isinstance(error, PermanentFailure) else set()
            said = {"status": DeliveryStatus.FAILED, "settled": now, "error": _said(error, address)}
            return self._put(claimed.model_copy(update=said), claimed, now)
        said = {"status": DeliveryStatus.SENT, "settled": now, "message_id": message_id}
        return self._put(claimed.model_copy(update=said), claimed, now)

    def _first(
        self, edition: Edition, delivery: Delivery, known: Delivery | None, now: datetime
    ) -> tuple[Delivery, bool]:
        """Write a delivery over what was read; what stands there now, and whether it is ours.

        Raises CheckFailed for an edition that is not to be sent any more.
        """
        check = {
            "TableName": self._settings.table_name(EDITIONS.name),
            "Key": encode_key(EDITIONS.key({"edition_id": edition.edition_id})),
            "ConditionExpression": "#status = :prepared",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":prepared": {"S": EditionStatus.PREPARED.value}},
        }
        write = Write(delivery, 0 if known is None else known.version)
        author = _author(now, delivery.status.value)
        try:
            (stored,) = self._deliveries.write_together([write], check=check, **author)
        except StaleVersion:
            found = self._deliveries.get(edition_id=delivery.edition_id, recipient_id=delivery.recipient_id)
            return found or delivery, False
        return stored or delivery, True

    def _headers(self, edition: Edition) -> list[tuple[str, str]]:
        """So that a mail can be found by its edition, and answered or refused by one click."""
        headers = [("X-Prism-Edition", edition.edition_id)]
        if self._settings.operations:
            to = self._settings.operations[0]
            stop = f"<mailto:{to}?subject=stop%20{edition.report}>"
            headers += [("Reply-To", to), ("List-Unsubscribe", stop)]
        return headers

    def _put(self, delivery: Delivery, known: Delivery | None, now: datetime, actor: str = ACTOR) -> Delivery:
        version = 0 if known is None else known.version
        author = _author(now, delivery.status.value, actor)
        return self._deliveries.put(delivery, expected_version=version, **author)

    def _of_week(self, report: ReportKind, week: Week) -> list[Edition]:
        return list(self._editions.query("by_report", report=report, week=week))

    def _of_weeks(self, report: ReportKind, weeks: WeekRange) -> list[Edition]:
        return list(self._editions.query("by_report", report=report, first=weeks.first, last=weeks.last))

    @cached_property
    def mailer(self) -> Mailer:
        return Mailer(self._settings)


def _is_settled(delivery: Delivery) -> bool:
    return delivery.status is not DeliveryStatus.CLAIMED and delivery.status is not DeliveryStatus.FAILED


def edition_id_of(report: ReportKind, week: Week, number: int) -> str:
    return f"{report}-{week}-{number}"


def _author(now: datetime, reason: str, actor: str = ACTOR) -> dict[str, Any]:
    """A request id of its own for each write: two processes must never take each other's claim for their own."""
    request_id = ulid(now, secrets.token_bytes(ULID_RANDOM_BYTES))
    return {"actor": actor, "reason": reason, "request_id": request_id, "now": now}


def _said(error: Exception, address: str) -> str:
    """What an error says, without the addresses that SES repeats: ledger and history are kept in the clear."""
    said = re.sub(re.escape(address), "(their address)", str(error), flags=re.IGNORECASE)
    return _LIKE_AN_ADDRESS.sub("(an address)", said)[:_ERROR_MAX]
