"""What a run makes of mails that were not sent.

Belongs here: the failure by which it ends, for every asset that mails. Does not belong here: sending, and how
long a mail is tried (prism_core/mail_attempts.py).
A run fails as long as a mail of its editions is given up and nobody has said what becomes of it: one that
succeeded would end the incident as mended, and the reader had nothing.
"""

from collections.abc import Iterable

from prism_core.failures import PermanentFailure, TransientFailure
from prism_core.mail_attempts import Outcome
from prism_core.models.reports import Delivery


def require_sent(outcomes: Iterable[Outcome], *, at_once: bool = False) -> None:
    """Raises PermanentFailure for mails that are given up, TransientFailure for others that were refused.

    `at_once`: PermanentFailure, too, for what does not pass by itself; later runs try it all the same.
    """
    found = list(outcomes)
    given_up = [one for outcome in found for one in outcome.given_up]
    waiting = [one for outcome in found for one in outcome.waiting]
    said = list[str]()
    if given_up:
        said.append(
            f"{len(given_up)} mails are given up, their recipients have not got them: {_named(given_up)}. Mend "
            "what the error says, then `prism deliveries EDITION RECIPIENT --settle again` sends it, or "
            "`--settle dropped` lets it be"
        )
    if waiting:
        said.append(f"{len(waiting)} mails were refused and are tried again: {_named(waiting)}")
    if given_up or (waiting and at_once and any(outcome.for_good for outcome in found)):
        raise PermanentFailure("; ".join(said))
    if waiting:
        raise TransientFailure("; ".join(said))


def _named(deliveries: Iterable[Delivery]) -> str:
    return "; ".join(f"{one.edition_id} to {one.recipient_id}: {one.status}: {one.error}" for one in deliveries)
