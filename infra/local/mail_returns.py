"""What the embedded SES does not do by itself: tell the queue of returns what came back.

Belongs here: asking for it the older way, by identity; the embedded SES keeps the event destinations of a
configuration set and sends them nothing. Does not belong here: queue and topic (infra/templates/mail.yaml).
"""

from typing import Final

from infra.deploy import outputs
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling

_KINDS: Final = ("Bounce", "Complaint")


def tell_of_returns(settings: Settings) -> None:
    """After each deployment. Raises PermanentFailure without the stack of mail."""
    topic = outputs(settings, "mail")["ReturnsTopicArn"]
    ses = client(settings, "ses")
    with calling(f"identity {settings.sender}", "set the topic of"):
        for kind in _KINDS:
            ses.set_identity_notification_topic(Identity=settings.sender, NotificationType=kind, SnsTopic=topic)
