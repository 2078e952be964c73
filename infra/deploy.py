"""Deploy the templates, the same ones to both places.

Belongs here: CloudFormation calls and the parameters that code knows better than a person (the projected
weeks, the key of a function's code). Does not belong here: what is deployed (infra/templates, infra/packaging).
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infra.local.home import Ports
from infra.packaging.function import FUNCTIONS, code_for, upload
from infra.packaging.libraries import Arch
from infra.upgrade import complete_keys, new_indexes
from prism_core.calendar import Week, weeks_in_year
from prism_core.clock import NOW_VARIABLE
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.settings import Environment, Settings
from prism_resources.aws import client
from prism_resources.failures import calling

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

TEMPLATES = Path(__file__).parent / "templates"
# In the order of their dependence.
STACKS = ("data", "catalog", "catalog-records", "catalog-views", "mail", "planner", "api", "events", "media")
SIGNED_IN, SIGNED_OUT = "/auth/callback", "/"
WAIT_SECONDS = 900
# CloudFormation takes 4,096 characters a parameter; a week and its comma take nine.
WEEKS_PER_PARAMETER = 450


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one stack needed: `created`, `updated` or `unchanged`."""

    stack: str
    action: str


def projected_weeks(first: Week, today: Week) -> list[str]:
    """ISO weeks that Athena may look for: from the first week to the end of next year.

    It changes once a year, so that a deploy in between finds nothing to do. Raises PermanentFailure when they are
    more than the template's parameters can hold.
    """
    next_year = today.monday.isocalendar().year + 1
    last = Week.parse(f"{next_year}-W{weeks_in_year(next_year)}")
    weeks = [(first + i).label for i in range(last - first + 1)]
    if len(weeks) > 2 * WEEKS_PER_PARAMETER:
        raise PermanentFailure(
            f"{first} to {last} are {len(weeks)} weeks; Athena is told of {2 * WEEKS_PER_PARAMETER} at most, and "
            "would not see the last ones: set a later PRISM_FIRST_WEEK, or add a parameter to catalog.yaml"
        )
    return weeks


def stack_name(settings: Settings, concern: str) -> str:
    return f"{settings.name_prefix}-{concern}"


def deploy(
    settings: Settings,
    today: Week,
    say: Callable[[str], None],
    *,
    origins: Sequence[str] = (),
    arch: Arch = Arch.ARM64,
) -> list[Deployment]:
    """Create or update every stack; the code of the functions is built and uploaded on the way.

    `origins` are where the screens are served, by default the front door of a local platform; `arch` is for AWS.
    Raises PermanentFailure with CloudFormation's reason when a stack fails.
    """
    values = _parameters(settings, today, origins or local_origins(settings), arch)
    done: list[Deployment] = []
    lacking = new_indexes(settings)
    if lacking:
        say(f"giving items the keys of new indexes: {', '.join(sorted(lacking))}")
        complete_keys(settings, lacking)
    for concern in STACKS:
        if concern in FUNCTIONS:
            say(f"uploading the code of the {concern} function")
            code = code_for(settings, FUNCTIONS[concern], arch)
            values["CodeKey"] = upload(settings, values["CodeBucket"], code)
        say(f"deploying stack {concern}")
        done.append(_deploy_stack(settings, concern, values))
        # What a stack says it made is what a later one may ask for, by the same name.
        values |= outputs(settings, concern)
    # What the older version wrote while its indexes were made.
    complete_keys(settings, lacking)
    return done


