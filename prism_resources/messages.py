"""A mail as it travels: plain text, the same as HTML, the pictures that the HTML shows, and lists beside them.

Belongs here: MIME. Does not belong here: what a mail says, and handing it over (mail.py).
Seven bits, because the embedded SES loses every message with a byte above 127.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

_SEVEN_BIT: Final = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Inline:
    """A PNG that the HTML names as `cid:` with its id."""

    name: str
    png: bytes

    @property
    def cid(self) -> str:
        """Of what it shows: in a thread, programs show a picture of another mail where two have one id."""
        return f"{self.name}.{hashlib.sha256(self.png).hexdigest()[:16]}@prism"


@dataclass(frozen=True, slots=True)
class Attached:
    """A list as a file beside the mail, CSV in UTF-8."""

    name: str
    csv: bytes


def message(
    sender: str,
    recipients: Sequence[str],
    subject: str,
    text: str,
    *,
    html: str | None = None,
    pictures: Sequence[Inline] = (),
    attached: Sequence[Attached] = (),
    headers: Sequence[tuple[str, str]] = (),
) -> EmailMessage:
    """The text first, then what is shown instead where it can be: the HTML with its pictures."""
    made = EmailMessage(policy=_SEVEN_BIT)
    made["From"], made["To"] = f"PRISM <{sender}>", ", ".join(recipients)
    made["Subject"] = " ".join(subject.split())  # a line break would end the header
    for name, value in headers:
        made[name] = value
    made.set_content(text)
    if html is not None:
        made.add_alternative(html, subtype="html")
    shown = made.get_body(("html",))
    if shown is not None:
        for one in pictures:
            shown.add_related(one.png, "image", "png", cid=f"<{one.cid}>", filename=one.name, disposition="inline")
    for one in attached:
        made.add_attachment(one.csv, "text", "csv", filename=one.name)
    return made
