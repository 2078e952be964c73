"""Deploy the templates, the same ones to both places.

Belongs here: which stacks there are, their order, and the parameters that code knows better than a person (the
projected weeks, the key of a function's code); what is refused before anything changes, and going back after that.
Does not belong here: a single stack (stacks.py) and what is deployed (infra/templates, infra/packaging).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.declared import SHARDS, part_of, refuse_fewer_shards, refuse_other_keys, refuse_to_lose, with_names
from infra.deploy_failures import DeployRunning, StackFailed
from infra.deploy_lock import note_deployed, only_deployment, refuse_older_client
from infra.deployed import refuse_unsaid
from infra.local.home import Ports
from infra.orphans import Orphan, orphans, refuse_orphans
from infra.packaging.function import FUNCTIONS, code_for, upload
from infra.packaging.libraries import Arch
from infra.stacks import Before, Change, Stack
from infra.upgrade import complete_keys, described_tables, new_indexes
from prism_core.calendar import Week, weeks_in_year
from prism_core.clock import NOW_VARIABLE
from prism_core.failures import BadUsage, PermanentFailure, PrismFailure
from prism_core.settings import Environment, Settings
from prism_core.tables import IndexSpec
from prism_resources.aws import client
from prism_resources.failures import calling

TEMPLATES = Path(__file__).parent / "templates"
# In the order of their dependence.
STACKS = ("data", "catalog", "catalog-records", "catalog-views", "mail", "planner", "api", "events", "media")
# CloudFront and what stands before it, containers, and alarms that somebody is woken by: AWS alone has them.
ON_AWS: Final = ("edge", "web", "dagster", "observability")
# What only a person knows; a stack that was told once keeps it.
ASKED: Final = (
    "AlarmEmail", "CertificateArn", "DagsterImage", "MonthlyBudget", "RequestsPerFiveMinutes", "ScreensDomain",
    "SubnetIds", "VpcId", "RunCpu", "RunMemory", "LogRetentionDays", "PersonRequestsPerFiveMinutes",
    "EventRequestsPerFiveMinutes", "OriginSecretVersion", "BedrockModelArns", "Mfa", "Readiness", "ReadyCopies",
    "WarmHours", "Tracing", "AccountMail",
)  # fmt: skip
# Where AWS keeps firewalls and certificates of CloudFront.
_EDGE_REGION: Final = "us-east-1"
SIGNED_IN, SIGNED_OUT = "/auth/callback", "/"
# What holds data goes forward only: an older client works with one table or index more.
FORWARD_ONLY: Final = "data"
# In the place of what a stack will say once it is made.
_UNKNOWN: Final = "not-known-yet"
# CloudFormation takes so many characters a parameter; a week and its comma take nine.
PARAMETER_CHARACTERS: Final = 4_096
WEEKS_PER_PARAMETER = 450
# What the templates say by variables of their own, or what is of the place where this command runs.
_SAID_ELSEWHERE: Final = frozenset({
    "account_id", "athena_workgroup", "aws_endpoint_url", "changelog_shards", "enforce_rights", "environment",
    "first_week", "home", "name_prefix", "region",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one stack needed: `created`, `updated` or `unchanged`, and resource by resource what changed."""

    stack: str
    action: str
    changes: tuple[Change, ...] = ()


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
    arch: Arch | None = None,
    asked: Mapping[str, str] | None = None,
    take_in: bool = False,
    show: Callable[[Deployment], None] = lambda _: None,
    prove: Callable[[], None] = lambda: None,
) -> list[Deployment]:
    """Create or update every stack; the code of the functions is built and uploaded on the way.

    `origins` are where the screens are served, by default the front door of a local platform. For AWS are `arch`,
    by default what is deployed, `asked`, what only a person knows, and `take_in`, which brings what deleted stacks
    have left into new ones.
    `show` is told of the change of a stack before it is made; `prove` raises when what was deployed does not work.
    Raises a failure of deploy_failures.py; when a change fails, or the proof, stacks are what they were before,
    but for tables and indexes that are new, and for stacks that were not there.
    """
    arch = arch or deployed_arch(settings)
    values = parameters(settings, today, origins or local_origins(settings), arch) | checked(asked or {})
    with only_deployment(settings) as renew:
        left = left_behind(settings, values)
        lacking = _refused_or_lacking(settings, () if take_in else left)
        _take_in(settings, left, values, say)
        if lacking:
            say(f"giving items the keys of new indexes: {', '.join(sorted(lacking))}")
            complete_keys(settings, lacking)
        done: list[tuple[Stack, Before | None, Deployment]] = []
        try:
            for concern, asked in _in_order(settings, values, arch, say, keep=True):
                say(f"deploying stack {concern}")
                done.append(_deployed(settings, concern, asked, say, show))
                renew()
            # What the older version wrote while its indexes were made.
            complete_keys(settings, lacking)
            prove()
        except DeployRunning:  # what stands is another's by now
            raise
        # Whatever it was, a fault of ours, too: nothing stays half deployed.
        except Exception as error:
            _go_back(settings, done, error, say)
            raise
        note_deployed(settings)
    return [one for _, _, one in done]


