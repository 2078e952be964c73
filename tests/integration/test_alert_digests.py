"""What is told of alerts, in the mailbox: each thing once, whatever crashes and whoever else runs.

Why real: a kill falls between the tables, the bucket and SES, and two runs at once meet in conditional writes.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, fingerprint
from prism_core.calendar import Week
from prism_core.failures import BadUsage, PermanentFailure, TransientFailure
from prism_core.models.alerts import Alert, AlertRule, AlertStatus
from prism_core.models.reports import Recipient
from prism_core.models.work import Severity
from prism_core.settings import Settings
from prism_core.tables import ALERTS, DELIVERIES, EDITIONS, RECIPIENTS
from prism_resources.alerts.digests import DAILY, WEEKLY, AlertDigests
from prism_resources.alerts.ledger import AlertLedger
from prism_resources.aws import client
from prism_resources.lake import Lake
from prism_resources.letters import Letter
from prism_resources.mail import Mailer
from prism_resources.mailing import Mailing
from prism_resources.tables.bulk import batch_write, delete_request, scan_pages
from prism_resources.tables.codec import encode_key
from prism_resources.tables.store import CheckFailed
from tests.integration import warm
from tests.integration.api_client import Api
from tests.integration.asset_runs import write
from tests.integration.fresh import platform_of_this_file
from tests.integration.test_emulator_contract_mail import received, sink

platform = platform_of_this_file()

RULE = AlertRule.LATE_REQUEST
TUESDAY = datetime(2018, 9, 4, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_before(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """No alert, recipient or edition of another test."""
    monkeypatch.setenv("PRISM_NOW", TUESDAY.isoformat())
    dynamodb = client(platform.settings, "dynamodb")
    for spec in (ALERTS, RECIPIENTS, EDITIONS, DELIVERIES):
        table = platform.settings.table_name(spec.name)
        names = [attribute.name for attribute in spec.key_attributes]
        for page in scan_pages(dynamodb, table, 1):
            keys = [{name: raw[name]["S"] for name in names} for raw in page]
            batch_write(dynamodb, table, [delete_request(encode_key(key)) for key in keys])


@pytest.fixture
def mailbox(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "mail"
    folder.mkdir()
    with sink(platform, folder):
        yield folder


@pytest.fixture
def digests(platform: Platform) -> AlertDigests:
    return AlertDigests(platform.settings)


Judge = Callable[..., None]


@pytest.fixture
def judge(platform: Platform) -> Judge:
    """The ledger after a judgement that found these."""

    def judged(*findings: Finding, now: datetime = TUESDAY) -> None:
        AlertLedger(platform.settings).keep([Judgement(RULE, findings)], now)

    return judged


def finding(name: str = "r-1", severity: Severity = Severity.MEDIUM, project: str = "P-1") -> Finding:
    row = EvidenceRow(f"requests/{name}", {"hours": "6.00 h"})
    week, subject = Week.of(TUESDAY), f"requests/{name}"
    return Finding(RULE, subject, week, severity, f"{name} is late", (row,), project_id=project)


def recipient(
    name: str, *, status: str = "active", reports: tuple[str, ...] = ("alerts_daily",), **of: Any
) -> None:
    said = [{"report": report, **of} for report in reports]
    address = f"{name}@example.com"
    base = {"recipient_id": name, "name": "A Person", "email": address, "time_zone": "UTC", "status": status}
    write("recipients", [Recipient.model_validate(base | {"subscriptions": said})])


def stored(platform: Platform, name: str = "r-1") -> Alert:
    found = AlertLedger(platform.settings).get(fingerprint(RULE, f"requests/{name}", ""))
    assert found is not None
    return found


def mails(mailbox: Path, count: int = 1) -> list[tuple[str, str]]:
    """To whom, and the subject, in the order in which they arrived; `count` of them are waited for."""
    return [
        (recipients[0].partition("@")[0], str(message["Subject"]))
        for recipients, message in received(mailbox, count)
    ]


def test_nothing_new_is_no_edition_and_no_mail(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge()

    told = digests.daily(TUESDAY)

    assert (told.edition, told.entries, told.outcomes) == (None, (), ())
    assert Mailing(platform.settings).last(DAILY, Week.of(TUESDAY)) is None
    assert list(mailbox.glob("*.eml")) == []


def test_what_is_new_is_told_once_and_what_is_mended_once(
    digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge(finding())

    first, again = digests.daily(TUESDAY), digests.daily(TUESDAY)
    judge(finding(), now=TUESDAY + DAY)
    still = digests.daily(TUESDAY + DAY)
    judge(now=TUESDAY + 2 * DAY)
    over, over_again = (digests.daily(TUESDAY + 2 * DAY) for _ in range(2))

    assert [one.edition is not None for one in (first, again, still, over, over_again)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new"), ("ada", "PRISM alerts: 1 over")]


def test_what_came_and_went_before_anybody_was_told_is_never_told(
    digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge(finding())
    judge(now=TUESDAY + DAY)

    assert digests.daily(TUESDAY + DAY).edition is None
    assert list(mailbox.glob("*.eml")) == []


def test_nobody_took_it_up_so_it_is_told_again_after_a_week_and_an_hour_early_is_no_day_late(
    digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    for day in range(8):
        now = TUESDAY + day * DAY - day * timedelta(seconds=3)
        judge(finding(), now=now)
        digests.daily(now)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new"), ("ada", "PRISM alerts: 1 still open")]


def test_who_is_subscribed_to_one_project_or_team_gets_only_that(
    digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("all")
    recipient("one", projects=["P-1"])
    recipient("other", projects=["P-9"])
    recipient("paused", status="paused")
    recipient("bounced", status="bounced")
    recipient("weekly", reports=("alerts_weekly",))
    judge(finding("r-1"), finding("r-2", project="P-2"))

    digests.daily(TUESDAY)

    assert sorted(mails(mailbox)) == [("all", "PRISM alerts: 2 new"), ("one", "PRISM alerts: 1 new")]
    (text,) = [
        message.get_body(("plain",))
        for recipients, message in received(mailbox)
        if recipients[0].startswith("one")
    ]
    assert text is not None
    assert "r-1 is late" in text.get_content()
    assert "r-2 is late" not in text.get_content()


def test_what_nobody_was_told_is_new_to_whoever_subscribes_later(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("other", projects=["P-9"])
    judge(finding())
    nobody = digests.daily(TUESDAY)
    recipient("ada")

    digests.daily(TUESDAY + DAY)

    assert nobody.edition is None
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]
    assert stored(platform).told == TUESDAY + DAY


def test_what_a_person_says_through_the_api_is_respected_by_the_next_judgement(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    lead = Api("[lead]", "sub-of-a-lead")
    recipient("ada")
    judge(finding("r-1"), finding("r-2"), finding("r-3"))
    keys = {name: stored(platform, name).fingerprint for name in ("r-1", "r-2", "r-3")}
    until = (TUESDAY + 3 * DAY).isoformat().replace("+00:00", "Z")
    verdict = {"verdict": "useful", "note": "caught in time"}
    steps: list[tuple[str, str, Any]] = [
        ("r-1", "acknowledge", None),
        ("r-2", "silence", {"until": until, "reason": "the customer knows"}),
        ("r-3", "verdict", verdict),
    ]

    answers = [
        lead("POST", f"/api/alerts/{keys[name]}/{verb}", body, match="*").status for name, verb, body in steps
    ]
    judge(finding("r-1"), finding("r-2", Severity.HIGH), finding("r-3"), now=TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)
    judge(finding("r-1", Severity.HIGH), finding("r-2", Severity.HIGH), finding("r-3"), now=TUESDAY + 4 * DAY)
    digests.daily(TUESDAY + 4 * DAY)

    assert answers == [200, 200, 200]
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new"), ("ada", "PRISM alerts: 2 new")]
    assert (stored(platform, "r-1").status, stored(platform, "r-1").acknowledged) == (AlertStatus.OPEN, None)
    assert stored(platform, "r-2").silence_reason == "the customer knows"
    assert stored(platform, "r-3").verdict_by == "user:sub-of-a-lead"
    precision = lead("GET", "/api/alerts/precision")
    of_rule = {one["rule"]: one for one in precision.body["rules"]}
    assert precision.status == 200
    assert len(of_rule) == len(AlertRule)
    assert (of_rule[RULE]["judged"], of_rule[RULE]["useful"], of_rule[RULE]["share"]) == (1, 1, "1.0000")
    assert (of_rule["sla_breach"]["judged"], of_rule["sla_breach"]["share"]) == (0, None)


def test_a_silence_that_a_person_ends_is_told_in_the_next_digest(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    lead = Api("[lead]", "sub-of-a-lead")
    recipient("ada")
    judge(finding())
    digests.daily(TUESDAY)
    path = f"/api/alerts/{stored(platform).fingerprint}"
    until = (TUESDAY + 30 * DAY).isoformat().replace("+00:00", "Z")
    lead("POST", f"{path}/silence", {"until": until, "reason": "known"}, match="*")
    judge(finding(), now=TUESDAY + timedelta(hours=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISM_NOW", (TUESDAY + timedelta(hours=2)).isoformat())
        ended, again = (lead("POST", f"{path}/unsilence", match="*").status for _ in range(2))

    judge(finding(), now=TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)

    assert (ended, again) == (200, 409)
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new"), ("ada", "PRISM alerts: 1 no longer silenced")]


class KilledSender(Mailer):
    """Hands the mail over, and ends like a machine that loses its power."""

    def send(self, *args: Any, **kwargs: Any) -> str:
        super().send(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def killed_behind_the_send(settings: Settings) -> None:
    digests = AlertDigests(settings)
    digests.mailing.mailer = KilledSender(settings)
    digests.daily(TUESDAY)


class KilledLedger(AlertLedger):
    """Dies when an edition is stored and nothing is marked yet."""

    def mark(self, *_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def killed_before_the_marks(settings: Settings) -> None:
    digests = AlertDigests(settings)
    digests.ledger = KilledLedger(settings)
    digests.daily(TUESDAY)


def run_in_a_process(target: Callable[..., None], *args: Any) -> int | None:
    process = warm.process(target, *args)
    process.start()
    process.join(240)
    return process.exitcode


def test_a_kill_between_send_and_record_is_one_mail_and_a_delivery_that_is_seen(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge(finding())

    died = run_in_a_process(killed_behind_the_send, platform.settings)
    again = digests.daily(TUESDAY + timedelta(minutes=1))
    judge(finding(), now=TUESDAY + DAY)
    next_day = digests.daily(TUESDAY + DAY)

    assert died == -signal.SIGKILL
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]
    for told in (again, next_day):
        (outcome,) = told.outcomes
        assert told.edition is None
        assert [one.status for one in outcome.deliveries] == ["claimed"]


def test_a_kill_between_an_edition_and_its_marks_is_one_mail_of_that_edition(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge(finding())

    died = run_in_a_process(killed_before_the_marks, platform.settings)
    untold = stored(platform).told
    digests.catch_up(TUESDAY + DAY)
    judge(finding(severity=Severity.HIGH), now=TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)
    digests.daily(TUESDAY + 2 * DAY)

    # Nobody had got it a day later: one mail says what is so by then.
    assert (died, untold) == (-signal.SIGKILL, None)
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]
    assert stored(platform).told_severity is Severity.HIGH
    assert [one.edition_id for one in Mailing(platform.settings).open(Week.of(TUESDAY))] == []


def at_once(settings: Settings, barrier: Barrier, minutes: int) -> None:
    digests = AlertDigests(settings)
    barrier.wait(240)
    digests.daily(TUESDAY + timedelta(minutes=minutes))


def test_two_runs_at_once_are_one_mail(platform: Platform, judge: Judge, mailbox: Path) -> None:
    names = ["ada", "bo", "cy"]
    for name in names:
        recipient(name)
    judge(*(finding(f"r-{number}") for number in range(10)))
    barrier = warm.CONTEXT.Barrier(2)
    runs = [warm.process(at_once, platform.settings, barrier, minutes) for minutes in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join(240)

    assert [one.exitcode for one in runs] == [0, 0]
    assert sorted(mails(mailbox, len(names))) == [(name, "PRISM alerts: 10 new") for name in names]


def test_several_judgements_at_once_leave_each_alert_open_once(platform: Platform) -> None:
    ledger = AlertLedger(platform.settings)
    found = Judgement(RULE, tuple(finding(f"r-{number}") for number in range(20)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda minute: ledger.keep([found], TUESDAY + timedelta(minutes=minute)), range(4)))

    alerts = [stored(platform, f"r-{number}") for number in range(20)]
    assert {(one.status, one.episodes, one.last_seen) for one in alerts} == {
        (AlertStatus.OPEN, 1, TUESDAY + timedelta(minutes=3))
    }


def test_an_older_judgement_that_ends_late_does_not_end_what_a_newer_one_has_seen(
    platform: Platform, judge: Judge
) -> None:
    judge(finding(), now=TUESDAY + DAY)

    judge(now=TUESDAY)

    assert stored(platform).status is AlertStatus.OPEN


def test_the_digest_of_a_week_is_one_mail_a_week_whatever_the_daily_ones_told(
    digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada", reports=("alerts_daily", "alerts_weekly"))
    judge(finding("r-1"), finding("r-2"), now=TUESDAY)
    digests.daily(TUESDAY)
    judge(finding("r-1"), now=TUESDAY + DAY)
    monday = TUESDAY + 6 * DAY
    judge(finding("r-1"), now=monday)

    first, again = digests.weekly(monday), digests.weekly(monday + timedelta(hours=1))

    assert (first.edition is not None, again.edition) == (True, None)
    assert mails(mailbox) == [("ada", "PRISM alerts: 2 new"), ("ada", "PRISM alerts of 2018-W36: 1 new")]


def test_a_sent_edition_whose_content_is_damaged_stops_nothing(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge(finding("r-1"))
    first = digests.daily(TUESDAY).edition
    assert first is not None
    Lake(platform.settings).put(first.content, b"{}", content_type="application/json")

    digests.catch_up(TUESDAY + DAY)
    judge(finding("r-1"), finding("r-2"), now=TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")] * 2


def test_an_unsent_edition_that_is_damaged_is_reported_blocks_no_other_and_can_be_withdrawn(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    mailing, letter = Mailing(platform.settings), Letter(("ada",), "PRISM alerts: lost", "lost")
    damaged = mailing.prepare(DAILY, Week.of(TUESDAY), "Alerts", [letter], now=TUESDAY, number=1)
    Lake(platform.settings).put(damaged.content, b"{}", content_type="application/json")
    judge(finding("r-1"))

    with pytest.raises(PermanentFailure, match=f"not what {damaged.edition_id} said"):
        digests.daily(TUESDAY)
    mailing.withdraw(damaged.edition_id, actor="ada", now=TUESDAY)
    digests.daily(TUESDAY + DAY)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]
    assert mailing.open(Week.of(TUESDAY)) == []
    with pytest.raises(BadUsage, match="it is withdrawn"):
        mailing.withdraw(damaged.edition_id, actor="ada", now=TUESDAY)


def test_what_is_opened_on_the_morning_of_a_weekly_digest_is_new_in_one_of_them(
    digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada", reports=("alerts_weekly",))
    monday = TUESDAY + 6 * DAY
    judge(finding(), now=monday)
    digests.weekly(monday + timedelta(minutes=15))
    judge(finding(), now=monday + 7 * DAY)

    digests.weekly(monday + 7 * DAY + timedelta(minutes=15))

    assert mails(mailbox) == [
        ("ada", "PRISM alerts of 2018-W36: 1 new"),
        ("ada", "PRISM alerts of 2018-W37: 1 still open"),
    ]


def test_a_weekly_digest_that_was_stored_and_not_sent_goes_with_the_next_daily_run(
    digests: AlertDigests, mailbox: Path
) -> None:
    recipient("ada", reports=("alerts_weekly",))
    letter = Letter(("ada",), "PRISM alerts of 2018-W35", "1 alert")
    digests.mailing.prepare(WEEKLY, Week.of(TUESDAY) + -1, "Alerts", [letter], now=TUESDAY - DAY, number=1)

    digests.daily(TUESDAY)

    assert mails(mailbox) == [("ada", "PRISM alerts of 2018-W35")]


def test_after_an_outage_one_mail_says_what_is_so_now(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient("ada")
    recipient("bo")
    judge(finding("told"), now=TUESDAY - DAY)
    digests.daily(TUESDAY - DAY)
    for day, names in enumerate((("told", "r-1"), ("told", "r-1", "r-2"), ("told", "r-2"))):
        now = TUESDAY + day * DAY
        with monkeypatch.context() as patch:
            patch.setattr(Mailer, "send", _refused)
            judge(*(finding(name) for name in names), now=now)
            digests.daily(now)
    stale = Mailing(platform.settings).open(Week.of(TUESDAY))

    judge(finding("r-2"), now=TUESDAY + 3 * DAY)
    digests.daily(TUESDAY + 3 * DAY)

    # r-1 came and went while nobody heard of it; what was told before is told to be over.
    assert len(stale) == 1
    sent = mails(mailbox)
    assert sent[:2] == [("ada", "PRISM alerts: 1 new"), ("bo", "PRISM alerts: 1 new")]
    assert sorted(sent[2:]) == [("ada", "PRISM alerts: 1 new, 1 over"), ("bo", "PRISM alerts: 1 new, 1 over")]
    assert (stored(platform, "r-1").told, stored(platform, "r-2").told) == (None, TUESDAY + 3 * DAY)
    assert Mailing(platform.settings).open(Week.of(TUESDAY)) == []


def _refused(*_: Any, **__: Any) -> str:
    raise TransientFailure("SES is not reached")


@pytest.fixture
def stale(digests: AlertDigests, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edition of the day before that has gone to nobody, and what it tells is still so."""
    recipient("ada")
    judge(finding())
    with monkeypatch.context() as patch:
        patch.setattr(Mailer, "send", _refused)
        digests.daily(TUESDAY)
    judge(finding(), now=TUESDAY + DAY)


