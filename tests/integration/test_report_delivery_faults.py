"""What becomes of a report to six readers under each fault of its way, and what the next run makes of it.

Why real: a fault falls between the bucket, the ledger and SES. Each one is printed with its outcome.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.platform import Platform
from prism_core.failures import PrismFailure
from prism_core.lake import REPORTS
from prism_core.models.reports import ReportKind
from prism_core.settings import Settings
from prism_resources import mail
from prism_resources.lake import Lake
from prism_resources.mailing import PREFIX
from prism_resources.recipients import Recipients
from prism_resources.reports.delivery import ReportDelivery
from tests.integration import warm
from tests.integration.asset_runs import write
from tests.integration.faults import FaultProxy, fault_proxy
from tests.integration.fresh import worker_port
from tests.integration.report_readers import MONDAY, SIX, Readers, reader, readers, with_leads

__all__ = ("readers",)

SENDS = {"service": "ses", "operation": "SendRawEmail"}
LATER = MONDAY + timedelta(hours=1)
SENT = {"sent": 6}


@dataclass
class World:
    readers: Readers
    proxy: FaultProxy

    def run(self, now: datetime = MONDAY, **how: Any) -> str:
        """One run through the proxy; why it ended, if it did."""
        return _ended(lambda: ReportDelivery(self.proxy.settings(self.readers.settings)).deliver(now, **how))

    def refused(self, code: str, times: int) -> str:
        self.proxy.rule(**SENDS, times=times, error={"code": code, "status": 400})
        return self.run()


@dataclass(frozen=True)
class Case:
    """`stands`: deliveries by status after the faulty run; `later`: after one without faults an hour later."""

    fault: str
    happens: Callable[[World], str]
    stands: dict[str, int]
    later: dict[str, int]
    ends: str = ""


def _ended(run: Callable[[], object]) -> str:
    try:
        run()
    except PrismFailure as failure:
        return f"{type(failure).__name__}: {failure}"
    return ""


class KilledBeforeTheFourth(Recipients):
    """Three mails have gone and are in the ledger."""

    looked_up = 0

    def address(self, report: ReportKind, recipient_id: str) -> tuple[str | None, str]:
        self.looked_up += 1
        if self.looked_up == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().address(report, recipient_id)


def deliver_until_killed(settings: Settings) -> None:
    delivery = ReportDelivery(settings)
    delivery.mailing._recipients = KilledBeforeTheFourth(settings)
    delivery.deliver(MONDAY)


def _killed(world: World) -> str:
    process = warm.process(deliver_until_killed, world.readers.settings)
    process.start()
    process.join(240)
    return f"exit {process.exitcode}"


def _one_rejected(world: World) -> str:
    return world.refused("MessageRejected", 1)


def _answer_lost(world: World) -> str:
    world.proxy.rule(**SENDS, times=1, response={"abort_frac": 0.5})
    return world.run()


def _two_at_once(world: World) -> str:
    with ThreadPoolExecutor(2) as pool:
        return "".join(pool.map(lambda _: world.run(), range(2)))


def _bounced_meanwhile(world: World) -> str:
    """Between reading who is subscribed and sending."""
    delivery = ReportDelivery(world.readers.settings)
    subscribed = delivery._recipients.subscribed(ReportKind.CAMPAIGN)
    write("recipients", [reader("bob", "Europe/Madrid", "bounced", "campaign")])

    class AsRead(Recipients):
        def subscribed(self, report: ReportKind) -> list[Any]:
            return subscribed if report is ReportKind.CAMPAIGN else []

    delivery._recipients = AsRead(world.readers.settings)
    return _ended(lambda: delivery.deliver(MONDAY))


def _damaged(prefix: str) -> Callable[[World], str]:
    """One object is cut off, after one reader of six got the report; put back before the next run."""

    def happens(world: World) -> str:
        world.refused("MessageRejected", 5)
        lake = Lake(world.readers.settings)
        key = max(lake.keys(prefix))
        body = lake.get(key)
        assert body is not None
        lake.put(key, body[:100], content_type="application/json")
        ended = world.run()
        lake.put(key, body, content_type="application/json")
        return ended

    return happens


def _unverified_sender(world: World) -> str:
    world.readers.settings = world.readers.settings.model_copy(update={"mail_sender": "x@nobody.example"})
    ended = world.run()
    world.readers.settings = world.readers.settings.model_copy(update={"mail_sender": None})
    return ended


def _late(world: World) -> str:
    """Made on Tuesday at ten in the evening; the run without faults is on Wednesday at eight."""
    return world.run(MONDAY + timedelta(days=1, hours=15))


CASES = (
    Case("SES throttles two of six for a moment", lambda w: w.refused("Throttling", 2), SENT, SENT),
    Case("SES throttles all the time", lambda w: w.refused("Throttling", 24), {"failed": 6}, SENT),
    Case(
        "SES is in the sandbox, no address is verified",
        lambda w: w.refused("MessageRejected", 6),
        {"failed": 6},
        SENT,
    ),
    Case("SES rejects one of six", _one_rejected, {"sent": 5, "failed": 1}, SENT),
    Case(
        "SES has paused the account", lambda w: w.refused("AccountSendingPausedException", 6), {"failed": 6}, SENT
    ),
    Case("the sender is not verified", _unverified_sender, {"failed": 6}, SENT),
    Case("the answer to one mail is lost", _answer_lost, {"sent": 5, "claimed": 1}, {"sent": 5, "claimed": 1}),
    Case("killed after the third of six mails", _killed, {"sent": 3}, SENT, "exit -9"),
    Case("two runs at once", _two_at_once, SENT, SENT),
    Case("one reader bounces meanwhile", _bounced_meanwhile, {"sent": 5, "skipped": 1}, {"sent": 5, "skipped": 1}),
    Case(
        "the report on the shelf is cut off",
        _damaged(REPORTS),
        {"sent": 1, "failed": 5},
        SENT,
        "is not the report that was put there",
    ),
    Case("the stored edition is cut off", _damaged(PREFIX), {"sent": 1, "failed": 5}, SENT, "it cannot be sent"),
    Case("the report is made late, at night", _late, {}, SENT),
)


@pytest.fixture(scope="module")
def running(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    log = tmp_path_factory.mktemp("proxy") / "proxy.log"
    with fault_proxy(str(platform.settings.aws_endpoint_url), worker_port(5), log) as found:
        yield found


@pytest.mark.parametrize("case", [pytest.param(one, id=one.fault) for one in CASES])
def test_nothing_is_sent_twice_and_nothing_is_lost(
    readers: Readers,
    running: FaultProxy,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(mail, "THROTTLED_SECONDS", (0.0, 0.0, 0.0))
    running.clear()
    readers.join(*SIX)
    readers.shelve(with_leads(376))

    ended = case.happens(World(readers, running))
    stands = Counter(readers.stands().values())
    running.clear()
    readers.deliver(LATER + timedelta(days=2) if case.happens is _late else LATER)

    later, mails = Counter(readers.stands().values()), Counter(name for name, _ in readers.got())
    with capsys.disabled():
        said = ", ".join(f"{count} {status}" for status, count in sorted(stands.items())) or "nothing"
        then = ", ".join(f"{count} {status}" for status, count in sorted(later.items()))
        print(f"\n{case.fault}: {said}; next run: {then}; {mails.total()} mails", end=" ")  # noqa: T201
    assert (dict(stands), dict(later)) == (case.stands, case.later)
    assert case.ends in ended
    assert set(mails.values()) == {1}
    assert mails.total() in {case.later["sent"], case.later["sent"] + case.later.get("claimed", 0)}
