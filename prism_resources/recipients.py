"""Who gets a report, and where they are reached now.

Belongs here: reading subscriptions, and the address of a recipient when a letter goes out. Does not belong here:
narrowing what a report is about (its maker) and sending (mailing.py).
"""

from collections.abc import Iterable

from prism_core.models.base import is_mailbox
from prism_core.models.people import Member, MemberStatus
from prism_core.models.reports import Recipient, RecipientStatus, ReportKind, Subscription
from prism_core.settings import Settings
from prism_core.tables import MEMBERS, RECIPIENTS
from prism_resources.aws import client
from prism_resources.tables.reader import TableReader


class Recipients:
    """Recipients by what they are subscribed to."""

    def __init__(self, settings: Settings) -> None:
        dynamodb = client(settings, "dynamodb")
        self._recipients = TableReader(dynamodb, settings, RECIPIENTS, Recipient)
        self._members = TableReader(dynamodb, settings, MEMBERS, Member)

    def subscribed(self, report: ReportKind) -> list[Recipient]:
        """The active recipients that are subscribed to a report."""
        active = self._recipients.query("by_status", status=RecipientStatus.ACTIVE)
        return [one for one in active if _wants(one, report)]

    def of_members(self, report: ReportKind, member_ids: Iterable[str]) -> dict[str, dict[str, Subscription]]:
        """The recipients of a report that every member gets who did not say otherwise, by member, each with what
        the report is to be about.

        A member without an entry among the recipients is one under the own id, at the own address. One with
        entries has said which reports to get: those of them count that are active and subscribed.
        """
        return {one: self._of_member(report, one) for one in member_ids}

    def address(self, report: ReportKind, recipient_id: str) -> tuple[str | None, str]:
        """Where a recipient is reached now; None and the reason when nothing is to be sent."""
        recipient = self._recipients.get(recipient_id=recipient_id)
        if recipient is not None:
            if recipient.status is not RecipientStatus.ACTIVE:
                return None, f"the recipient is {recipient.status}"
            return _mailbox(recipient.email) if _wants(recipient, report) else (None, "not subscribed any more")
        member = self._members.get(member_id=recipient_id)
        if member is None or member.status is not MemberStatus.ACTIVE:
            return None, "there is no such recipient and no such active member"
        if next(self._recipients.query("by_member", member_id=recipient_id, limit=1), None) is not None:
            return None, "the member has said meanwhile which reports to get"
        return _mailbox(member.email)

    def _of_member(self, report: ReportKind, member_id: str) -> dict[str, Subscription]:
        entries = list(self._recipients.query("by_member", member_id=member_id))
        if not entries:
            return {member_id: Subscription(report=report)}
        active = (one for one in entries if one.status is RecipientStatus.ACTIVE)
        return {
            one.recipient_id: wanted for one in active for wanted in one.subscriptions if wanted.report is report
        }


def _mailbox(address: str) -> tuple[str | None, str]:
    if is_mailbox(address):
        return address, ""
    return None, "the stored e-mail address is none that mail can be sent to; correct it"


def _wants(recipient: Recipient, report: ReportKind) -> bool:
    return any(one.report is report for one in recipient.subscriptions)
