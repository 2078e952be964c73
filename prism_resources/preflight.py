"""Whether what the reports and assets need will answer, looked at before it is needed.

Belongs here: tables, bucket, secrets, mail, recipients and the model, all at once within a limit of time. Does not
belong here: what a connector looks at (meta_ads/checks.py, hubspot/checks.py), and who is told.
A finding names no secret and no address; its sentence says what to do.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from queue import Empty, Queue
from time import monotonic
from typing import Any, Final
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from prism_core.calendar import Week
from prism_core.failures import PermanentFailure, PrismFailure
from prism_core.models.reports import Recipient, RecipientStatus, ReportKind
from prism_core.reports.hours import due_at, hour_before, made_too_late, on_monday
from prism_core.settings import CampaignSource, ModelProvider, Settings
from prism_core.tables import RECIPIENTS, TABLES
from prism_resources.aws import client
from prism_resources.credentials import DENIED, secret_name
from prism_resources.failures import calling, error_code
from prism_resources.hubspot.checks import check_hubspot
from prism_resources.lake import Lake
from prism_resources.media.checks import check_media
from prism_resources.meta_ads.checks import check_meta
from prism_resources.meta_ads.ours import refused_weeks
from prism_resources.recipients import Recipients
from prism_resources.tables.reader import TableReader
from prism_resources.wire.findings import Finding, Level
from prism_resources.wire.patience import Patience
from prism_resources.writing.passes import Unusable
from prism_resources.writing.remembering import claude_of, key_of

# All checks begin at once, so this is the limit of each of them and of all.
SECONDS: Final = 90.0
_WAITED_SECONDS: Final = 45.0
_MODEL_SECONDS: Final = 20
# The week that runs, and those before it that Monday's run reads again.
_READ_WEEKS: Final = 6
# A year: clocks change on both sides.
_MONDAYS: Final = 53
# Of what SES takes in 24 hours.
_MUCH: Final = 0.8
_REPORTS: Final = (
    ReportKind.CAMPAIGN,
    ReportKind.OPERATIONS,
    ReportKind.ALERTS_DAILY,
    ReportKind.ALERTS_WEEKLY,
)
_READY: Final = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}
_UNREADABLE: Final = frozenset({"ResourceNotFoundException", "404", "NoSuchBucket", "NotFoundException"})
Look = Callable[[Settings, datetime, Patience], Iterable[Finding]]
Told = Callable[[str, int], None]


def preflight(
    settings: Settings,
    now: datetime,
    *,
    told: Told = lambda _name, _done: None,
    seconds: float = SECONDS,
    checks: Mapping[str, Look] | None = None,
) -> list[Finding]:
    """Every finding, check by check. `told` hears of each check that is done, and of how many are.

    A check without an answer after `seconds` is a finding itself.
    """
    looks, stopped = checks or CHECKS, threading.Event()
    answers: Queue[tuple[str, list[Finding] | BaseException]] = Queue()
    for name, look in looks.items():
        # Daemons: one that hangs in a call keeps no command from ending.
        patience = Patience(most_seconds=_WAITED_SECONDS, cancelled=stopped)
        looking = threading.Thread(target=_look, args=(name, look, settings, now, patience, answers), daemon=True)
        looking.start()
    found: dict[str, list[Finding]] = {}
    deadline = monotonic() + seconds
    while len(found) < len(looks):
        try:
            name, answer = answers.get(timeout=max(deadline - monotonic(), 0))
        except Empty:
            break
        if isinstance(answer, BaseException):
            raise answer
        found[name] = answer
        told(name, len(found))
    stopped.set()
    late = (
        f"no answer within {seconds:.0f} s; look whether this machine reaches it, and at the status of the service"
    )
    return [one for name in looks for one in found.get(name, [Finding(name, Level.FAILED, late)])]


def _look(
    name: str,
    look: Look,
    settings: Settings,
    now: datetime,
    patience: Patience,
    answers: "Queue[tuple[str, list[Finding] | BaseException]]",
) -> None:
    try:
        answers.put((name, list(look(settings, now, patience))))
    except PrismFailure as error:
        answers.put((name, [Finding(name, Level.FAILED, str(error))]))
    except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for the answer
        answers.put((name, error))


def _tables(settings: Settings, _now: datetime, _patience: Patience) -> Iterator[Finding]:
    dynamodb, ready = client(settings, "dynamodb"), 0
    for spec in TABLES.values():
        name = settings.table_name(spec.name)
        try:
            with calling(f"table {name}", "description"):
                status = dynamodb.describe_table(TableName=name)["Table"].get("TableStatus")
        except PermanentFailure as error:
            yield Finding(f"table {spec.name}", Level.FAILED, str(error))
            continue
        if status in {"ACTIVE", "UPDATING"}:
            ready += 1
        else:
            yield Finding(f"table {spec.name}", Level.FAILED, f"it is {status}; look at its events in DynamoDB")
    if ready:
        yield Finding("tables", Level.OK, f"{ready} of {len(TABLES)} tables answer")


def _lake(settings: Settings, _now: datetime, _patience: Patience) -> Iterator[Finding]:
    s3, bucket = client(settings, "s3"), settings.lake_bucket
    with calling(f"bucket {bucket}", "look"):
        try:
            versioning = s3.get_bucket_versioning(Bucket=bucket).get("Status")
        except ClientError as error:
            if error_code(error) not in _UNREADABLE:
                raise
            yield Finding(
                "lake", Level.FAILED, f"there is no bucket {bucket}; deploy the stacks (`prism up --once`)"
            )
            return
    if versioning == "Enabled":
        yield Finding("lake", Level.OK, f"the bucket {bucket} answers and keeps versions")
    else:
        yield Finding("lake", Level.FAILED, f"the bucket {bucket} keeps no versions; deploy the data stack again")


def _secrets(settings: Settings, _now: datetime, _patience: Patience) -> Iterator[Finding]:
    """That they are there, and since when; those of a service that are not are told by its own check."""
    manager = client(settings, "secretsmanager")
    for name in (
        settings.cursor_secret_name,
        *(secret_name(settings, one) for one in ("meta", "hubspot", "claude")),
    ):
        with calling(f"secret {name}", "description"):
            try:
                described = manager.describe_secret(SecretId=name)
            except ClientError as error:
                if error_code(error) not in _UNREADABLE | {DENIED}:
                    raise
                if name == settings.cursor_secret_name:
                    said = f"there is no secret {name}, and lists of the API have one page; deploy the API stack"
                    yield Finding("secrets", Level.FAILED, said)
                continue
        changed = described.get("LastChangedDate") or described.get("CreatedDate")
        since = f", as it was put there on {changed:%Y-%m-%d}" if isinstance(changed, datetime) else ""
        yield Finding("secrets", Level.OK, f"the secret {name} is there{since}")


def _mail(settings: Settings, _now: datetime, _patience: Patience) -> Iterator[Finding]:
    if settings.sender is None:
        said = "nobody has said whom mail is from; set PRISM_MAIL_SENDER to what SES has verified"
        yield Finding("mail sender", Level.FAILED, said)
    if not settings.operations:
        said = "nobody is told of failed runs; set PRISM_OPERATIONS_EMAIL"
        yield Finding("mail operations", Level.FAILED, said)
    ses = client(settings, "sesv2")
    with calling("SES", "look at the account"):
        account: Mapping[str, Any] = ses.get_account()
    if settings.sender is not None:
        yield _sender(ses, settings.sender)
    yield _standing(account)
    if account.get("ProductionAccessEnabled") is not True:
        yield from _sandbox(settings, ses)
    yield _quota(account.get("SendQuota") or {})


def _sender(ses: Any, sender: str) -> Finding:
    if _verified(ses, sender) or _verified(ses, sender.rpartition("@")[2]):
        return Finding("mail sender", Level.OK, "SES has verified whom mail is from")
    return Finding(
        "mail sender",
        Level.FAILED,
        "SES has not verified whom mail is from; follow the link that it has mailed there, or verify the domain",
    )


def _standing(account: Mapping[str, Any]) -> Finding:
    status = account.get("EnforcementStatus")
    if account.get("SendingEnabled") is False or status == "SHUTDOWN":
        said = (
            "SES sends nothing for this account; read what AWS wrote about bounces and complaints, and answer it"
        )
        return Finding("mail account", Level.FAILED, said)
    if status == "PROBATION":
        said = "SES has put this account under review; look at its bounces and complaints before it is shut"
        return Finding("mail account", Level.WARNING, said)
    return Finding("mail account", Level.OK, "SES sends for this account")


def _sandbox(settings: Settings, ses: Any) -> Iterator[Finding]:
    """In it SES sends to verified addresses alone. Recipients are named by their ids."""
    wanting = [one for report in _REPORTS for one in Recipients(settings).subscribed(report)]
    addresses = {one.recipient_id: one.email for one in wanting}
    addresses |= {f"operations {number}": one for number, one in enumerate(settings.operations, start=1)}
    refused = [
        name
        for name, address in addresses.items()
        if not (_verified(ses, address) or _verified(ses, address.rpartition("@")[2]))
    ]
    ask = "ask AWS for production access of SES"
    if refused:
        said = f"SES is in its sandbox and refuses mail to {', '.join(refused)}; {ask}, or verify these addresses"
        yield Finding("mail sandbox", Level.FAILED, said)
    else:
        said = f"SES is in its sandbox: who is added as a recipient is to be verified first; {ask}"
        yield Finding("mail sandbox", Level.WARNING, said)


def _quota(quota: Mapping[str, Any]) -> Finding:
    most, sent = float(quota.get("Max24HourSend") or 0), float(quota.get("SentLast24Hours") or 0)
    said = f"{sent:,.0f} of {most:,.0f} mails of 24 hours are sent"
    if most < 0:  # SES has no limit for this account
        return Finding("mail quota", Level.OK, f"{sent:,.0f} mails were sent in 24 hours, without a limit")
    if sent >= most:
        return Finding(
            "mail quota", Level.FAILED, f"{said}: none goes any more; ask AWS for a larger quota of SES"
        )
    if sent >= _MUCH * most:
        return Finding("mail quota", Level.WARNING, f"{said}; ask AWS for a larger quota of SES")
    return Finding("mail quota", Level.OK, said)


def _verified(ses: Any, identity: str) -> bool:
    with calling("an identity of SES", "look"):
        try:
            return ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus") is True
        except ClientError as error:
            if error_code(error) in _UNREADABLE:
                return False
            raise


def _recipients(settings: Settings, now: datetime, _patience: Patience) -> Iterator[Finding]:
    known = Recipients(settings)
    for report in _REPORTS:
        readers = known.subscribed(report)
        found = len(readers)
        if report is ReportKind.CAMPAIGN:
            yield from read_too_soon(settings, readers, now)
        if found:
            yield Finding(f"recipients {report}", Level.OK, f"{found} get it")
        else:
            said = "nobody gets it; add a recipient with this subscription, or subscribe one"
            yield Finding(f"recipients {report}", Level.WARNING, said)
    reader = TableReader(client(settings, "dynamodb"), settings, RECIPIENTS, Recipient)
    bounced = [one.recipient_id for one in reader.query("by_status", status=RecipientStatus.BOUNCED)]
    if bounced:
        said = f"mail to {', '.join(sorted(bounced))} came back; mend the address and set the status to active"
        yield Finding("recipients bounced", Level.WARNING, said)


def read_too_soon(settings: Settings, readers: Iterable[Recipient], now: datetime) -> Iterator[Finding]:
    """Each recipient whose own hour comes, some Monday of a year, before the run that makes the report."""
    run, ours = on_monday(settings.campaign_figures_cron), ZoneInfo(settings.report_time_zone)
    if run is None:
        return
    this = Week.of(now.astimezone(ours).date())
    for one in readers:
        zone = ZoneInfo(one.time_zone)
        due = [(week, due_at(week, zone, settings.report_at)) for week in (this + n for n in range(_MONDAYS))]
        if not made_too_late(run, ours, due):
            continue
        hour = hour_before(run, ours, due)
        todo = (
            f"set PRISM_REPORT_TIME_ZONE to {zone.key}, whose Monday begins before"
            if hour is None
            else f'set PRISM_CAMPAIGN_FIGURES_CRON to "{run.minute} {hour} * * 1"'
        )
        said = (
            f"for {one.recipient_id} it is {settings.report_hour} in {zone.key} before the report is made, on "
            f"Monday at {run:%H:%M} of {ours.key}: that mail is late; {todo}"
        )
        yield Finding("recipients hour", Level.WARNING, said)


def _meta(settings: Settings, now: datetime, patience: Patience) -> Iterable[Finding]:
    if archived := _archived("meta", settings):
        return archived
    found = check_meta(settings, now, patience)
    if settings.meta_account_id is None:  # which is told
        return found
    ended = Week.of(now.astimezone(ZoneInfo(settings.report_time_zone)).date())
    return [*found, *refused_weeks(settings, Lake(settings), ended.window(_READ_WEEKS))]


def _hubspot(settings: Settings, now: datetime, patience: Patience) -> Iterable[Finding]:
    return _archived("hubspot", settings) or check_hubspot(settings, now, patience)


def _archived(service: str, settings: Settings) -> list[Finding]:
    if settings.campaign_source is not CampaignSource.ARCHIVE:
        return []
    return [Finding(service, Level.OK, "not asked: PRISM_CAMPAIGN_SOURCE is archive")]


def _claude(settings: Settings, _now: datetime, _patience: Patience) -> Iterator[Finding]:
    """One small question on the way of those of a report. Without an answer, code writes the sentences."""
    if settings.model_provider is ModelProvider.NONE:
        yield Finding("claude", Level.OK, "not asked: PRISM_MODEL_PROVIDER is none, and code writes the sentences")
        return
    hurried = settings.model_copy(update={"model_timeout_seconds": _MODEL_SECONDS})
    said: list[str] = []

    def keep(_step: str, _asked: object, status: int, _headers: object, body: bytes) -> None:
        if status >= 400:
            said.append(_message(body))

    try:
        with claude_of(hurried, key_of(settings), keep) as model:
            model.ask("preflight", "You are asked whether you answer.", [("user", "Are you ready?")], _READY)
    except Unusable as reason:
        why = reason.detail.removeprefix("pass preflight: ") + (f" ({said[-1]})" if said and said[-1] else "")
        todo = "look at the key and at PRISM_MODEL_NAME; until it answers, code writes the sentences of reports"
        yield Finding("claude", Level.WARNING, f"{why}; {todo}")
    else:
        yield Finding("claude", Level.OK, f"{settings.model_name} answers at {settings.model_provider}")


def _message(body: bytes) -> str:
    """What a refusal says, of Anthropic or of Bedrock."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    error = found.get("error")
    said = error.get("message") if isinstance(error, dict) else found.get("message")
    return said[:200] if isinstance(said, str) else ""


CHECKS: Final[Mapping[str, Look]] = {
    "tables": _tables,
    "lake": _lake,
    "secrets": _secrets,
    "mail": _mail,
    "recipients": _recipients,
    "meta": _meta,
    "hubspot": _hubspot,
    "claude": _claude,
    "media": check_media,
}
