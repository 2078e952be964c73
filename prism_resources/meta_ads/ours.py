"""Whose ads may stand in the place of those that are published.

Belongs here: that rule, and what today's settings would be refused. Does not belong here: reading a week
(source.py), and what else two accounts differ in (the check `one_account`).
Published figures were mailed: a week of another account in their place would read as a correction of what was
never wrong.
"""

from collections.abc import Iterable, Iterator

from prism_core.calendar import Week
from prism_core.campaign.read_weeks import AdsRead
from prism_core.evidence import Evidence
from prism_core.failures import PermanentFailure
from prism_core.lake_campaign import META_INSIGHTS
from prism_core.settings import Settings
from prism_resources.lake import Lake, UnreadableManifest
from prism_resources.meta_ads.source import FILES, STAND_IN, account_id, asked_of, source_of
from prism_resources.wire.findings import Finding, Level

WEEKS = "meta weeks"


def require_same(week: Week, before: AdsRead, account: str, source: str, settings: Settings) -> None:
    """That ads of an `account`, from a `source`, may replace a week that is published from `before`.

    What a stand-in made up gives way to everything, files to files. Raises PermanentFailure that names both
    accounts and says what to do.
    """
    if before.source == STAND_IN or before.source == source == FILES or before.account_id == account:
        return
    if source == STAND_IN:
        raise PermanentFailure(
            f"the ads of {week} are published of account {before.account_id}, and the stand-in of Meta would be "
            f"asked for them (account {account}, synthetic); nothing was replaced. Name the service that is to be "
            "asked (PRISM_META_API_URL), or nobody (PRISM_CAMPAIGN_SOURCE=archive)"
        )
    if before.account_id == settings.meta_account_replaced:
        return
    was = before.account_id
    raise PermanentFailure(
        f"the ads of {week} are published of account {was}, and account {account} would replace them; nothing was "
        f"replaced. Set PRISM_META_ACCOUNT_ID={was} to go on with that account, PRISM_META_ACCOUNT_REPLACED={was} "
        "to have its weeks replaced by those of the other one, or give the other one a platform of its own "
        "(PRISM_HOME)"
    )


def refused_weeks(settings: Settings, lake: Lake, weeks: Iterable[Week]) -> Iterator[Finding]:
    """What a reading of these weeks would be refused for, said once for all of them."""
    for week in weeks:
        before = published_from(lake, week)
        if before is None or source_of(lake, week) == FILES:
            continue
        try:
            require_same(week, before, account_id(settings), asked_of(settings), settings)
        except PermanentFailure as refusal:
            yield Finding(WEEKS, Level.FAILED, str(refusal))
            return


def published_from(lake: Lake, week: Week) -> AdsRead | None:
    """What the published ads of a week were read from; None where there are none, or nobody can tell."""
    try:
        manifest = lake.manifest(META_INSIGHTS.partition(week))
    except UnreadableManifest:
        return None
    found = None if manifest is None else manifest.evidence
    return None if found is None else AdsRead.of(Evidence.from_plain(found))
