"""`prism ingest leads`: leads of CSV files into the archive.

Belongs here: the command and its words. Does not belong here: what a lead is (prism_core/campaign/leads.py) and
where it goes (prism_resources/hubspot/files.py).
"""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.ads import NO_ZONE, zone_of
from infra.cli.console import byte_progress, count_of, say
from infra.cli.ingest import Json, RejectsFile, bytes_of, end_of, loadable_weeks, summarise_files
from infra.local.platform import attached
from prism_core import clock
from prism_core.calendar import WeekRange


def leads(
    paths: Annotated[list[Path], typer.Argument(help="CSV files, plain or gzip, with a header")],
    time_zone: Annotated[str, typer.Option(help="time zone of the ad account, such as Europe/Madrid")] = NO_ZONE,
    as_json: Json = False,
) -> None:
    """Load leads: id, instant of creation, ids of Meta. Loading the same rows again changes nothing.

    Nothing of a person is read. Exit code 1 when a row was rejected; the rest is loaded.
    """
    from prism_resources.hubspot.files import LeadsIngest
    from prism_resources.hubspot.source import ad_ids
    from prism_resources.lake import Lake

    zone = zone_of(time_zone)
    with attached(say) as platform:
        settings = platform.settings
        rejects = RejectsFile.in_folder(platform.home.rejects, "leads")
        ingest = LeadsIngest(Lake(settings), loadable_weeks(platform), zone, ad_ids(settings), clock.now())
        with byte_progress(f"loading {count_of(len(paths), 'file', 'files')}", bytes_of(paths)) as progress:
            task = progress.task_ids[0]
            counts = [ingest.load(path, rejects.add, lambda size: progress.advance(task, size)) for path in paths]
            weeks = ingest.finish()
        summarise_files(counts, rejects, as_json=as_json)
        platform.flush()
    if weeks and not as_json:
        say(f"to compute them: `prism materialize group:campaign --weeks {WeekRange(weeks[0], weeks[-1])}`")
    end_of(rejects)
