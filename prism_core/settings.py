"""One validated object for everything that differs between places.

Belongs here: names, regions, the first week, limits a person may change. Read from `PRISM_*` variables,
then from the file that the first `prism up` wrote into PRISM_HOME, then from the defaults below.
Does not belong here: secrets (prism_resources reads them by name when needed) and rules.
pydantic-settings would read the same; its import is a fifteenth of a cold start (docs/adr/0014).
"""

import json
import os
import re
from datetime import time
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from prism_core.alerts.thresholds import Thresholds
from prism_core.calendar import Week
from prism_core.campaign.lead_rule import DEFAULT_NOT_FROM, DEFAULT_STAGES, known_sources, known_stages
from prism_core.capacity.weighting import WeightsChange
from prism_core.events.services import Service
from prism_core.failures import BadUsage
from prism_core.media.thresholds import GateThresholds
from prism_core.models.base import Hours, Zone
from prism_core.setting_choices import ActivitySource, CampaignSource, LeadScope, ModelProvider
from prism_core.setting_objects import read_object, read_services

PREFIX = "PRISM_"
HOME_FILE = "settings.json"
# Variables of the same prefix that are not settings: the clock, and what one process hands to its children.
NOT_SETTINGS = frozenset({"NOW", "ORIGIN_SECRET"})
_CRON = r"^\S+( +\S+){4}$"
_PROPERTY = r"^[a-z][a-z0-9_]{0,99}$"
# Names of Anthropic, of Bedrock, and of profiles there, which have colons and slashes.
_MODEL = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$"
# S3 takes no more for the name of a bucket; the templates take what fits in nearly every region.
_BUCKET_CHARACTERS = 63
_PREFIX_CHARACTERS = 25
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost"})
ANTHROPIC_URL = "https://api.anthropic.com"
Dollars = Annotated[Decimal, Field(ge=0, le=10_000)]
_ADDRESS = r"[^@\s,<>]+@[^@\s,<>]+"
# Where nobody said otherwise; nothing leaves a local platform, whose mailbox keeps everything.
LOCAL_SENDER, LOCAL_OPERATIONS = "prism@prism.localhost", "operations@prism.localhost"


class Environment(StrEnum):
    LOCAL = "local"
    AWS = "aws"


def prism_home() -> Path:
    """Where the state of this platform lives: PRISM_HOME, else `.prism` in the working directory."""
    return Path(os.environ.get("PRISM_HOME") or ".prism").absolute()


def signs_as_a_role() -> bool:
    """Whether this process is a function whose rights are enforced."""
    return bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME") and os.environ.get("AWS_SESSION_TOKEN"))


def origin_secret() -> str | None:
    return os.environ.get("PRISM_ORIGIN_SECRET") or None  # what CloudFront sends along to a function on AWS