def outputs(settings: Settings, concern: str) -> dict[str, str]:
    """What a deployed stack made, by the names of its template. Raises PermanentFailure when it is not there."""
    name = stack_name(settings, concern)
    try:
        with calling(f"stack {name}", "look at"):
            found = client(settings, "cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except PermanentFailure as error:
        raise PermanentFailure(f"stack {name} is not deployed; `prism up` does that") from error
    return {one.get("OutputKey", ""): one.get("OutputValue", "") for one in found.get("Outputs", [])}


def local_origins(settings: Settings) -> list[str]:
    """Where the front door of a local platform is, by both names of this machine. Raises BadUsage on AWS."""
    if settings.environment is Environment.AWS or settings.aws_endpoint_url is None:
        raise BadUsage("on AWS, say where the screens are served")
    screens = Ports.of_emulator(settings.aws_endpoint_url.port or 0).screens
    return [f"http://{name}:{screens}" for name in ("127.0.0.1", "localhost")]


def _parameters(settings: Settings, today: Week, origins: Sequence[str], arch: Arch) -> dict[str, str]:
    weeks = projected_weeks(settings.first_week, today)
    local = settings.environment is Environment.LOCAL
    return {
        "Environment": settings.environment.value,
        "NamePrefix": settings.name_prefix,
        "DatabaseName": settings.glue_database,
        "LakeBucket": settings.lake_bucket,
        "ProjectedWeeks": ",".join(weeks[:WEEKS_PER_PARAMETER]),
        "ProjectedWeeksMore": ",".join(weeks[WEEKS_PER_PARAMETER : 2 * WEEKS_PER_PARAMETER]),
        "FirstWeek": settings.first_week.label,
        "BackupRetentionDays": str(settings.backup_retention_days),
        "ChangelogShards": str(settings.changelog_shards),
        "EventsKeepDays": str(settings.events_keep_days),
        "EventsQueueLimit": str(settings.events_queue_limit),
        "EventServices": json.dumps(settings.model_dump(mode="json")["event_services"]),
        "ImageThresholds": settings.image_thresholds.model_dump_json(),
        "RekognitionUrl": str(settings.rekognition_api_url or "").rstrip("/"),
        "UploadOrigins": ",".join(origins),
        "MailSender": settings.sender or "",
        "LeadScope": settings.lead_scope.value,
        "PlanWeights": settings.plan_weights.model_dump_json(exclude_none=True),
        "Architecture": arch.value,
        "SignedInPages": ",".join(f"{origin}{SIGNED_IN}" for origin in origins),
        "SignedOutPages": ",".join(f"{origin}{SIGNED_OUT}" for origin in origins),
        "EndpointUrl": str(settings.aws_endpoint_url).rstrip("/") if local else "",
        # A fixed clock is fixed for the functions, too; on AWS it is not a thing.
        "FixedNow": os.environ.get(NOW_VARIABLE, "") if local else "",
    }


def _deploy_stack(settings: Settings, concern: str, values: dict[str, str]) -> Deployment:
    cloudformation = client(settings, "cloudformation")
    name, body = stack_name(settings, concern), (TEMPLATES / f"{concern}.yaml").read_text()
    with calling(f"template {concern}", "check"):
        declared = cloudformation.get_template_summary(TemplateBody=body).get("Parameters", [])
    wanted = [parameter.get("ParameterKey", "") for parameter in declared]
    given = [{"ParameterKey": key, "ParameterValue": values[key]} for key in wanted if key in values]
    exists = _status(cloudformation, name) is not None
    change_set = f"deploy-{time.time_ns()}"
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=change_set,
        ChangeSetType="UPDATE" if exists else "CREATE",
        TemplateBody=body,
        Parameters=given,  # type: ignore[arg-type]
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": "prism:environment", "Value": settings.environment.value}],
    )
    if not _change_set_ready(cloudformation, name, change_set):
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
        return Deployment(name, "unchanged")
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
    _await_stack(cloudformation, name)
    return Deployment(name, "updated" if exists else "created")


def _status(cloudformation: "CloudFormationClient", name: str) -> str | None:
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _change_set_ready(cloudformation: "CloudFormationClient", name: str, change_set: str) -> bool:
    """False when there is nothing to change."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set)
        status, reason = found["Status"], found.get("StatusReason", "")
        if status == "CREATE_COMPLETE":
            return True
        if status == "FAILED":
            if "didn't contain changes" in reason or "No updates" in reason:
                return False
            raise PermanentFailure(f"stack {name}: CloudFormation refuses the change: {reason}")
        time.sleep(0.1)
    raise TransientFailure(f"stack {name}: the change set was not ready in {WAIT_SECONDS} s")


def _await_stack(cloudformation: "CloudFormationClient", name: str) -> None:
    deadline, pause = time.monotonic() + WAIT_SECONDS, 0.05
    while time.monotonic() < deadline:
        status = _status(cloudformation, name) or "gone"
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return
        if not status.endswith("_IN_PROGRESS"):
            raise PermanentFailure(f"stack {name} is {status}: {_first_failure(cloudformation, name)}")
        time.sleep(pause)
        pause = min(pause * 1.5, 5.0)
    raise TransientFailure(f"stack {name} was not done in {WAIT_SECONDS} s; look at its events")


def _first_failure(cloudformation: "CloudFormationClient", name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if str(event.get("ResourceStatus", "")).endswith("_FAILED")]
    if not failed:
        return "no resource says why"
    first = min(failed, key=lambda event: event["Timestamp"])
    return f"{first.get('LogicalResourceId')}: {first.get('ResourceStatusReason', 'no reason given')}"
