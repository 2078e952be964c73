"""Looking at everything outside before it is needed, as a command and on Fridays.

Why real: what a table, a bucket, SES and a token say of themselves is their own.
"""

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.deploy_failures import NotWell
from infra.deploy_preflight import doctor_before
from infra.local.platform import Platform
from infra.local.standins.faults import NAMED, Fault, claude_error
from prism_assets.definitions import build_definitions
from prism_core.models.reports import Recipient, RecipientStatus, ReportKind, Subscription
from prism_core.settings import CampaignSource, ModelProvider, Settings
from prism_core.tables import RECIPIENTS
from prism_resources.aws import client
from prism_resources.preflight import CHECKS, preflight
from prism_resources.tables.store import TableStore
from prism_resources.wire.findings import Finding, Level
from prism_sensors.preflight import not_well, preflight_job
from tests.integration.faults import fault_proxy
from tests.integration.fresh import platform_of_this_file, worker_port
from tests.integration.helpers import prism
from tests.integration.outside import LATER, TOKENS, Outside, outside, served_fixture
from tests.integration.test_emulator_contract_mail import received, sink
from tests.integration.ticks import tick

__all__ = ("outside", "served_fixture")

platform = platform_of_this_file()

NOW = datetime.fromisoformat(LATER)
REPORTS = (ReportKind.CAMPAIGN, ReportKind.OPERATIONS, ReportKind.ALERTS_DAILY, ReportKind.ALERTS_WEEKLY)
AUTHOR = {"actor": "test", "reason": "test", "request_id": "test", "now": NOW}


@pytest.fixture(autouse=True)
def _a_reader(platform: Platform, outside: Outside) -> None:
    del outside
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, RECIPIENTS, Recipient)
    reader = Recipient(
        recipient_id="everything",
        name="A reader",
        email="reader@example.com",
        time_zone="Europe/Madrid",
        subscriptions=tuple(Subscription(report=one) for one in REPORTS),
    )
    if store.get(recipient_id="everything") is None:
        store.create(reader, **AUTHOR)  # pyright: ignore[reportArgumentType]


def looked(outside: Outside, *names: str, **changes: Any) -> list[Finding]:
    settings = outside.settings.model_copy(update=changes)
    return preflight(settings, NOW, checks={name: CHECKS[name] for name in names or CHECKS})


def not_ok(found: list[Finding]) -> dict[str, tuple[Level, str]]:
    return {one.subject: (one.level, one.sentence) for one in found if one.level is not Level.OK}


def test_everything_is_looked_at_and_all_is_well(outside: Outside) -> None:
    done: list[tuple[str, int]] = []

    found = preflight(outside.settings, NOW, told=lambda name, number: done.append((name, number)))

    assert not_ok(found) == {}
    assert sorted(name for name, _ in done) == sorted(CHECKS)
    assert [number for _, number in done] == list(range(1, len(CHECKS) + 1))
    subjects = {one.subject for one in found}
    assert subjects > {
        "tables",
        "lake",
        "secrets",
        "mail sender",
        "mail quota",
        "meta token",
        "hubspot token",
        "claude",
        "image uploads",
        "image buckets",
        "image queue",
        "image analyser",
    }
    assert not any(
        secret in str(found) for secret in (TOKENS.meta, TOKENS.app_secret, TOKENS.hubspot, TOKENS.claude)
    )


def test_what_is_not_there_is_told_with_what_to_do(outside: Outside) -> None:
    found = not_ok(looked(outside, "tables", "lake", "secrets", "media", name_prefix="another"))

    assert {level for level, _ in found.values()} == {Level.FAILED}
    assert found["table members"][1].startswith("description of table another-members: ResourceNotFoundException")
    assert "deploy the stacks" in found["lake"][1]
    assert "another-cursor-key" in found["secrets"][1]
    assert "another-images-dead" in found["media"][1]
    (unseen,) = looked(outside, "media", rekognition_api_url="http://127.0.0.1:9/")[-1:]
    assert (unseen.subject, unseen.level) == ("image analyser", Level.FAILED)


