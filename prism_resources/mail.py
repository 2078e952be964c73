"""Mail through SES.

Belongs here: handing a message over. Does not belong here: its form (messages.py), what it says, to whom, and that
it goes once (incidents.py, mailing.py).
SES of version one with a raw message of seven bits: the embedded one loses headers and attachments of version two,
and every message with a byte above 127. A call is sent once: SES knows no token that makes a second one the same.
"""

import time
from collections.abc import Sequence

from botocore.exceptions import ClientError, HTTPClientError

from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import THROTTLED, calling, error_code
from prism_resources.messages import Attached, Inline, message

# What SES takes in one call; more is several messages.
MOST_RECIPIENTS = 50
# A new account may send one message a second. What is throttled was refused, so it is sent again after these.
THROTTLED_SECONDS = (1.0, 2.0, 4.0)


class Unanswered(TransientFailure):
    """The message was handed over and no answer came: it may have gone, or not."""


class Mailer:
    """Sends from the one sender of the settings."""

    def __init__(self, settings: Settings) -> None:
        if settings.sender is None:
            raise PermanentFailure(
                "nobody has said whom mail is from; set PRISM_MAIL_SENDER to a verified identity"
            )
        self._sender, self._ses = settings.sender, client(settings, "ses", attempts=1)

    def send(
        self,
        recipients: Sequence[str],
        subject: str,
        text: str,
        *,
        html: str | None = None,
        pictures: Sequence[Inline] = (),
        attached: Sequence[Attached] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> str:
        """Hand one message over; answers SES's id of it. An answer says nothing about arrival.

        Raises PermanentFailure (no or too many recipients, a refused sender), TransientFailure (throttled, not
        reached) and Unanswered; only after the last may the message have gone.
        """
        if not 0 < len(recipients) <= MOST_RECIPIENTS:
            raise PermanentFailure(f"mail goes to 1 to {MOST_RECIPIENTS} recipients, not {len(recipients)}")
        sent = message(
            self._sender,
            recipients,
            subject,
            text,
            html=html,
            pictures=pictures,
            attached=attached,
            headers=headers,
        ).as_bytes()
        waits = iter(THROTTLED_SECONDS)
        while True:
            with calling(f"mail {subject[:60]!r}", "send"):
                try:
                    answer = self._ses.send_raw_email(
                        RawMessage={"Data": sent},
                        Destinations=list(recipients),
                        Source=self._sender,
                    )
                except (ClientError, HTTPClientError) as error:
                    if _may_have_gone(error):
                        said = f"nobody knows whether mail {subject[:60]!r} has gone: {error}"
                        raise Unanswered(said) from error
                    wait = next(waits, None) if _is_throttled(error) else None
                    if wait is None:
                        raise
                else:
                    return str(answer["MessageId"])
            time.sleep(wait)


def _may_have_gone(error: ClientError | HTTPClientError) -> bool:
    """A connection that was never made is another class of botocore's; a refusal has a status below 500."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    return True


def _is_throttled(error: ClientError | HTTPClientError) -> bool:
    """Refused for now: it has not gone."""
    return isinstance(error, ClientError) and error_code(error) in THROTTLED