def withdrawing(settings: Settings) -> None:
    AlertDigests(settings).take_back(TUESDAY + DAY)


def marking(settings: Settings) -> None:
    AlertDigests(settings).catch_up(TUESDAY + DAY)


def telling(settings: Settings) -> None:
    AlertDigests(settings).daily(TUESDAY + DAY)


def comes_before(patch: pytest.MonkeyPatch, owner: object, name: str, act: Callable[[], object]) -> None:
    """Another run comes in before a call of this one, the first time."""
    call, acts = getattr(owner, name), iter([act])

    def then(*args: Any, **named: Any) -> Any:
        for one in acts:
            one()
        return call(*args, **named)

    patch.setattr(owner, name, then)


@pytest.mark.parametrize(
    ("step", "part", "call", "other"),
    [
        pytest.param("take_back", "ledger", "unmark", withdrawing, id="withdrawn-before-its-marks-are-taken-back"),
        pytest.param("take_back", "mailing", "recall", withdrawing, id="withdrawn-before-this-run-withdraws-it"),
        pytest.param("take_back", "mailing", "recall", marking, id="marked-before-this-run-withdraws-it"),
        pytest.param("catch_up", "mailing", "content", withdrawing, id="withdrawn-before-it-is-read"),
        pytest.param("catch_up", "ledger", "mark", withdrawing, id="withdrawn-before-it-is-marked"),
    ],
)
@pytest.mark.usefixtures("stale")
def test_two_runs_after_an_outage_lose_no_alert(
    platform: Platform,
    digests: AlertDigests,
    mailbox: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    part: str,
    call: str,
    other: Callable[..., None],
) -> None:
    with monkeypatch.context() as patch:
        meets = getattr(digests, part)
        comes_before(patch, meets, call, lambda: run_in_a_process(other, platform.settings))
        getattr(digests, step)(TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]
    assert (stored(platform).told, stored(platform).told_to) == (TUESDAY + DAY, ("ada",))