def test_a_secret_of_which_the_role_is_told_nothing_is_one_that_is_not_there(
    outside: Outside, tmp_path: Path
) -> None:
    """AWS judges a secret that is not there by its bare name, which no right over its ARN covers."""
    with fault_proxy(str(outside.settings.aws_endpoint_url), worker_port(6), tmp_path / "proxy.log") as proxy:
        proxy.rule(service="secretsmanager", error={"code": "AccessDeniedException", "status": 400})
        settings = proxy.settings(outside.settings)
        checks = {name: CHECKS[name] for name in ("secrets", "hubspot")}
        found = not_ok(preflight(settings, NOW, checks=checks))

    assert list(found) == ["secrets", "hubspot token"]
    assert "prism-cursor-key" in found["secrets"][1]
    assert "prism secret put hubspot" in found["hubspot token"][1]


def test_a_deployment_begins_with_the_doctor_and_ends_there_when_something_fails_that_it_cannot_mend(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_NOW", LATER)
    said = list[str]()
    unknown = outside.settings.model_copy(update={"mail_sender": "someone@else.example"})
    # Looked at with the queue of images, which a deployment makes: it ends nothing.
    lacking = outside.settings.model_copy(update={"rekognition_api_url": "http://127.0.0.1:9/"})

    with pytest.raises(NotWell, match=r"finds mail sender failing, and nothing was changed"):
        doctor_before(unknown, said.append, despite=False)
    doctor_before(unknown, said.append, despite=True)
    doctor_before(lacking, said.append, despite=False)
    doctor_before(outside.settings.model_copy(update={"name_prefix": "another"}), said.append, despite=False)

    assert sum(one.startswith("doctor: failed: mail sender: SES has not verified") for one in said) == 2
    assert sum(one.startswith("doctor: failed: image analyser: ") for one in said) == 1
    assert said[-1].startswith("doctor: skipped: nothing is deployed here yet")


def test_mail_that_nobody_may_send_or_get_is_told(outside: Outside) -> None:
    found = not_ok(looked(outside, "mail", mail_sender="someone@else.example"))
    assert found["mail sender"] == (
        Level.FAILED,
        "SES has not verified whom mail is from; follow the link that it has mailed there, or verify the domain",
    )

    ses = client(outside.settings, "sesv2")
    details: dict[str, Any] = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.com"}
    ses.put_account_details(**details, ProductionAccessEnabled=False)
    try:
        refused = not_ok(looked(outside, "mail"))
        for identity in ("example.com", *outside.settings.operations):
            ses.create_email_identity(EmailIdentity=identity)
        verified = not_ok(looked(outside, "mail"))
    finally:
        ses.put_account_details(**details, ProductionAccessEnabled=True)

    level, sentence = refused["mail sandbox"]
    assert level is Level.FAILED
    assert "refuses mail to everything, operations 1;" in sentence
    assert "reader@example.com" not in sentence
    assert verified["mail sandbox"][0] is Level.WARNING


def test_a_report_that_nobody_gets_and_mail_that_came_back_are_told(platform: Platform, outside: Outside) -> None:
    store = TableStore(client(platform.settings, "dynamodb"), platform.settings, RECIPIENTS, Recipient)
    reader = store.get(recipient_id="everything")
    assert reader is not None
    bounced = store.update(
        reader.model_copy(update={"status": RecipientStatus.BOUNCED}),
        expected_version=reader.version,
        **AUTHOR,  # pyright: ignore[reportArgumentType]
    )

    found = not_ok(looked(outside, "recipients"))
    store.update(
        bounced.model_copy(update={"status": RecipientStatus.ACTIVE}),
        expected_version=bounced.version,
        **AUTHOR,  # pyright: ignore[reportArgumentType]
    )

    assert {level for level, _ in found.values()} == {Level.WARNING}
    assert set(found) == {"recipients bounced", *(f"recipients {one}" for one in REPORTS)}
    assert found["recipients bounced"][1].startswith("mail to everything came back")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(
            Fault(
                r"/v1/messages",
                status=401,
                body=claude_error("authentication_error", "invalid x-api-key"),
                times=9,
            ),
            "401 after all attempts (invalid x-api-key); look at the key",
            id="the key",
        ),
        pytest.param(
            Fault(r"/v1/messages", status=404, body=claude_error("not_found_error", "model: claude-x"), times=9),
            "404 after all attempts (model: claude-x)",
            id="the model",
        ),
        pytest.param(
            Fault(
                r"/v1/messages", status=400, body=claude_error("invalid_request_error", "credit too low"), times=9
            ),
            "credit too low",
            id="credit",
        ),
    ],
)
def test_a_model_that_does_not_answer_is_a_warning_for_reports_go_out(
    outside: Outside, fault: Fault, words: str
) -> None:
    outside.world.faults.add(fault)

    level, sentence = not_ok(looked(outside, "claude"))["claude"]

    assert (level, words in sentence) == (Level.WARNING, True), sentence


