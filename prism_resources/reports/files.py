"""A mail as files, to be looked at before anything is sent.

Belongs here: writing them. Does not belong here: making the mail (rendering.py).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from prism_core.failures import BadUsage
from prism_resources.messages import message
from prism_resources.reports.rendering import ReportMail

# Names that are nobody's (RFC 2606): the file is for looking at.
SENDER: Final = "prism@prism.example"
RECIPIENT: Final = "reader@prism.example"


def write_mail(mail: ReportMail, folder: Path, *, now: datetime) -> Sequence[Path]:
    """`report.html`, which a browser shows with the pictures beside it, `report.txt`, attached lists, and
    `report.eml`, the mail.

    Answers what was written. Raises BadUsage for a folder that cannot be written.
    """
    html = mail.html
    for one in mail.pictures:
        html = html.replace(f'"cid:{one.cid}"', f'"{one.name}"')
    whole = message(
        SENDER,
        [RECIPIENT],
        mail.subject,
        mail.text,
        html=mail.html,
        pictures=mail.pictures,
        attached=mail.attached,
        headers=[("Date", format_datetime(now))],
    )
    _with_known_boundaries(whole, mail)
    files = {
        "report.html": html.encode("ascii"),
        "report.txt": mail.text.encode(),
        "report.eml": whole.as_bytes(),
        **{one.name: one.png for one in mail.pictures},
        **{one.name: one.csv for one in mail.attached},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in files.items():
            (folder / name).write_bytes(body)
    except OSError as error:
        raise BadUsage(f"nothing can be written to {folder}: {error.strerror}") from error
    return [folder / name for name in files]


def _with_known_boundaries(whole: EmailMessage, mail: ReportMail) -> None:
    """The library draws them by lot; the same mail is to be the same file."""
    digest = hashlib.sha256(mail.html.encode()).hexdigest()[:24]
    for number, part in enumerate(whole.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{digest}_{number}")
