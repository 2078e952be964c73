"""How old a week was when its leads were counted, and what they were at each age: Meta counts leads for 28 days.

Belongs here: those counts, their form as evidence, and which of them two weeks are compared by. Does not belong
here: reading them (resources) and comparing (trends.py).
A week that has just ended lacks the leads that are still to come; beside weeks that have theirs it would fall on
every Monday. So it is laid beside what those were at its own age.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from prism_core.calendar import Week
from prism_core.evidence import Evidence, Part

# Days after its end from which on nothing is counted to a week any more.
RIPE_DAYS: Final = 28
# So many days apart are one age: a reading that failed on Monday is made on Tuesday.
SAME_AGE_DAYS: Final = 1
# Where nobody knows what a week will grow to: no more than as many leads again are taken to come.
MOST_GROWTH: Final = 2
LEAD_COUNTS: Final = "lead_counts"
_AGE: Final = ""  # the identity of the age itself, beside those of campaigns


@dataclass(frozen=True, slots=True)
class LeadCounts:
    """Leads of a week by age in whole days and by campaign, each age as it was first read whole.

    `age` is that of the published figures; RIPE_DAYS where nothing is added any more, as in files. The leads of
    that age are the published ones, and stand here only while they are not ripe.
    """

    age: int = RIPE_DAYS
    by_age: Mapping[int, Mapping[str, int]] = field(default_factory=dict[int, Mapping[str, int]])

    def with_count(self, age: int, leads: Mapping[str, int]) -> "LeadCounts":
        """With those of one more age; what is known of an age stays."""
        if age >= RIPE_DAYS or age in self.by_age:
            return self
        return LeadCounts(self.age, {**self.by_age, age: dict(leads)})

    def until(self, age: int) -> "LeadCounts":
        """As they were known when the week was of an age."""
        return LeadCounts(age, {one: leads for one, leads in self.by_age.items() if one <= age})

    def part(self) -> Part:
        """As a manifest keeps it."""
        ages = {(str(age), _AGE): "" for age in self.by_age} | {(_AGE, _AGE): str(self.age)}
        return Part(
            ("age", "campaign"),
            ages
            | {(str(age), name): str(n) for age, leads in self.by_age.items() for name, n in leads.items() if n},
        )

    @classmethod
    def of(cls, evidence: Evidence) -> "LeadCounts":
        """The inverse of `part`; a week that was written without one is ripe."""
        part = evidence.parts.get(LEAD_COUNTS)
        if part is None:
            return cls()
        by_age: dict[int, dict[str, int]] = {}
        for (age, name), said in part.items.items():
            if age:
                leads = by_age.setdefault(int(age), {})
                if name:
                    leads[name] = int(said)
        return cls(int(part.items[_AGE, _AGE]), dict(sorted(by_age.items())))

    def own(self, wanted: int) -> int:
        """The age at which this week is told where another one is told at `wanted`: that, else a later one."""
        found = self.beside(wanted)
        return self.age if found is None else found

    def beside(self, age: int) -> int | None:
        """The age at which this week is laid beside one of an `age`: that, else a later one; None without any."""
        nearest = self._nearest(age)
        if nearest is not None:
            return nearest
        return min((one for one in self._ages() if one > age), default=None)

    def leads(self, age: int) -> Mapping[str, int] | None:
        """By campaign at one of its ages; None: as they are published."""
        return None if age == self.age else self.by_age[age]

    def _nearest(self, age: int) -> int | None:
        near = [one for one in self._ages() if abs(one - age) <= SAME_AGE_DAYS]
        return min(near, key=lambda one: (abs(one - age), -one), default=None)

    def _ages(self) -> set[int]:
        return {*self.by_age, self.age}


def age_of(week: Week, day: date) -> int:
    """How many whole days of the account lie between the end of a week and a day in which it was read."""
    return min(max((day - week.sunday).days - 1, 0), RIPE_DAYS)


def by_campaign(leads: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The leads of ads added up by campaign; a campaign without any is left out."""
    found: dict[str, int] = {}
    for campaign, count in leads:
        if count:
            found[campaign] = found.get(campaign, 0) + count
    return found
