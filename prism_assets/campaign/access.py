"""That somebody is told when the customer system refuses and a person must mend it.

Belongs here: the check that fails a run which nobody looks at. Does not belong here: publishing such a week
(inputs.py), and the mail about failed runs (prism_sensors).
The report of such a week says that the customer system was not read, and its run would end well: whoever could
renew the token heard of it on Friday.
"""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from prism_assets.campaign.published import evidence_of
from prism_assets.checking import FAILED_WEEKS
from prism_assets.partitions import weeks_of
from prism_assets.resources import PrismResource
from prism_assets.retries import RETRIES, failures_by_intent
from prism_core.calendar import Week
from prism_core.evidence import Evidence, Part
from prism_core.failures import PermanentFailure
from prism_core.lake_campaign import HUBSPOT_LEADS
from prism_core.settings import CampaignSource

_REFUSED: Final = "refused"
# Of a run that a schedule or a sensor has asked for. A person sees the warning of `customer_system_read`.
_BY_ITSELF: Final = {"dagster/schedule_name", "dagster/sensor_name"}


def refused_for(why: PermanentFailure) -> Evidence:
    """As the manifest of a week of leads keeps why it was not read."""
    return Evidence({_REFUSED: Part(("why",), {(str(why),): ""})})


def access_check(weekly: dg.WeeklyPartitionsDefinition) -> dg.AssetChecksDefinition:
    """`customer_system_answers`."""

    @dg.asset_check(
        asset=HUBSPOT_LEADS.name,
        name="customer_system_answers",
        partitions_def=weekly,
        retry_policy=RETRIES,
        description=(
            "No week was left without its leads because HubSpot refuses for a person to mend. In a run of a "
            "schedule or a sensor it fails the run, so that the mail about it says what to do; the report is made "
            "all the same."
        ),
    )
    def customer_system_answers(
        context: dg.AssetCheckExecutionContext, prism: PrismResource
    ) -> dg.AssetCheckResult:
        with failures_by_intent():
            found = _refused(prism, weeks_of(context))
            asked = prism.settings().campaign_source is not CampaignSource.ARCHIVE
            if found and asked and _BY_ITSELF & context.run.tags.keys():
                raise _for_a_person(found)
        said = {week.label: why for week, why in found.items()}
        severity = dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            passed=not found, severity=severity, metadata={"refused": dg.MetadataValue.json(said)}
        )

    return customer_system_answers


def _for_a_person(found: Mapping[Week, str]) -> dg.Failure:
    """Of the weeks that were refused: the incident is of these, and not of all that the run was about."""
    said = PermanentFailure("; ".join(dict.fromkeys(found.values())))
    named = {FAILED_WEEKS: dg.MetadataValue.json([week.label for week in found])}
    failure = dg.Failure(str(said), metadata=named, allow_retries=False)
    failure.__cause__ = said
    return failure


def _refused(prism: PrismResource, weeks: list[Week]) -> Mapping[Week, str]:
    """Why each of some weeks was refused."""
    found = {week: evidence_of(prism, HUBSPOT_LEADS, week) or Evidence() for week in weeks}
    parts = {week: one.parts[_REFUSED] for week, one in found.items() if _REFUSED in one.parts}
    return {week: why for week, part in parts.items() for (why,) in part.items}
