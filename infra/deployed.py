"""What the stacks of an installation on AWS were told of the settings, and where this process says something else.

Belongs here: which parameter tells which setting, and the refusals that follow: a deployment that would put back
to its default what nobody named, and a command that would read and write by other rules than the functions do.
Does not belong here: parameters that are no settings, which a stack keeps by itself (deploy.py).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from infra.deploy_failures import SettingsUnsaid
from infra.stacks import Stack
from prism_core.failures import BadUsage, PrismFailure
from prism_core.settings import HOME_FILE, PREFIX, Environment, Settings
from prism_resources.wire.findings import Finding, Level

# A parameter has the text that the variable of the setting has.
TOLD: Final[Mapping[str, str]] = {
    "BackupRetentionDays": "backup_retention_days",
    "ChangelogShards": "changelog_shards",
    "EventServices": "event_services",
    "EventsKeepDays": "events_keep_days",
    "EventsQueueLimit": "events_queue_limit",
    "FirstWeek": "first_week",
    "ImageThresholds": "image_thresholds",
    "LeadScope": "lead_scope",
    "MailSender": "mail_sender",
    "OperationsEmail": "operations_email",
    "PlanWeights": "plan_weights",
    "RekognitionUrl": "rekognition_api_url",
    "ReportHour": "report_hour",
    "TimeZone": "report_time_zone",
    "WorkerActivityLogGroup": "worker_activity_log_group",
}
# All others that were not the default, for Dagster.
TOLD_TOGETHER: Final = "SettingsJson"
# What rows are written and found by, and whom mail is from: with another one a command misses half of the change
# log, asks for weeks that there are not, or calls a healthy sender failed. The stacks that were told of them.
AGREED: Final = ("changelog_shards", "first_week", "mail_sender")
_TOLD_OF_THEM: Final = ("api", "mail")
_AGREEMENT: Final = "settings"


def told(parameters: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Settings by their names, as a variable or the file would say them; None where a parameter says nothing.

    `parameters` are those of deployed stacks. What this version has no setting for is left out.
    """
    found: dict[str, Any] = {}
    for one in parameters:
        name, text = one["ParameterKey"], one.get("ParameterValue", "")
        if name == TOLD_TOGETHER:
            found |= json.loads(text or "{}")
        elif name in TOLD:
            found[TOLD[name]] = text or None
    return {name: value for name, value in found.items() if name in Settings.model_fields}


def refuse_unsaid(settings: Settings, parameters: Iterable[Mapping[str, str]]) -> None:
    """Raises SettingsUnsaid where what is deployed is not what this process has, and nobody named it here.

    What somebody named is meant, whatever is deployed.
    """
    unsaid = {name: value for name, value in told(parameters).items() if name not in settings.model_fields_set}
    said = settings.model_dump(exclude_unset=True)
    try:
        kept = Settings.model_validate(said | unsaid)
    except ValidationError as error:  # a version before this one took it
        others = {str(one["loc"][0]) for one in error.errors() if one["loc"]} & unsaid.keys()
        others = others or set(unsaid)
    else:
        others = {name for name in unsaid if getattr(kept, name) != getattr(settings, name)}
    if others:
        named = "\n".join(f"{PREFIX}{name.upper()}={_text(unsaid[name])}" for name in sorted(others))
        raise SettingsUnsaid(
            f"these settings are deployed and nobody has said them here, so that each would become its default:\n"
            f"{named}\nNothing was changed. Deploy with the settings of whoever deployed last ({HOME_FILE} in "
            "PRISM_HOME, or variables), or say another value of each on purpose"
        )


def refuse_unlike(settings: Settings) -> None:
    """Raises BadUsage where this process would read or write by another rule than the installation does."""
    parameters: list[Mapping[str, str]] = []
    for concern in _TOLD_OF_THEM:
        parameters += (Stack(settings, f"{settings.name_prefix}-{concern}").described() or {}).get(
            "Parameters", []
        )
    everything = told(parameters)
    found = {name: everything[name] for name in AGREED if name in everything}
    there = Settings.model_validate(found)
    others = [name for name in found if getattr(there, name) != getattr(settings, name)]
    if others:
        named = "; ".join(
            f"{PREFIX}{name.upper()} is {_text(getattr(settings, name))} here and {_text(found[name])} there"
            for name in others
        )
        raise BadUsage(
            f"this process and what is deployed do not agree: {named}. Nothing was done. Work with the settings "
            f"of whoever deploys: {HOME_FILE} in PRISM_HOME, or variables"
        )


def unlike(settings: Settings) -> list[Finding]:
    """The same as a finding of the doctor, who has others to tell whatever AWS answers; on AWS alone."""
    if settings.environment is Environment.LOCAL:
        return []
    try:
        refuse_unlike(settings)
    except PrismFailure as error:
        return [Finding(_AGREEMENT, Level.FAILED, str(error))]
    return [Finding(_AGREEMENT, Level.OK, "what rows are written and found by is what is deployed")]


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
