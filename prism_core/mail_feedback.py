"""What SES tells of a mail after it took it: it came back, its reader complained, or it was never sent on.

Belongs here: reading what SES writes, and whether anything follows from it. Does not belong here: the queue, and
finding the reader and the delivery (prism_resources/returns.py).
Format: SES developer guide, "Examples of event data that Amazon SES publishes to Amazon SNS" (`eventType`, of a
configuration set) and "Amazon SNS notification contents" (`notificationType`, of an identity): the same parts.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from prism_core.failures import PermanentFailure

_SHOWN: Final = 200


class Feedback(StrEnum):
    """`refused`: the address takes no mail, now or later. `undelivered`: this mail did not arrive, another one
    may. `complaint`: it arrived, and its reader called it unwanted."""

    REFUSED = "refused"
    UNDELIVERED = "undelivered"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class MailFeedback:
    """`message_id` is SES's own of the mail; `addresses` are those of the recipients that it is about; `why` names
    no address."""

    kind: Feedback
    message_id: str
    addresses: tuple[str, ...]
    at: datetime
    why: str


class _Recipient(msgspec.Struct, rename="camel"):
    email_address: str
    status: str = ""


class _Bounce(msgspec.Struct, rename="camel"):
    bounce_type: str
    bounced_recipients: list[_Recipient]
    timestamp: datetime
    bounce_sub_type: str = ""


class _Complaint(msgspec.Struct, rename="camel"):
    complained_recipients: list[_Recipient]
    timestamp: datetime
    complaint_feedback_type: str | None = None


class _Reject(msgspec.Struct):
    reason: str = ""


class _Mail(msgspec.Struct, rename="camel"):
    message_id: str
    timestamp: datetime
    destination: list[str] = []


class _Event(msgspec.Struct, rename="camel"):
    mail: _Mail
    event_type: str = ""
    notification_type: str = ""
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    reject: _Reject | None = None


def read_mail_feedback(text: str) -> MailFeedback | None:
    """What a message of SES says; None for one that nothing follows from, such as a delivery.

    Raises PermanentFailure for what is no message of SES.
    """
    try:
        found = msgspec.json.decode(text, type=_Event)
    except (msgspec.MsgspecError, ValueError) as error:
        raise PermanentFailure(f"this is nothing that SES writes: {error}: {text[:_SHOWN]!r}") from error
    kind = found.event_type or found.notification_type
    match kind, found.bounce, found.complaint:
        case "Bounce", _Bounce() as bounce, _:
            return MailFeedback(
                Feedback.REFUSED if bounce.bounce_type == "Permanent" else Feedback.UNDELIVERED,
                found.mail.message_id,
                tuple(one.email_address for one in bounce.bounced_recipients),
                bounce.timestamp,
                _words(
                    bounce.bounce_type, bounce.bounce_sub_type, *(one.status for one in bounce.bounced_recipients)
                ),
            )
        case "Complaint", _, _Complaint() as complaint:
            return MailFeedback(
                Feedback.COMPLAINT,
                found.mail.message_id,
                tuple(one.email_address for one in complaint.complained_recipients),
                complaint.timestamp,
                complaint.complaint_feedback_type or "",
            )
        case "Reject", _, _:
            reason = "" if found.reject is None else found.reject.reason
            mail = found.mail
            return MailFeedback(
                Feedback.UNDELIVERED, mail.message_id, tuple(mail.destination), mail.timestamp, reason
            )
        case (("" | "Bounce" | "Complaint"), _, _):
            raise PermanentFailure(f"SES writes what happened to a mail beside its type: {text[:_SHOWN]!r}")
        case _:
            return None


def _words(*parts: str) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))
