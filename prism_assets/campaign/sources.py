"""Where the weeks of a run come from: Meta and HubSpot, or what they have answered before.

Belongs here: that choice, by setting, by the tag of a run and by week, and telling a run's log how far a walk is.
Does not belong here: reading either way (prism_resources), and what is made of a week.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

import dagster as dg

from prism_assets.resources import PrismResource
from prism_core.calendar import Week
from prism_core.campaign.read_weeks import AdsRead
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import CampaignSource
from prism_resources.hubspot.source import FILES as FILES_OF_LEADS
from prism_resources.hubspot.source import ArchivedLeads, LeadsWeek, LiveLeads
from prism_resources.hubspot.source import source_of as source_of_leads
from prism_resources.meta_ads.ours import published_from, require_same
from prism_resources.meta_ads.source import (
    FILES,
    AdsWeek,
    ArchivedAds,
    LiveAds,
    account_id,
    asked_of,
    source_of,
)
from prism_resources.wire.patience import Progress, Tell

# A run with this tag asks nobody: NEWEST, or the instant as of which the archive is read.
REPLAY_TAG: Final = "prism/replay"
NEWEST: Final = "newest"
# A large account has thousands of pages, and every line of a run's log is a row of its database.
_SECONDS_BETWEEN_LINES: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one run. `at`: as the archive knew it then, None for the newest reading."""

    prism: PrismResource
    archived: bool
    at: datetime | None
    tell: Tell

    @classmethod
    def of(cls, context: dg.AssetExecutionContext, prism: PrismResource) -> Self:
        """What the tags of the run say, else the setting. Raises BadUsage for a tag that is no instant."""
        tag = context.run.tags.get(REPLAY_TAG)
        archived = tag is not None or prism.settings().campaign_source is CampaignSource.ARCHIVE
        return cls(prism, archived, replayed_at(tag), _to_log(context.log.info))

    def must_be_ours(self, weeks: Iterable[Week]) -> None:
        """Raises PermanentFailure where Meta would be asked for a week that is published of another account."""
        settings, lake = self.prism.settings(), self.prism.lake()
        for week in weeks:
            before = published_from(lake, week)
            if before is not None and not self._from_archive(week, before):
                require_same(week, before, account_id(settings), asked_of(settings), settings)

    def ads(self, week: Week) -> AdsWeek:
        """A week of ads. One that was loaded from files is those files, whoever else could be asked.

        Raises PermanentFailure for ads of another account than those that are published.
        """
        settings, lake = self.prism.settings(), self.prism.lake()
        before = published_from(lake, week)
        if not self._from_archive(week, before):
            self.must_be_ours([week])
            return LiveAds(settings, lake, tell=self.tell).week(week)
        found = ArchivedAds(lake, at=self.at).week(week)
        if before is not None:
            require_same(week, before, found.account.account_id, found.source, settings)
        return found

    def _from_archive(self, week: Week, before: AdsRead | None) -> bool:
        """Raises PermanentFailure for a week that was published from files which the archive has no more."""
        source = source_of(self.prism.lake(), week)
        if before is not None and before.source == FILES and source is None:
            # Asking Meta instead would make another account's figures of it.
            raise PermanentFailure(
                f"the ads of {week} were loaded from files, which have expired from the archive; the published "
                "figures stand. To compute them anew, load the files again: `prism ingest ads`"
            )
        return self.archived or source == FILES

    def leads(self, week: Week, zone: ZoneInfo, ads_from: str) -> LeadsWeek | None:
        """A week of leads; None where nobody may be asked. One that was loaded from files is those files.

        Beside ads from files only archived leads are laid: which account a file is of, nobody can check.
        """
        lake = self.prism.lake()
        archive = ArchivedLeads(lake, at=self.at)
        if ads_from == FILES and not archive.has(week):
            return None
        if self.archived or ads_from == FILES or source_of_leads(lake, week) == FILES_OF_LEADS:
            return archive.week(week, zone)
        return LiveLeads(self.prism.settings(), lake, tell=self.tell).week(week, zone)


def replayed_at(tag: str | None) -> datetime | None:
    """The instant that a tag names. Raises BadUsage."""
    if tag is None or tag == NEWEST:
        return None
    try:
        found = datetime.fromisoformat(tag)
    except ValueError as error:
        raise BadUsage(f"{REPLAY_TAG}={tag!r} is neither {NEWEST} nor an instant") from error
    if found.tzinfo is None:
        raise BadUsage(f"{REPLAY_TAG}={tag!r} has no time zone; add +00:00 or Z")
    return found


def _to_log(say: Callable[[str], object]) -> Tell:
    said = 0.0

    def tell(progress: Progress) -> None:
        nonlocal said
        if (now := time.monotonic()) - said >= _SECONDS_BETWEEN_LINES:
            said = now
            share = "" if progress.share is None else f", {progress.share:.0%}"
            say(f"{progress.what}: {progress.rows:,} rows{share}")

    return tell
