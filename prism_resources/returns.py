"""Mail that came back, and readers who complained, as SES tells it in a queue.

Belongs here: taking what waits off the queue, and saying so of the delivery and its reader. Does not belong here:
the form of what SES writes (prism_core/mail_feedback.py).
A message leaves the queue once it is recorded; recording it twice changes nothing. What cannot be read goes, after
five attempts, to a queue of its own, where it is seen.
"""

import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from prism_core.failures import PermanentFailure, StaleVersion, TransientFailure
from prism_core.history.changes import ULID_RANDOM_BYTES, ulid
from prism_core.mail_feedback import Feedback, MailFeedback, read_mail_feedback
from prism_core.models.people import Member, MemberStatus
from prism_core.models.reports import (
    Delivery,
    DeliveryStatus,
    Recipient,
    RecipientStatus,
    ReportKind,
    Subscription,
)
from prism_core.settings import Settings
from prism_core.tables import DELIVERIES, MEMBERS, RECIPIENTS
from prism_resources.aws import client
from prism_resources.failures import calling, error_code
from prism_resources.tables.store import TableStore

ACTOR: Final = "ses"
QUEUE, UNREAD = "mail-returns", "mail-returns-unread"
# Of the mails of one reader, newest first, so many are looked through for the one that came back.
_LOOKS_BACK: Final = 500
_ATTEMPTS: Final = 6
_AT_ONCE: Final = 10
_WORDS: Final = {
    Feedback.REFUSED: "the address refused it",
    Feedback.UNDELIVERED: "it did not arrive",
    Feedback.COMPLAINT: "the reader complained of it",
}


@dataclass(slots=True)
class Taken:
    """What a run took off the queue. `stopped` are readers who get nothing any more, `of_nobody` the ids of mails
    to addresses that no reader has, such as those of `operations_email`; `unread` could not be read this time."""

    kinds: Counter[Feedback] = field(default_factory=Counter[Feedback])
    stopped: list[str] = field(default_factory=list[str])
    of_nobody: list[str] = field(default_factory=list[str])
    unread: list[str] = field(default_factory=list[str])