def plan(
    settings: Settings,
    today: Week,
    say: Callable[[str], None],
    *,
    origins: Sequence[str] = (),
    arch: Arch | None = None,
    asked: Mapping[str, str] | None = None,
    take_in: bool = False,
) -> list[Deployment]:
    """What `deploy` would change; nothing is. Raises what `deploy` would refuse.

    What stands in a stack that is not there yet is not known to those after it, which may then change in less; so
    with what would be taken in.
    """
    arch = arch or deployed_arch(settings)
    values = parameters(settings, today, origins or local_origins(settings), arch) | checked(asked or {})
    _refused_or_lacking(settings, () if take_in else left_behind(settings, values))
    found: list[Deployment] = []
    for concern, asked in _in_order(settings, values, arch, say, keep=False):
        stack = stack_of(settings, concern)
        change = stack.propose(body_of(settings, concern), asked, unknown=_UNKNOWN)
        if change is None:
            found.append(Deployment(stack.name, "unchanged"))
            continue
        stack.drop(change)
        found.append(Deployment(stack.name, "created" if change.creates else "updated", change.changes))
    return found


def stacks_of(settings: Settings, values: Mapping[str, str]) -> tuple[str, ...]:
    """The stacks of a place, in the order of their dependence. Dagster waits until somebody names its network."""
    if settings.environment is Environment.LOCAL:
        return STACKS
    networked = "VpcId" in values or stack_of(settings, "dagster").before() is not None
    return (*STACKS, *(one for one in ON_AWS if one != "dagster" or networked))


def deployed_arch(settings: Settings) -> Arch:
    """The processor that is deployed: of another one the image of Dagster, which stays, would start nothing."""
    told = (stack_of(settings, "api").described() or {}).get("Parameters", [])
    return next((Arch(one["ParameterValue"]) for one in told if one["ParameterKey"] == "Architecture"), Arch.ARM64)


def stack_of(settings: Settings, concern: str) -> Stack:
    """A stack where it lies."""
    there = settings.model_copy(update={"region": _EDGE_REGION}) if concern == "edge" else settings
    return Stack(there, stack_name(settings, concern), keeps=ASKED)


def checked(asked: Mapping[str, str]) -> dict[str, str]:
    """Values by the names of template parameters. Raises BadUsage for a name that nobody is asked for."""
    unknown = sorted(set(asked) - set(ASKED))
    if unknown:
        raise BadUsage(f"{', '.join(unknown)}: unknown; valid are {', '.join(sorted(ASKED))}")
    return dict(asked)


def template(concern: str) -> str:
    """The text of a stack's template."""
    return (TEMPLATES / f"{concern}.yaml").read_text(encoding="utf-8")


def body_of(settings: Settings, concern: str) -> str:
    """The same as this place is told it."""
    return with_names(settings, template(concern))