def test_what_the_settings_do_without_is_not_asked(outside: Outside) -> None:
    outside.world.faults.add(NAMED["meta-down"], NAMED["hubspot-token-expired"], NAMED["claude-down"])

    found = looked(
        outside,
        *("meta", "hubspot", "claude"),
        campaign_source=CampaignSource.ARCHIVE,
        model_provider=ModelProvider.NONE,
    )

    assert [one.level for one in found] == [Level.OK] * 3


def test_a_check_that_hangs_is_a_finding_and_holds_up_no_other(outside: Outside) -> None:
    hanging = threading.Event()

    def hangs(*_: object) -> list[Finding]:
        hanging.wait(30)
        return []

    found = preflight(outside.settings, NOW, seconds=3, checks={"slow": hangs, "lake": CHECKS["lake"]})
    hanging.set()

    assert [(one.subject, one.level) for one in found] == [("slow", Level.FAILED), ("lake", Level.OK)]
    assert found[0].sentence.startswith("no answer within 3 s")


def test_a_fault_of_ours_is_raised_and_no_finding(outside: Outside) -> None:
    def wrong(*_: object) -> list[Finding]:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        preflight(outside.settings, NOW, checks={"wrong": wrong})


@pytest.fixture
def reaching(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Outside:
    """The stand-ins for a run, which loads its settings itself."""
    for name in ("meta_api_url", "hubspot_api_url", "claude_api_url", "meta_account_id"):
        monkeypatch.setenv(f"PRISM_{name}".upper(), str(getattr(outside.settings, name)))
    return outside


def test_on_fridays_what_is_not_well_is_mailed_once_and_nothing_when_all_is(
    platform: Platform, reaching: Outside, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    overrides = {"telemetry": {"enabled": False}}
    definitions = build_definitions(platform.settings)
    job = definitions.resolve_job_def("preflight")
    with (
        sink(platform, folder),
        dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance,
    ):
        cursor: str | None = None

        def run_and_tick() -> int:
            nonlocal cursor
            job.execute_in_process(instance=instance, raise_on_error=False)
            cursor = tick("failed_runs", instance, cursor).cursor
            return len(list(folder.glob("*.eml")))

        well = run_and_tick()
        reaching.world.expires_at = int(NOW.timestamp()) + 5 * 86_400
        mailed, again = run_and_tick(), run_and_tick()
        ((_, message),) = received(folder)

    assert (well, mailed, again) == (0, 1, 1)
    text = message.get_body(("plain",))
    assert message["Subject"] == "PRISM: preflight_checks failed (no week)"
    assert text is not None
    assert "warning: meta token: the token ends on 2023-11-18; make a new one" in " ".join(
        text.get_content().split()
    )


def test_the_schedule_is_on_from_the_start_on_fridays_at_the_hour_of_the_settings() -> None:
    for cron in ("0 8 * * 5", "30 9 * * 4"):
        schedule = build_definitions(Settings(preflight_cron=cron)).resolve_schedule_def("preflight_weekly")
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert (schedule.cron_schedule, schedule.job_name) == (cron, preflight_job.name)
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert Settings().preflight_cron == "0 8 * * 5"


def test_what_is_mailed_names_no_more_than_what_is_not_well() -> None:
    well, soon = Finding("lake", Level.OK, "it answers"), Finding("meta token", Level.WARNING, "it ends soon")

    assert not_well([well]) == ""
    assert not_well([well, soon]) == "not well: meta token\nwarning: meta token: it ends soon"


def test_the_command_tells_a_machine_too_and_fails_where_something_does_not_work(tmp_path: Path) -> None:
    said = prism(tmp_path / "home", "doctor", "--json")

    found = json.loads(said.stdout)
    levels = {one["subject"]: one["level"] for one in found["findings"]}
    assert said.returncode == 1
    assert (levels["lake"], levels["table members"], levels["mail account"]) == ("failed", "failed", "ok")
    assert found["failed"] == sum(level == "failed" for level in (one["level"] for one in found["findings"]))
    assert "for a person to mend" in said.stderr
