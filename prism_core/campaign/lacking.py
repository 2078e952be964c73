"""What rows of ads lack of the account's own totals, and whether they may stand all the same.

Belongs here: that rule. Does not belong here: reading either (resources), and the check that asks it.
Two levels of Meta differ by a little for good; an answer that is empty twice is no difference.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from prism_core.campaign.read_weeks import AdsRead

# So much of the account's spend and of its leads may be lacking for good, and one lead of a small account.
MOST_LACKING: Final = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Lacking:
    """Spend, in the account's currency, and leads of the account that are in no row; below nought: in excess."""

    spend: Decimal
    leads: int

    @classmethod
    def of(cls, read: AdsRead, spent: Decimal, leads: int, rows: int) -> "Lacking | None":
        """Of rows that came to `spent` and `leads`; None where nobody told both of the account's totals."""
        if read.control is None or read.lead_control is None:
            return None
        return cls(read.unaccounted(spent, rows), read.uncounted(leads))

    @property
    def of_both(self) -> bool:
        """Whether rows fall short of both totals: a page that is gone took spend and leads along."""
        return self.spend > 0 and self.leads > 0

    def is_little(self, spend: Decimal, leads: int) -> bool:
        """Beside the account's own totals."""
        return self.spend <= spend * MOST_LACKING and self.leads <= max(1, leads * MOST_LACKING)

    def is_less_than(self, other: "Lacking") -> bool:
        """Whether either figure lies nearer to the account's own than the other one's."""
        return abs(self.spend) < abs(other.spend) or abs(self.leads) < abs(other.leads)


def may_stand(read: AdsRead, now: Lacking | None, before: Lacking | None, published: Lacking | None) -> bool:
    """Whether rows that lack something are the account's own difference, and no page of them was lost.

    They are when the reading `before` lacked the same, it is little, and what is `published` (None: nothing of
    these days) lay no nearer to the account's totals.
    """
    if now is None or not now.of_both:
        return True
    spend = sum((read.control or {}).values(), Decimal(0))
    leads = sum((read.lead_control or {}).values())
    nearer = published is not None and published.is_less_than(now)
    return now == before and now.is_little(spend, leads) and not nearer
