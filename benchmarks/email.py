"""The mail of the campaign report: PRISM beside matplotlib and premailer with the same template and words.

Belongs here: the contenders. Does not belong here: how they are run (harness.py), and the peer's own code (peers).
`email`: a report from the archived answers of Meta (a folder in the form of the bucket) to the mail in a process
that has just begun, libraries of the mail included. `email_rendering`: twenty mails from their content in a
process that has made one before.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.harness import ROOT, Target, compare
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.figures import Inputs, figures
from prism_core.campaign.metrics import history
from prism_core.campaign.places import ad_sets
from prism_core.reports import plain_words
from prism_core.reports.campaign import report
from prism_core.reports.content import Fallback, Provenance, ReportContent, Writer
from prism_core.worker_activity.files import Rejected
from prism_resources.lake import Lake
from prism_resources.meta_ads.files import AdsIngest
from prism_resources.meta_ads.source import AdAccount, ArchivedAds

ADS = ROOT / "tests" / "data" / "ads" / "ads_daily.csv"
WEEK = Week.parse("2023-W34")
WEEKS = WeekRange(Week.parse("2023-W31"), Week.parse("2023-W35"))
MAILS = 20
SECONDS, TIMES = 2.0, 5
PEER = "matplotlib + premailer"
WHOLE = {"prism": "benchmarks.email:with_prism", PEER: "benchmarks.email:with_peer"}
RENDERING = {"prism": "benchmarks.email:PrismMails", PEER: "benchmarks.email:PeerMails"}
_HIDDEN = re.compile(r"<(style|title).*?</\1>|<[^>]+>", re.DOTALL)


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/email*.json")
    options = parser.parse_args(argv)
    with TemporaryDirectory() as made:
        folder = Path(made)
        facts = {"rows": len(ADS.read_text(encoding="utf-8").splitlines()) - 1, "objects": archived(folder)}
        facts |= {"week": WEEK.label}
        whole = compare(
            "email",
            WHOLE,
            folder,
            repeats=options.repeats,
            save=options.save,
            facts=facts,
            rehearse=options.repeats > 1,
            targets=_promises,
        )
        rendering = compare(
            "email_rendering",
            RENDERING,
            folder,
            repeats=options.repeats,
            save=options.save,
            facts={**facts, "mails": MAILS},
            probe="benchmarks.prepared",
            unit="ms",
        )
        return [whole, rendering]


def _promises(result: Mapping[str, Any]) -> list[Target]:
    ours, share = result["contenders"]["prism"]["seconds"], round(1 / result["ratios"][PEER], 3)
    return [
        Target("s a report from archived answers without a model", SECONDS, ours),
        Target(f"share of the seconds of {PEER}", 1 / TIMES, share),
    ]


class FolderLake(Lake):
    """The objects of a bucket as files below a folder: no service has a part in what is measured."""

    def __init__(self, folder: Path) -> None:
        self.bucket, self._folder = folder.name, folder

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return False
        path.write_bytes(body)
        return True

    def get(self, key: str) -> bytes | None:
        path = self._folder / key
        return path.read_bytes() if path.is_file() else None

    def keys(self, prefix: str) -> Iterator[str]:
        found = (self._folder / prefix).rglob("*")
        return iter(sorted(str(one.relative_to(self._folder)) for one in found if one.is_file()))


def archived(folder: Path) -> int:
    """The real ads as answers in the archive; how many objects these are."""
    lake, account = FolderLake(folder), AdAccount("77", "", "EUR", ZoneInfo("UTC"))
    ingest = AdsIngest(lake, WEEKS, account, datetime(2023, 10, 2, tzinfo=UTC))

    def refuse(row: Rejected) -> None:
        raise SystemExit(f"a row of {ADS} cannot be read: {row}")

    ingest.load(ADS, refuse, lambda _: None)
    ingest.finish()
    return sum(1 for _ in lake.keys(""))


def content_of(path: Path) -> ReportContent:
    """The report of a week from archived answers, its sentences by code."""
    source = ArchivedAds(FolderLake(path))
    weeks = [source.week(week) for week in WEEKS if week <= WEEK]
    days: list[date] = [day for one in weeks for day in one.days]
    rows = [row for one in weeks for row in one.rows]
    told = figures(Inputs(history(rows, (min(days), max(days))), WEEK, "EUR", ad_sets=ad_sets(weeks[-1].rows)))
    return report(told, plain_words.words(told), Provenance(Writer.CODE, Fallback.NO_KEY))


def with_prism(path: Path) -> str:
    return _told(*_prism()(content_of(path)))


def with_peer(path: Path) -> str:
    return _told(*_peer()(content_of(path)))


class PrismMails:
    """Twenty mails in a process that has made one."""

    share = MAILS  # of a mail: seconds are those of one

    def __init__(self, path: Path) -> None:
        self._content, self._render = content_of(path), self._renderer()
        self._render(self._content)

    def __call__(self) -> str:
        for _ in range(MAILS - 1):
            self._render(self._content)
        return _told(*self._render(self._content))

    def _renderer(self) -> "_Render":
        return _prism()


class PeerMails(PrismMails):
    def _renderer(self) -> "_Render":
        return _peer()


_Render = Callable[[ReportContent], tuple[str, list[Any]]]


def _prism() -> _Render:
    """Imported when it is used: what a library costs to load is part of a report in a process of its own."""
    from prism_resources.reports.rendering import render  # noqa: PLC0415

    def rendered(content: ReportContent) -> tuple[str, list[Any]]:
        mail = render(content)
        return mail.html, list(mail.pictures)

    return rendered


def _peer() -> _Render:
    from benchmarks.peers.report_mail import render  # noqa: PLC0415

    return render


def _told(html: str, pictures: list[Any]) -> str:
    """The figures that a reader sees, and how many pictures: the same for both."""
    words = _HIDDEN.sub(" ", html)
    return f"{len(pictures)} {' '.join(re.findall(r'[0-9][0-9.,]*', words))}"


if __name__ == "__main__":
    main()