@pytest.mark.usefixtures("stale")
def test_two_runs_at_once_after_an_outage_are_one_mail(platform: Platform, mailbox: Path) -> None:
    barrier, day = warm.CONTEXT.Barrier(2), 24 * 60
    runs = [warm.process(at_once, platform.settings, barrier, day) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join(240)
    AlertDigests(platform.settings).daily(TUESDAY + DAY + timedelta(minutes=1))

    assert [one.exitcode for one in runs] == [0, 0]
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]


def test_a_run_beside_one_that_finds_a_mail_that_may_have_gone_tells_nothing_of_it_anew(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient("ada")
    judge(finding())
    died = run_in_a_process(killed_behind_the_send, platform.settings)
    judge(finding(), now=TUESDAY + DAY)

    with monkeypatch.context() as patch:
        comes_before(patch, digests.mailing, "recall", lambda: run_in_a_process(telling, platform.settings))
        digests.daily(TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)

    assert died == -signal.SIGKILL
    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]


def test_an_old_edition_that_somebody_got_or_may_have_got_goes_to_the_others(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient("ada")
    recipient("bo")
    judge(finding())
    send = Mailer.send

    def once(self: Mailer, to: list[str], *rest: Any, **named: Any) -> str:
        return send(self, to, *rest, **named) if "ada" in to[0] else _refused()

    with monkeypatch.context() as patch:
        patch.setattr(Mailer, "send", once)
        digests.daily(TUESDAY)

    judge(finding(), now=TUESDAY + DAY)
    digests.daily(TUESDAY + DAY)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new"), ("bo", "PRISM alerts: 1 new")]


def test_nothing_of_an_edition_that_is_withdrawn_while_it_is_sent_goes_any_more(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    mailing = Mailing(platform.settings)
    recipient("ada")
    letter = Letter(("ada",), "PRISM alerts", "1 alert")
    read = mailing.prepare(DAILY, Week.of(TUESDAY), "Alerts", [letter], now=TUESDAY, number=1)
    mailing.withdraw(read.edition_id, actor="ada", now=TUESDAY)

    late = mailing.deliver(read, now=TUESDAY)
    with pytest.raises(CheckFailed):
        mailing._to(read, letter, "ada", None, TUESDAY, set())

    assert (late.edition.status, late.deliveries) == ("withdrawn", ())
    assert (mails(mailbox, 0), mailing.deliveries(read.edition_id)) == ([], [])


def test_where_no_sender_is_set_nothing_is_stored_and_all_is_told_once_there_is_one(
    digests: AlertDigests, judge: Judge, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient("ada", reports=("alerts_daily", "alerts_weekly"))
    judge(finding(), now=TUESDAY - 2 * DAY)

    with monkeypatch.context() as patch:
        patch.setattr(Settings, "sender", None)  # as in AWS, where nobody has set it
        for tell in (digests.daily, digests.weekly):
            with pytest.raises(PermanentFailure, match="PRISM_MAIL_SENDER"):
                tell(TUESDAY)
    digests.daily(TUESDAY)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new")]


def test_who_subscribes_later_is_told_what_is_open_and_the_others_are_not_told_again(
    platform: Platform, digests: AlertDigests, judge: Judge, mailbox: Path
) -> None:
    recipient("ada")
    judge(finding("r-1"))
    digests.daily(TUESDAY)
    recipient("bo")
    recipient("cy", projects=["P-9"])

    for day in (1, 2):
        judge(finding("r-1"), now=TUESDAY + day * DAY)
        digests.daily(TUESDAY + day * DAY)

    assert mails(mailbox) == [("ada", "PRISM alerts: 1 new"), ("bo", "PRISM alerts: 1 open already")]
    assert (stored(platform).told, stored(platform).told_to) == (TUESDAY, ("ada", "bo"))