def left_behind(settings: Settings, values: Mapping[str, str]) -> list[Orphan]:
    """What there is of stacks on AWS that are not there, or have nothing in them."""
    if settings.environment is Environment.LOCAL:
        return []
    gone = [one for one in stacks_of(settings, {}) if stack_of(settings, one).before() is None]
    return [found for concern in gone for found in orphans(settings, concern, template(concern), values)]


def _take_in(
    settings: Settings, left: Sequence[Orphan], values: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Make stacks of what is left of them alone; the deployment completes them."""
    for concern in dict.fromkeys(one.concern for one in left):
        mine = [one for one in left if one.concern == concern]
        say(f"taking {', '.join(one.logical for one in mine)} into the stack {concern} again")
        stack, part = stack_of(settings, concern), part_of(template(concern), [one.logical for one in mine])
        if (mended := stack.make_ready()) is not None:
            say(mended)
        change = stack.propose(part, values, taken=[one.to_import() for one in mine])
        if change is not None:
            stack.apply(change)


def _in_order(
    settings: Settings, values: dict[str, str], arch: Arch, say: Callable[[str], None], *, keep: bool
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each stack with its parameters; `keep` uploads the code on the way."""
    concerns = stacks_of(settings, values)
    values["HasDagster"] = "yes" if "dagster" in concerns else "no"
    for concern in concerns:
        if concern in FUNCTIONS:
            code = code_for(settings, FUNCTIONS[concern], arch)
            if keep:
                say(f"uploading the code of the {concern} function")
                upload(settings, values["CodeBucket"], code)
            values["CodeKey"] = code.key
        yield concern, values
        # What a stack says it made is what a later one may ask for, by the same name.
        made = stack_of(settings, concern).described() or {}
        values |= outputs_of(made)


def _refused_or_lacking(settings: Settings, left: Sequence[Orphan]) -> dict[str, tuple[IndexSpec, ...]]:
    """The indexes that tables lack. Raises what must not be deployed, before anything is."""
    refuse_older_client(settings)
    refuse_orphans(left)
    tables, told = described_tables(settings), list[Mapping[str, str]]()
    for concern in stacks_of(settings, {}):
        stack, body = stack_of(settings, concern), body_of(settings, concern)
        stack.refuse_if_busy()
        before = stack.before()
        if before is not None:
            refuse_to_lose(stack.name, with_names(settings, before.body), body)
            refuse_fewer_shards(settings, before.parameters)
            told += before.parameters
        if (before is None or before.body != body) and "AWS::DynamoDB::Table" in body:
            refuse_other_keys(settings, body, tables)
    if settings.environment is Environment.AWS:
        refuse_unsaid(settings, told)
    return new_indexes(settings, tables)


def _deployed(
    settings: Settings,
    concern: str,
    values: Mapping[str, str],
    say: Callable[[str], None],
    show: Callable[[Deployment], None] = lambda _: None,
) -> tuple[Stack, Before | None, Deployment]:
    stack = stack_of(settings, concern)
    mended = stack.make_ready()
    if mended is not None:
        say(mended)
    before = stack.before()
    change = stack.propose(body_of(settings, concern), values)
    if change is None:
        return stack, before, Deployment(stack.name, "unchanged")
    done = Deployment(stack.name, "created" if change.creates else "updated", change.changes)
    show(done)
    stack.apply(change)
    return stack, before, done


def _go_back(
    settings: Settings,
    done: Sequence[tuple[Stack, Before | None, Deployment]],
    error: Exception,
    say: Callable[[str], None],
) -> None:
    """Make updated stacks what they were, the last one first. Raises StackFailed with both reasons."""
    for stack, before, deployment in reversed(done):
        if deployment.action != "updated" or before is None or stack.name == stack_name(settings, FORWARD_ONLY):
            continue
        say(f"taking back stack {stack.name}")
        try:
            stack.go_back(before)
        except PrismFailure as second:
            raise StackFailed(stack.name, f"cannot be taken back ({second}), after: {error}") from error


def outputs(settings: Settings, concern: str) -> dict[str, str]:
    """What a deployed stack made, by the names of its template. Raises PermanentFailure when it is not there."""
    name = stack_name(settings, concern)
    try:
        with calling(f"stack {name}", "look at"):
            found = client(settings, "cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except PermanentFailure as error:
        raise PermanentFailure(f"stack {name} is not deployed; `prism up` or `prism deploy` does that") from error
    return outputs_of(found)


def outputs_of(described: Any) -> dict[str, str]:
    """What a described stack says it made."""
    return {one.get("OutputKey", ""): one.get("OutputValue", "") for one in described.get("Outputs", [])}


def local_origins(settings: Settings) -> list[str]:
    """Where the front door of a local platform is, by both names of this machine. Raises BadUsage on AWS."""
    if settings.environment is Environment.AWS or settings.aws_endpoint_url is None:
        raise BadUsage("on AWS, say where the screens are served")
    screens = Ports.of_emulator(settings.aws_endpoint_url.port or 0).screens
    return [f"http://{name}:{screens}" for name in ("127.0.0.1", "localhost")]


def settings_json(settings: Settings) -> str:
    """The settings that are not the default, for tasks that read them as a file.

    Raises BadUsage when they are longer than a parameter may be.
    """
    found = json.dumps(settings.model_dump(mode="json", exclude_defaults=True, exclude=set(_SAID_ELSEWHERE)))
    if len(found) > PARAMETER_CHARACTERS:
        raise BadUsage(
            f"the settings that are not the default have {len(found)} characters, and CloudFormation takes "
            f"{PARAMETER_CHARACTERS}; shorten the longest, which is event_services or one of the thresholds"
        )
    return found


def parameters(settings: Settings, today: Week, origins: Sequence[str], arch: Arch) -> dict[str, str]:
    """What the templates ask for and no stack says."""
    weeks = projected_weeks(settings.first_week, today)
    local = settings.environment is Environment.LOCAL
    return {
        "Environment": settings.environment.value,
        "NamePrefix": settings.name_prefix,
        "DatabaseName": settings.glue_database,
        "LakeBucket": settings.lake_bucket,
        "OperationsEmail": settings.operations_email or "",
        "WorkerActivityLogGroup": settings.worker_activity_log_group,
        "ProjectedWeeks": ",".join(weeks[:WEEKS_PER_PARAMETER]),
        "ProjectedWeeksMore": ",".join(weeks[WEEKS_PER_PARAMETER : 2 * WEEKS_PER_PARAMETER]),
        "FirstWeek": settings.first_week.label,
        "TimeZone": settings.report_time_zone,
        "BackupRetentionDays": str(settings.backup_retention_days),
        SHARDS: str(settings.changelog_shards),
        "SettingsJson": "{}" if local else settings_json(settings),
        "EventsKeepDays": str(settings.events_keep_days),
        "EventsQueueLimit": str(settings.events_queue_limit),
        "EventServices": json.dumps(settings.model_dump(mode="json")["event_services"]),
        "ImageThresholds": settings.image_thresholds.model_dump_json(),
        "RekognitionUrl": str(settings.rekognition_api_url or "").rstrip("/"),
        "UploadOrigins": ",".join(origins),
        "MailSender": settings.sender or "",
        "LeadScope": settings.lead_scope.value,
        "ReportHour": settings.report_hour,
        "PlanWeights": settings.plan_weights.model_dump_json(exclude_none=True),
        "Architecture": arch.value,
        "SignedInPages": ",".join(f"{origin}{SIGNED_IN}" for origin in origins),
        "SignedOutPages": ",".join(f"{origin}{SIGNED_OUT}" for origin in origins),
        "EndpointUrl": str(settings.aws_endpoint_url).rstrip("/") if local else "",
        # A fixed clock is fixed for the functions, too; on AWS it is not a thing.
        "FixedNow": os.environ.get(NOW_VARIABLE, "") if local else "",
    }
