"""What SES writes of a mail after it took it, in both of its forms."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from prism_core.failures import PermanentFailure
from prism_core.mail_feedback import Feedback, MailFeedback, read_mail_feedback

MAIL = {
    "timestamp": "2017-08-05T00:40:01.123Z",
    "source": "Sender Name <sender@example.com>",
    "sendingAccountId": "123456789012",
    "messageId": "EXAMPLE7c191be45",
    "destination": ["recipient@example.com"],
    "headersTruncated": False,
    "tags": {"ses:configuration-set": ["ConfigSet"]},
}
BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {
            "emailAddress": "recipient@example.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ],
    "timestamp": "2017-08-05T00:41:02.669Z",
    "feedbackId": "01000157c44f053b",
    "reportingMTA": "dsn; mta.example.com",
}
COMPLAINT = {
    "complainedRecipients": [{"emailAddress": "recipient@example.com"}],
    "timestamp": "2017-08-05T00:41:02.669Z",
    "feedbackId": "01000157c44f053b",
    "complaintFeedbackType": "abuse",
}
AT = datetime(2017, 8, 5, 0, 41, 2, 669000, UTC)


def found(kind: Feedback, why: str, at: datetime = AT) -> MailFeedback:
    return MailFeedback(kind, "EXAMPLE7c191be45", ("recipient@example.com",), at, why)


UNTYPED = found(Feedback.COMPLAINT, "")


@pytest.mark.parametrize("form", ["eventType", "notificationType"])
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": "Bounce", "bounce": BOUNCE}, found(Feedback.REFUSED, "Permanent General 5.1.1")),
        (
            {"type": "Bounce", "bounce": BOUNCE | {"bounceType": "Transient", "bounceSubType": "MailboxFull"}},
            found(Feedback.UNDELIVERED, "Transient MailboxFull 5.1.1"),
        ),
        (
            {"type": "Bounce", "bounce": BOUNCE | {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}},
            found(Feedback.UNDELIVERED, "Undetermined 5.1.1"),
        ),
        ({"type": "Complaint", "complaint": COMPLAINT}, found(Feedback.COMPLAINT, "abuse")),
        (
            {"type": "Complaint", "complaint": COMPLAINT | {"complaintFeedbackType": None}},
            found(Feedback.COMPLAINT, ""),
        ),
        (
            {"type": "Reject", "reject": {"reason": "Bad content"}},
            found(Feedback.UNDELIVERED, "Bad content", datetime(2017, 8, 5, 0, 40, 1, 123000, UTC)),
        ),
        ({"type": "Delivery", "delivery": {"recipients": ["recipient@example.com"]}}, None),
        ({"type": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}}, None),
    ],
    ids=[
        "for good",
        "full",
        "nobody knows",
        "complaint",
        "untyped complaint",
        "reject",
        "delivery",
        "delay",
    ],
)
def test_what_ses_says_is_told_apart(form: str, said: dict[str, Any], expected: MailFeedback | None) -> None:
    parts = {name: part for name, part in said.items() if name != "type"}

    assert read_mail_feedback(json.dumps({form: said["type"], "mail": MAIL, **parts})) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        json.dumps({"Type": "Notification", "Message": "{}"}),
        json.dumps({"mail": MAIL}),
        json.dumps({"eventType": "Bounce", "mail": MAIL}),
        json.dumps({"eventType": "Bounce", "mail": MAIL, "bounce": {"bounceType": "Permanent"}}),
        json.dumps({"eventType": "Complaint", "mail": MAIL, "bounce": BOUNCE}),
        json.dumps({"eventType": "Bounce", "mail": MAIL, "bounce": BOUNCE | {"timestamp": "yesterday"}}),
        "x" * 10_000,
    ],
    ids=["empty", "list", "cut", "sns", "no type", "no bounce", "no address", "other part", "no instant", "long"],
)
def test_what_is_no_message_of_ses_is_refused_with_its_beginning(text: str) -> None:
    with pytest.raises(PermanentFailure, match="SES writes") as refused:
        read_mail_feedback(text)

    assert len(str(refused.value)) < 600