class MailReturns:
    """The queue of one platform. Several may take from it at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._sqs = settings, client(settings, "sqs")
        dynamodb = client(settings, "dynamodb")
        self._recipients = TableStore(dynamodb, settings, RECIPIENTS, Recipient)
        self._members = TableStore(dynamodb, settings, MEMBERS, Member)
        self._deliveries = TableStore(dynamodb, settings, DELIVERIES, Delivery)

    def waiting(self, queue: str = QUEUE) -> int:
        """How many messages wait, about; none where no mail is sent."""
        if self._settings.sender is None:
            return 0
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        with calling(f"queue {queue}", "look at"):
            found = self._sqs.get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=list(names))
        return sum(int(found["Attributes"][name]) for name in names)

    def take(self, now: datetime) -> Taken:
        """Record all that waits. Raises TransientFailure where a row stays in conflict; its message stays."""
        taken = Taken()
        if self._settings.sender is None:
            return taken
        url = self._url(QUEUE)
        while messages := self._received(url):
            for message in messages:
                try:
                    found = read_mail_feedback(message["Body"])
                except PermanentFailure as failure:  # it is seen again, and in the end in the queue of the unread
                    taken.unread.append(str(failure))
                    continue
                if found is not None:
                    self._record(found, taken, now)
                with calling(f"queue {QUEUE}", "delete from"):
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def _record(self, found: MailFeedback, taken: Taken, now: datetime) -> None:
        taken.kinds[found.kind] += 1
        readers = list(self._readers(found.addresses))
        if not readers:
            taken.of_nobody.append(found.message_id)
        said = f"{_WORDS[found.kind]} ({found.why or 'no reason given'})"
        for recipient_id in readers:
            delivery = self._delivery(recipient_id, found.message_id)
            if delivery is not None and delivery.error == said:
                continue  # recorded before: a person may have set the reader to active since
            # In this order: after a kill in between, it is all done once more.
            if self._stopped(recipient_id, found.kind, said, now):
                taken.stopped.append(recipient_id)
            self._tell(delivery, found.kind, said, now)

    def _readers(self, addresses: Iterable[str]) -> Iterable[str]:
        """The recipients at these addresses now, and the members who have no entry of their own among them."""
        wanted = {address.strip().casefold() for address in addresses}
        entries = [one for status in RecipientStatus for one in self._recipients.query("by_status", status=status)]
        yield from (one.recipient_id for one in entries if one.email.casefold() in wanted)
        of_members = {one.member_id for one in entries}
        for one in self._members.query("by_status", status=MemberStatus.ACTIVE):
            if one.email.casefold() in wanted and one.member_id not in of_members:
                yield one.member_id

    def _delivery(self, recipient_id: str, message_id: str) -> Delivery | None:
        """The delivery of a mail; None of one that is in no ledger, such as a mail of a failed run."""
        found = self._deliveries.query(
            "by_recipient", recipient_id=recipient_id, backwards=True, limit=_LOOKS_BACK
        )
        return next((one for one in found if one.message_id == message_id), None)

    def _tell(self, delivery: Delivery | None, kind: Feedback, said: str, now: datetime) -> None:
        """Say it of the delivery. A complaint is one of a mail that arrived."""
        status = DeliveryStatus.SENT if kind is Feedback.COMPLAINT else DeliveryStatus.RETURNED
        for _ in range(_ATTEMPTS):
            if delivery is None:
                return
            after = delivery.model_copy(update={"status": status, "error": said})
            try:
                self._deliveries.update(after, expected_version=delivery.version, **_author(said, now))
            except StaleVersion:
                delivery = self._deliveries.get(edition_id=delivery.edition_id, recipient_id=delivery.recipient_id)
            else:
                return
        raise TransientFailure(
            "the delivery of a mail that came back is written by others all the time; try again"
        )

    def _stopped(self, recipient_id: str, kind: Feedback, said: str, now: datetime) -> bool:
        """Send the reader nothing more, where that follows; whether that is so by this call."""
        if kind is Feedback.UNDELIVERED:
            return False
        status = RecipientStatus.PAUSED if kind is Feedback.COMPLAINT else RecipientStatus.BOUNCED
        why = _author(said, now)
        for _ in range(_ATTEMPTS):
            recipient = self._recipients.get(recipient_id=recipient_id)
            if recipient is not None and recipient.status is not RecipientStatus.ACTIVE:
                return False
            try:
                if recipient is not None:
                    changed = recipient.model_copy(update={"status": status})
                    self._recipients.update(changed, expected_version=recipient.version, **why)
                elif (entry := self._entry(recipient_id, status)) is not None:
                    self._recipients.create(entry, **why)
            except StaleVersion:
                continue
            return True
        raise TransientFailure(f"recipient {recipient_id} is written by others all the time; try again")

    def _entry(self, member_id: str, status: RecipientStatus) -> Recipient | None:
        """Of a member who got what every member gets: an entry, so that it can be seen and set right."""
        member = self._members.get(member_id=member_id)
        if member is None:
            return None
        return Recipient(
            recipient_id=member_id,
            name=member.name,
            email=member.email,
            member_id=member_id,
            status=status,
            time_zone=member.time_zone,
            subscriptions=(Subscription(report=ReportKind.ALLOCATION_CHANGES),),
        )

    def _received(self, url: str) -> list[dict[str, Any]]:
        with calling(f"queue {QUEUE}", "read"):
            return self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_AT_ONCE).get("Messages", [])

    def _url(self, queue: str) -> str:
        name = f"{self._settings.name_prefix}-{queue}"
        with calling(f"queue {name}", "find"):
            try:
                return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            except ClientError as error:
                if not error_code(error).endswith(("NonExistentQueue", "QueueDoesNotExist")):
                    raise
        raise PermanentFailure(f"queue {name} is not there: deploy the stack mail")


def _author(reason: str, now: datetime) -> dict[str, Any]:
    return {
        "actor": ACTOR,
        "reason": reason,
        "request_id": ulid(now, secrets.token_bytes(ULID_RANDOM_BYTES)),
        "now": now,
    }