class Settings(BaseModel):
    """Every value PRISM is configured by. Immutable; construct with `load_settings()`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Environment.LOCAL
    # Absolute: it is handed to processes with another working directory.
    home: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        default_factory=prism_home, description="state of a local platform"
    )
    region: str = Field(default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    name_prefix: str = Field(
        default="prism",
        pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$",
        description="first part of every resource name",
    )
    account_id: str = Field(
        default="000000000000", pattern=r"^\d{12}$", description="the AWS account, part of bucket names"
    )
    synthetic: bool = Field(
        default=False, description="the programme is made up, and its reports say so; set with the sample"
    )
    first_week: Week = Field(default=Week.parse("2025-W01"), description="partitions start here")
    aws_endpoint_url: AnyHttpUrl | None = Field(default=None, description="the embedded AWS; set by the platform")
    enforce_rights: bool = Field(default=False, description="functions of the embedded AWS may do what roles may")
    call_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        default=60, description="how long a call of AWS waits for an answer before it is sent again"
    )

    worker_activity_source: ActivitySource = ActivitySource.FILES
    worker_activity_log_group: str = "/aws/sagemaker/groundtruth/WorkerActivity"
    worker_activity_overlap_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 60
    worker_activity_cron: str = Field(default="5 * * * *", pattern=_CRON, description="when the log is read, UTC")
    lake_export_cron: str = Field(
        default="30 4 * * 1", pattern=_CRON, description="when the weeks that have ended go to the lake, UTC"
    )
    capacity_plan_cron: str = Field(
        default="0 6 * * 4", pattern=_CRON, description="when the plan of the next week is proposed, UTC"
    )
    backup_cron: str = Field(default="15 2 * * *", pattern=_CRON, description="when the tables are backed up, UTC")
    preflight_cron: str = Field(
        default="0 8 * * 5", pattern=_CRON, description="when credentials and services are looked at, UTC"
    )
    alerts_daily_cron: str = Field(
        default="15 6 * * *", pattern=_CRON, description="when alerts are judged and what is new is mailed, UTC"
    )
    alerts_weekly_cron: str = Field(
        default="30 6 * * 1", pattern=_CRON, description="when alerts of the week that has ended are mailed, UTC"
    )
    report_time_zone: Zone = Field(default="UTC", description="whose Monday morning it is when reports are made")
    campaign_figures_cron: str = Field(
        default="0 5 * * 1", pattern=_CRON, description="when ads and leads are read, in report_time_zone"
    )
    campaign_source: CampaignSource = Field(
        default=CampaignSource.LIVE, description="live asks Meta and HubSpot, archive what they have answered"
    )
    operations_report_cron: str = Field(
        default="40 4 * * 1", pattern=_CRON, description="when the operations report is made, UTC"
    )
    report_hour: str = Field(
        default="07:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="when reports are mailed on Mondays, by the clock of each recipient",
    )
    mail_sender: Annotated[str, Field(pattern=rf"^{_ADDRESS}$")] | None = Field(
        default=None, description="whom mail of PRISM is from: an identity that SES has verified"
    )
    operations_email: Annotated[str, Field(pattern=rf"^{_ADDRESS}( *, *{_ADDRESS})*$")] | None = Field(
        default=None, description="who is told of failed runs; several with commas"
    )
    dagster_url: AnyHttpUrl | None = Field(default=None, description="where people open Dagster; set locally")
    alerts_url: AnyHttpUrl | None = Field(
        default=None, description="where people look at an alert, whose key follows; for links in digests"
    )
    unresolved_share_warning: Annotated[float, Field(ge=0, le=1)] = 0.05
    restatement_grace_hours: Annotated[int, Field(ge=0, le=7 * 24)] = Field(
        default=6, description="a week counts as published this long after its end"
    )
    restatement_limit: Annotated[float, Field(ge=0)] = Field(
        default=0.20, description="a published total that moves further needs a reason"
    )
    unmapped_share_warning: Annotated[float, Field(ge=0, le=1)] = 0.05
    volume_band: Annotated[
        float,
        Field(gt=0, le=10, description="how far a week's volume may be from the mean of four weeks, as a share"),
    ] = 0.5
    alert_thresholds: Annotated[
        Thresholds, BeforeValidator(read_object(Thresholds, "thresholds", '{"repeat_days": 3}'))
    ] = Field(
        default_factory=Thresholds, description="where the alert rules begin to speak: a JSON object, by name"
    )
    plan_weights: Annotated[
        WeightsChange, BeforeValidator(read_object(WeightsChange, "weights", '{"overtime": 20}'))
    ] = Field(default_factory=WeightsChange, description="what an hour is worth to a plan: a JSON object, by name")
    overtime_hours_a_day: Annotated[Hours, Field(le=24)] = Field(
        default=Decimal(4), description="no more overtime of a member is planned on a day"
    )
    event_services: Annotated[dict[str, Service], BeforeValidator(read_services)] = Field(
        default_factory=dict[str, Service],
        description="what may be asked to enrich events: a JSON object of services by name",
    )
    changelog_shards: Annotated[int, Field(ge=1, le=64)] = 4
    lead_scope: LeadScope = Field(default=LeadScope.ALL, description="whose rows a lead sees")

    meta_account_id: Annotated[str, Field(pattern=r"^\d{1,25}$")] | None = Field(
        default=None, description="the ad account whose campaigns are reported on, without act_"
    )
    meta_account_replaced: Annotated[str, Field(pattern=r"^\d{1,25}$")] | None = Field(
        default=None, description="the account before it, whose published weeks may be replaced by meta_account_id"
    )
    meta_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://graph.facebook.com"), description="Meta; the platform names its stand-in"
    )
    meta_api_version: str = Field(default="v25.0", pattern=r"^v\d{1,3}\.\d$")
    hubspot_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.hubapi.com"), description="HubSpot; the platform names its stand-in"
    )
    hubspot_campaign_property: str = Field(
        default="utm_campaign_id", pattern=_PROPERTY, description="where a contact carries the campaign's id"
    )
    hubspot_adset_property: str = Field(
        default="utm_adset_id", pattern=_PROPERTY, description="where a contact carries the ad set's id"
    )
    hubspot_ad_property: str = Field(
        default="utm_ad_id", pattern=_PROPERTY, description="where a contact carries the ad's id"
    )
    hubspot_lead_stages: Annotated[str, AfterValidator(known_stages)] = Field(
        default=DEFAULT_STAGES, description="life cycle stages of leads; other contacts are counted, not told"
    )
    hubspot_no_lead_sources: Annotated[str, AfterValidator(known_sources)] = Field(
        default=DEFAULT_NOT_FROM, description="sources of contacts that are no leads unless they carry Meta's ids"
    )
    claude_api_url: AnyHttpUrl = Field(
        default=AnyHttpUrl(ANTHROPIC_URL), description="Claude; the platform names its stand-in"
    )
    model_provider: ModelProvider = Field(
        default=ModelProvider.ANTHROPIC, description="where the model is that writes sentences of reports"
    )
    model_name: str = Field(default="claude-opus-5-5", pattern=_MODEL, description="as its provider calls it")
    model_timeout_seconds: Annotated[int, Field(ge=5, le=600)] = Field(
        default=120, description="one attempt at one answer ends after this"
    )
    model_read_price: Dollars | None = Field(default=None, description="US dollars for a million tokens read")
    model_written_price: Dollars | None = Field(default=None, description="the same for tokens written")
    model_budget: Dollars | None = Field(
        default=None, description="US dollars from which on a report asks nothing more; needs both prices"
    )

    events_keep_days: Annotated[int, Field(ge=16, le=400)] = Field(
        default=35, description="how long events and receipts stay in their tables; the lake keeps events longer"
    )
    events_cron: str = Field(
        default="10 * * * *", pattern=_CRON, description="when events of the hour that has ended are counted, UTC"
    )
    events_queue_limit: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        default=10_000, description="with so many events in the queue producers are asked to wait"
    )

    rekognition_api_url: AnyHttpUrl | None = Field(
        default=None, description="Rekognition, that of the region if unset; the platform names its stand-in"
    )
    image_thresholds: Annotated[
        GateThresholds, BeforeValidator(read_object(GateThresholds, "limits", '{"explicit": 60}'))
    ] = Field(default_factory=GateThresholds, description="percent at which images are held back, by category")
    images_cron: str = Field(
        default="25 * * * *", pattern=_CRON, description="when images that got stuck are looked for, UTC"
    )

    backup_retention_days: Annotated[int, Field(ge=2, le=3650)] = Field(
        default=35, description="how long a backup is kept"
    )

    athena_workgroup: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] | None = Field(
        default=None, description="what answers SQL in `aws`; that of the installation if unset"
    )
    query_timeout_seconds: Annotated[int, Field(ge=1, le=1800)] = 120

    @model_validator(mode="after")
    def _local_stays_local(self) -> Self:
        if self.environment is Environment.AWS and self.aws_endpoint_url is not None:
            raise ValueError("aws_endpoint_url belongs to the local environment; unset it for aws")
        return self

    @model_validator(mode="after")
    def _buckets_can_be_named(self) -> Self:
        room = _BUCKET_CHARACTERS - len(self.originals_bucket) + len(self.name_prefix)
        most = min(_PREFIX_CHARACTERS, room)
        if len(self.name_prefix) > most:
            raise ValueError(
                f"name_prefix {self.name_prefix!r} is too long: buckets carry account and region behind it, as "
                f"{self.originals_bucket}, and S3 takes {_BUCKET_CHARACTERS} characters; take at most {most}"
            )
        return self

    @model_validator(mode="after")
    def _a_budget_can_be_counted(self) -> Self:
        prices = (self.model_read_price, self.model_written_price)
        if None in prices and (self.model_budget is not None or any(price is not None for price in prices)):
            raise ValueError("model_read_price and model_written_price go together, and model_budget needs both")
        return self

    def is_stand_in(self, address: AnyHttpUrl) -> bool:
        """Whether the platform itself plays a service: what that tells is of nobody, or no model's."""
        return self.environment is Environment.LOCAL and address.host in _THIS_MACHINE

    @property
    def lake_bucket(self) -> str:
        return f"{self.name_prefix}-lake-{self.account_id}-{self.region}"

    @property
    def originals_bucket(self) -> str:
        """Uploaded images, private; whatever lands in it is analysed."""
        return f"{self.name_prefix}-originals-{self.account_id}-{self.region}"

    @property
    def media_bucket(self) -> str:
        """What the analyser answered about images, and their copies for the public."""
        return f"{self.name_prefix}-media-{self.account_id}-{self.region}"

    @property
    def local_lake_path(self) -> Path:
        """Where the embedded AWS keeps the objects of the lake bucket: DuckDB reads the very same files."""
        return self.home / "emulator" / "s3" / self.account_id / self.lake_bucket

    @property
    def glue_database(self) -> str:
        return f"{self.name_prefix}_lake".replace("-", "_")

    @property
    def workgroup(self) -> str:
        """What answers SQL in `aws`: that of the stack `catalog`, unless another one was named."""
        return self.athena_workgroup or self.name_prefix

    @property
    def sender(self) -> str | None:
        """Whom mail is from; None in `aws` as long as nobody has set it."""
        return self.mail_sender or (LOCAL_SENDER if self.environment is Environment.LOCAL else None)

    @property
    def operations(self) -> tuple[str, ...]:
        """Who is told of failed runs; nobody in `aws` as long as nobody has set it."""
        local = LOCAL_OPERATIONS if self.environment is Environment.LOCAL else ""
        return tuple(one.strip() for one in (self.operations_email or local).split(",") if one.strip())

    @property
    def report_at(self) -> time:
        """The hour of the day at which reports are due."""
        return time.fromisoformat(self.report_hour)

    @property
    def cursor_secret_name(self) -> str:
        """The secret that signs the cursors of the API's lists."""
        return f"{self.name_prefix}-cursor-key"

    def table_name(self, table: str) -> str:
        """The physical name of a table of prism_core/tables.py."""
        return f"{self.name_prefix}-{table}"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process.

    Raises BadUsage that names the variable, its value and what is allowed; unknown `PRISM_*` variables
    are refused with the list of valid ones, so that a typo never passes silently.
    """
    refuse_unknown_variables()
    try:
        return Settings.model_validate(_from_file() | _from_variables() | overrides)
    except ValidationError as error:
        raise BadUsage(_explain(error)) from error
    except ValueError as error:  # the file in PRISM_HOME is not JSON
        raise BadUsage(f"{prism_home() / HOME_FILE}: {error}") from error


def _from_variables() -> dict[str, Any]:
    """What the environment says, as text; an empty variable says nothing."""
    return {name: text for name in Settings.model_fields if (text := os.environ.get(f"{PREFIX}{name}".upper()))}


def _from_file() -> dict[str, Any]:
    """What the file in PRISM_HOME says. Raises ValueError when it is no JSON object."""
    try:
        found = json.loads((prism_home() / HOME_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - as for a text that is no JSON at all
    return cast("dict[str, Any]", found)


@lru_cache(maxsize=1)
def _variables() -> dict[str, FieldInfo]:
    return {f"{PREFIX}{name}".upper(): info for name, info in Settings.model_fields.items()}


def refuse_unknown_variables() -> None:
    """Raises BadUsage for a `PRISM_*` variable that is none of ours: a typo must not pass silently."""
    known = set(_variables()) | {f"{PREFIX}{name}" for name in NOT_SETTINGS}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise BadUsage(f"unknown settings {', '.join(unknown)}; valid ones are {', '.join(sorted(known))}")


def _explain(error: ValidationError) -> str:
    lines: list[str] = []
    for problem in error.errors():
        if problem["type"] == "extra_forbidden":  # an unknown variable was refused before, so it is the file
            known = ", ".join(sorted(Settings.model_fields))
            lines.append(
                f"{prism_home() / HOME_FILE}: there is no setting {problem['loc'][0]!r}; valid are {known}"
            )
            continue
        name = f"{PREFIX}{problem['loc'][0]}".upper() if problem["loc"] else "settings"
        message = re.sub(r"^Value error, ", "", problem["msg"])
        shown = f"={problem['input']!r}" if problem["loc"] else ""
        lines.append(f"{name}{shown}: {message}")
    return "; ".join(lines)
