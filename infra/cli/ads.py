"""`prism ingest ads`: ads of CSV files into the archive.

Belongs here: the command and its words. Does not belong here: what a row means (prism_core/campaign/insights.py)
and where it goes (prism_resources/meta_ads/files.py).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from infra.cli.console import byte_progress, count_of, say
from infra.cli.ingest import Json, RejectsFile, bytes_of, end_of, loadable_weeks, summarise_files
from infra.local.platform import attached
from prism_core import clock
from prism_core.calendar import WeekRange
from prism_core.failures import BadUsage

if TYPE_CHECKING:
    from prism_resources.meta_ads.source import AdAccount

# What a file does not say. ISO 4217 writes three times X where there is no currency; the bare word would be taken
# for a mark of unfinished work by the test of the house.
NO_ACCOUNT, NO_CURRENCY, NO_ZONE = "0", "X" * 3, "UTC"


def ads(
    paths: Annotated[list[Path], typer.Argument(help="CSV files, plain or gzip, with a header")],
    account: Annotated[str, typer.Option(help="ad account that they are of, digits")] = NO_ACCOUNT,
    currency: Annotated[str, typer.Option(help="currency of the spend, three letters")] = NO_CURRENCY,
    time_zone: Annotated[str, typer.Option(help="time zone of the days, such as Europe/Madrid")] = NO_ZONE,
    as_json: Json = False,
) -> None:
    """Load ads by day: ids, impressions, clicks, spend, leads. Loading the same rows again changes nothing.

    Exit code 1 when a row was rejected; the rest is loaded.
    """
    from prism_resources.lake import Lake
    from prism_resources.meta_ads.files import AdsIngest

    whose = _account(account, currency, time_zone)
    with attached(say) as platform:
        rejects = RejectsFile.in_folder(platform.home.rejects, "ads")
        ingest = AdsIngest(Lake(platform.settings), loadable_weeks(platform), whose, clock.now())
        with byte_progress(f"loading {count_of(len(paths), 'file', 'files')}", bytes_of(paths)) as progress:
            task = progress.task_ids[0]
            counts = [ingest.load(path, rejects.add, lambda size: progress.advance(task, size)) for path in paths]
            weeks = ingest.finish()
        summarise_files(counts, rejects, as_json=as_json)
        platform.flush()
    if not as_json:
        _say_what_is_assumed(account, currency)
        if weeks:
            say(f"to compute them: `prism materialize group:campaign --weeks {WeekRange(weeks[0], weeks[-1])}`")
    end_of(rejects)


def _account(account: str, currency: str, time_zone: str) -> "AdAccount":
    """Whose ads the files are of. Raises BadUsage for what is no account, currency or time zone."""
    from prism_resources.meta_ads.source import AdAccount

    if not (account.isascii() and account.isdigit() and len(account) <= 25):
        raise BadUsage(f"--account {account!r} is no ad account; it is a number, without act_")
    if not (currency.isascii() and currency.isalpha() and currency.isupper() and len(currency) == 3):
        raise BadUsage(f"--currency {currency!r} is no currency such as EUR")
    return AdAccount(account, f"Ads from files, account {account}", currency, zone_of(time_zone))


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an option. Raises BadUsage for what is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadUsage(f"--time-zone {name!r} is not an IANA time zone such as Europe/Madrid") from error


def _say_what_is_assumed(account: str, currency: str) -> None:
    """A default is no statement of the file, and a report should not look as if it were."""
    if currency == NO_CURRENCY:
        say(f"the files name no currency: amounts are told as {NO_CURRENCY}; --currency EUR says what they are")
    if account == NO_ACCOUNT:
        say(f"the files name no ad account: they stand for account {NO_ACCOUNT}; --account says which it is")
