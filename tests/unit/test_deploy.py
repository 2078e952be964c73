"""Which weeks Athena may look for, what a failure means, where nobody deploys to, and what nobody puts back."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config

from infra.addresses import advice_on_names
from infra.declared import holds, named_by
from infra.deploy import WEEKS_PER_PARAMETER, checked, parameters, projected_weeks, settings_json, template
from infra.deploy_failures import OtherImage, QuotaReached, SettingsUnsaid, StackFailed, WrongPlace
from infra.deployed import TOLD, TOLD_TOGETHER, refuse_unsaid, unlike
from infra.instance import instance_yaml
from infra.packaging.image import PACKAGES, image_tag, judge_image
from infra.packaging.libraries import Arch
from infra.place import refuse_wrong_place
from infra.stacks import _failed, fingerprint
from prism_api.api.handler import handler as api_handler
from prism_api.api.origin import require_origin
from prism_api.api.problems import Problem
from prism_api.events.ingest import handler as ingest_handler
from prism_api.public.handler import handler as public_handler
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.settings import HOME_FILE, ActivitySource, Environment, Settings, load_settings
from prism_resources.wire.findings import Level
from tests.architecture.sources import ROOT
from tests.aws_credentials import only_credentials
from tests.unit.api_events import event

PARAMETER_LIMIT = 4_096  # characters, the CloudFormation quota
HERE = {"environment": "aws", "region": "eu-west-1", "account_id": "111122223333"}
# Another value than the default of every setting that a template has a parameter of.
OTHERS = {
    "backup_retention_days": 365,
    "changelog_shards": 8,
    "event_services": {"rates": {"url": "https://rates.example.com/v1/{text}"}},
    "events_keep_days": 60,
    "events_queue_limit": 500,
    "first_week": "2026-W01",
    "image_thresholds": {"explicit": 55},
    "lead_scope": "team",
    "mail_sender": "prism@example.com",
    "operations_email": "on-call@example.com",
    "plan_weights": {"overtime": 20},
    "rekognition_api_url": "https://rekognition.example.com",
    "report_hour": "08:00",
    "report_time_zone": "Europe/Berlin",
    "worker_activity_log_group": "/own/log",
}


@pytest.mark.parametrize("today", ["2026-W01", "2026-W30", "2026-W53"])
def test_the_weeks_reach_from_the_first_to_the_end_of_next_year_all_year_long(today: str) -> None:
    weeks = projected_weeks(Week.parse("2025-W01"), Week.parse(today))

    assert (weeks[0], weeks[-1], len(weeks)) == ("2025-W01", "2027-W52", 52 + 53 + 52)


def test_a_year_of_53_weeks_is_listed_whole() -> None:
    assert "2020-W53" in projected_weeks(Week.parse("2020-W01"), Week.parse("2020-W10"))


def test_a_full_parameter_is_within_the_limit_of_the_service() -> None:
    weeks = projected_weeks(Week.parse("2018-W33"), Week.parse("2033-W01"))

    assert len(weeks) > WEEKS_PER_PARAMETER
    assert len(",".join(weeks[:WEEKS_PER_PARAMETER])) <= PARAMETER_LIMIT


def test_weeks_that_do_not_fit_the_template_are_said_and_never_cut_off() -> None:
    first = Week.parse("2026-W01")

    assert len(projected_weeks(Week.parse("2010-W45"), first)) <= 2 * WEEKS_PER_PARAMETER
    with pytest.raises(PermanentFailure, match="set a later PRISM_FIRST_WEEK"):
        projected_weeks(Week.parse("2010-W01"), first)


@pytest.mark.parametrize(
    "reason",
    [
        "Resource limit exceeded: LimitExceededException: Subscriber limit exceeded for tables",
        "You have attempted to create more buckets than allowed (TooManyBuckets)",
        "The maximum number of VPCs has been reached.",
        "Your account's quota for concurrent executions is too small (Service: Lambda)",
    ],
)
def test_a_quota_is_told_from_other_failures(reason: str) -> None:
    assert isinstance(_failed("prism-data", reason), QuotaReached)


def test_another_failure_is_no_quota() -> None:
    assert type(_failed("prism-data", "Table: prism-members already exists")) is StackFailed


def test_without_credentials_a_person_is_told_which_to_give(tmp_path: Path) -> None:
    settings = Settings(environment=Environment.AWS, region="eu-west-3", account_id="111111111111")

    with only_credentials(tmp_path), pytest.raises(WrongPlace, match="give this process credentials of AWS"):
        refuse_wrong_place(settings)
    with only_credentials(tmp_path):  # the doctor has others to tell
        assert [one.level for one in unlike(settings)] == [Level.FAILED]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"account_id": "111111111111"}, "PRISM_REGION is not set"),
        ({"region": "eu-west-1"}, "PRISM_ACCOUNT_ID is not set"),
        ({"region": "us-esat-1", "account_id": "111111111111"}, "AWS has no region us-esat-1"),
    ],
)
def test_nobody_deploys_to_a_default_or_to_a_region_that_there_is_not(said: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongPlace, match=told):
        refuse_wrong_place(Settings(environment=Environment.AWS, **said))


def test_tasks_on_aws_read_the_settings_of_who_deployed_from_a_file_and_variables_win_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "worker_activity_source": "log",
        "report_time_zone": "Europe/Berlin",
        "meta_account_id": "123",
        "alerts_daily_cron": "15 7 * * *",
        "overtime_hours_a_day": "2.5",
        "alert_thresholds": {"repeat_days": 5},
        "event_services": {"rates": {"url": "https://rates.example.com/v1/{text}"}},
        "report_hour": "08:00",
    }
    told = Settings.model_validate(said | {"environment": "aws", "region": "eu-west-1", "changelog_shards": 8})
    for name in [one for one in os.environ if one.startswith("PRISM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRISM_HOME", str(tmp_path))
    monkeypatch.setenv("PRISM_REPORT_HOUR", "09:00")

    (tmp_path / HOME_FILE).write_text(settings_json(told))
    found = load_settings(environment=Environment.AWS, region="eu-west-1", changelog_shards=8, home=told.home)

    assert set(json.loads(settings_json(told))) == set(said)
    assert found == told.model_copy(update={"report_hour": "09:00"})
    assert found.worker_activity_source is ActivitySource.LOG


def test_settings_that_a_parameter_cannot_hold_are_refused() -> None:
    services = {f"service{i}": {"url": f"https://{i}.example.com/{'x' * 200}/{{text}}"} for i in range(30)}

    with pytest.raises(BadUsage, match="CloudFormation takes 4096"):
        settings_json(Settings.model_validate({"event_services": services}))


def deployed_of(settings: Settings, *without: str) -> list[dict[str, str]]:
    """Parameters as CloudFormation tells them of stacks that were deployed with these settings."""
    told = parameters(settings, Week.parse("2026-W30"), ["https://prism.example.com"], Arch.ARM64)
    return [{"ParameterKey": name, "ParameterValue": text} for name, text in told.items() if name not in without]


def test_every_parameter_that_a_deployment_fills_in_is_a_setting_that_is_judged_or_of_the_place() -> None:
    """A new one that is neither would go back to its default without a word."""
    of_the_place = {
        "Architecture", "DatabaseName", "EndpointUrl", "Environment", "FixedNow", "LakeBucket", "NamePrefix",
        "ProjectedWeeks", "ProjectedWeeksMore", "SignedInPages", "SignedOutPages", "UploadOrigins",
    }  # fmt: skip

    filled_in = {one["ParameterKey"] for one in deployed_of(Settings.model_validate(HERE))}

    assert filled_in == {*TOLD, TOLD_TOGETHER, *of_the_place}


@pytest.mark.parametrize("without", [TOLD_TOGETHER, *TOLD])
def test_a_deployment_that_would_put_settings_back_that_nobody_says_is_refused_with_their_values(
    without: str,
) -> None:
    whole = Settings.model_validate(HERE | OTHERS)
    deployed = deployed_of(whole, without)

    with pytest.raises(SettingsUnsaid) as refused:
        refuse_unsaid(Settings.model_validate(HERE), deployed)
    refuse_unsaid(whole, deployed)
    # What is said is meant, the default, too.
    refuse_unsaid(Settings.model_validate(HERE | {name: getattr(Settings(), name) for name in OTHERS}), deployed)

    named = dict(one.split("=", 1) for one in str(refused.value).splitlines() if one.startswith("PRISM_"))
    # Without Dagster, nothing is told together; what is told together has its parameter beside it.
    only_there = {"changelog_shards", "first_week"}
    lost = {TOLD[without]} & only_there if without in TOLD else set[str]()
    assert set(named) == {f"PRISM_{name.upper()}" for name in OTHERS.keys() - lost}
    assert named.get("PRISM_BACKUP_RETENTION_DAYS") == "365"
    assert named.get("PRISM_LEAD_SCOPE") == "team"


def test_what_an_older_version_was_told_is_judged_by_what_it_means_today() -> None:
    bare = Settings.model_validate(HERE)
    older = [
        {"ParameterKey": "ImageThresholds", "ParameterValue": "{}"},  # it knew no category of today
        {"ParameterKey": "MailSender", "ParameterValue": ""},
        {"ParameterKey": TOLD_TOGETHER, "ParameterValue": '{"a_setting_of_then": 1}'},
    ]
    days = {"ParameterKey": "EventsKeepDays", "ParameterValue": "5"}  # too few today

    refuse_unsaid(bare, older)
    with pytest.raises(SettingsUnsaid, match="\nPRISM_EVENTS_KEEP_DAYS=5\n"):
        refuse_unsaid(bare, [*older, days])
    refuse_unsaid(Settings.model_validate(HERE | {"events_keep_days": 35}), [*older, days])


OURS, OWN = "d111.cloudfront.net", "https://prism.example.com"


@pytest.mark.parametrize(
    ("url", "origins", "said"),
    [
        (f"https://{OURS}", [f"https://{OURS}/"], []),
        (f"https://{OURS}", [OWN], [f"nobody can sign in at https://{OURS}: deploy again with --origin"]),
        (OWN, ["https://old.example.com", OWN], [f"point prism.example.com at {OURS}: a CNAME record"]),
        (OWN, [f"https://{OURS}"], ["point prism.example.com at", f"nobody can sign in at {OWN}"]),
    ],
)
def test_a_deployment_says_what_is_left_to_do_before_people_can_sign_in(
    url: str, origins: list[str], said: list[str]
) -> None:
    found = advice_on_names({"ScreensUrl": url, "DistributionDomain": OURS}, origins)

    assert [one.startswith(begin) for one, begin in zip(found, said, strict=True)] == [True] * len(said)


@pytest.mark.parametrize("environment", Environment)
def test_dagster_takes_its_instance_in_both_places(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUN_TASK", "CLUSTER", "POSTGRES_PASSWORD", "POSTGRES_HOST", "LOGS_BUCKET"):
        monkeypatch.setenv(f"DAGSTER_{name}", "told")

    (tmp_path / "dagster.yaml").write_text(instance_yaml(environment, subnets="subnet-1,subnet-2", group="sg-1"))
    found, _ = dagster_instance_config(str(tmp_path))

    assert found["run_retries"] == yaml.safe_load(instance_yaml(Environment.LOCAL))["run_retries"]
    if environment is Environment.AWS:
        network = found["run_launcher"]["config"]["run_task_kwargs"]["networkConfiguration"]["awsvpcConfiguration"]
        assert (network["subnets"], network["securityGroups"]) == (["subnet-1", "subnet-2"], ["sg-1"])


def test_what_a_deployment_would_not_make_is_not_asked_for() -> None:
    body = template("mail")

    assert holds(body, "Sends", {"MailSender": "prism@example.com"})
    assert not holds(body, "Sends", {"NamePrefix": "prism"})
    own = {"ScreensDomain": "prism.example.com", "CertificateArn": "arn"}
    assert holds(template("web"), "HasOwnName", own)
    assert not holds(template("web"), "HasOwnName", own | {"CertificateArn": ""})
    assert named_by(body, "ReturnsQueue") == {"UnreadReturnsQueue"}
    assert named_by(body, "UnreadReturnsQueue") == set()


def test_a_value_that_nobody_is_asked_for_is_refused_by_its_name() -> None:
    with pytest.raises(BadUsage, match="VpcID: unknown; valid are AccountMail"):
        checked({"VpcID": "vpc-1"})


def test_a_fingerprint_changes_with_the_template_and_with_every_value_and_not_with_their_order() -> None:
    ours = fingerprint("body", {"A": "1", "B": "2"})
    others = [fingerprint("other", {"A": "1", "B": "2"}), fingerprint("body", {"A": "1", "B": "3"})]

    assert ours == fingerprint("body", {"B": "2", "A": "1"})
    assert len({ours, *others, fingerprint("body", {"A": "1"})}) == 4


def made_repository(root: Path) -> Path:
    for name in ("pyproject.toml", "uv.lock", "infra/instance.py", "infra/dagster/start.sh", "prism_core/week.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_the_tag_of_an_image_is_of_what_it_runs_and_of_nothing_else(tmp_path: Path) -> None:
    root = made_repository(tmp_path / "one")
    first = image_tag(root)
    (root / "prism_core" / "__pycache__").mkdir()
    (root / "prism_core" / "__pycache__" / "week.pyc").write_text("compiled")
    (root / "docs").mkdir()
    (root / "docs" / "deploy.md").write_text("words")

    assert image_tag(root) == first == image_tag(made_repository(tmp_path / "two"))
    (root / "prism_core" / "week.py").write_text("another")
    second = image_tag(root)
    (root / "prism_core" / "week.py").rename(root / "prism_core" / "weeks.py")
    assert len({first, second, image_tag(root)}) == 3
    (root / "uv.lock").unlink()
    with pytest.raises(PermanentFailure, match=r"uv\.lock is missing"):
        image_tag(root)


def test_an_image_holds_the_packages_that_its_tag_is_of() -> None:
    copied = re.findall(r"^COPY (prism_\w+) ", (ROOT / "infra/dagster/Dockerfile").read_text(), re.MULTILINE)

    assert sorted(copied) == sorted(PACKAGES)


@pytest.mark.parametrize(
    "image",
    ["a.example/prism-dagster:code-1111", "a.example/prism-dagster@sha256:12", "a.example:5000/prism-dagster"],
)
def test_an_image_of_other_code_does_not_stay_without_a_word(image: str) -> None:
    ours = image.partition("@")[0].removesuffix(":code-1111") + ":code-2222"

    with pytest.raises(OtherImage, match=rf"is {image}, and this code is code-2222.*--set DagsterImage={ours};"):
        judge_image(image, "code-2222", named=False)
    assert "may be of another one" in (judge_image(image, "code-2222", named=True) or "")
    assert judge_image(ours, "code-2222", named=False) is None
    assert judge_image(f"{ours}@sha256:12", "code-2222", named=False) is None


@pytest.mark.parametrize("headers", [{}, {"x-prism-origin": "another"}])
def test_on_aws_a_function_answers_nobody_who_goes_around_cloudfront(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_ORIGIN_SECRET", "between-us")

    with pytest.raises(Problem) as refused:
        require_origin({"headers": headers})
    require_origin({"headers": {"X-Prism-Origin": "between-us"}})

    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("handler", "sent", "status"),
    [
        (api_handler, event("GET", "/api/nothing"), 404),
        (api_handler, event("PUT", "/api/members"), 405),
        (api_handler, event("GET", "/api/members", groups=None), 401),
        (ingest_handler, event("POST", "/api/events", groups=None), 401),
        (public_handler, event("GET", "/public/nothing", groups=None), 404),
    ],
)
def test_the_secret_of_the_origin_is_asked_for_before_anything_is_told_of_paths_methods_and_tokens(
    handler: Callable[[Any, Any], dict[str, Any]],
    sent: dict[str, Any],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRISM_ORIGIN_SECRET", "between-us")

    around = handler(sent, None)
    through = handler(sent | {"headers": {"x-prism-origin": "between-us"}}, None)

    assert (around["statusCode"], through["statusCode"]) == (403, status)
    assert "not for callers" in around["body"]
