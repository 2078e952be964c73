"""`prism ingest quality`: reviews from CSV files into the table.

Belongs here: the command and its words. Does not belong here: what a row means (prism_core/quality_files.py) and
where it goes (prism_resources/quality_ingest.py).
"""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.console import byte_progress, count_of, say
from infra.cli.ingest import Json, RejectsFile, bytes_of, end_of, loadable_weeks, summarise_files
from infra.local.platform import attached
from prism_core import clock


def quality(
    paths: Annotated[list[Path], typer.Argument(help="CSV files, plain or gzip, with a header")],
    replace: Annotated[
        bool, typer.Option("--replace", help="take the file's figures for reviews that are stored with other ones")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="the reason that the change log keeps")] = "",
    as_json: Json = False,
) -> None:
    """Load quality reviews. Loading the same rows again changes nothing.

    A row names the member or a worker, the project or a labelling job, a week, how many pieces were reviewed, and
    how many were correct (or the accuracy). Exit code 1 when a row was rejected; the rest is loaded.
    """
    from prism_resources.quality_ingest import QualityIngest

    with attached(say) as platform:
        rejects = RejectsFile.in_folder(platform.home.rejects, "quality")
        ingest = QualityIngest(
            platform.settings, loadable_weeks(platform), clock.now(), reason=reason, replace=replace
        )
        with byte_progress(f"loading {count_of(len(paths), 'file', 'files')}", bytes_of(paths)) as progress:
            task = progress.task_ids[0]
            counts = [ingest.load(path, rejects.add, lambda size: progress.advance(task, size)) for path in paths]
        summarise_files(counts, rejects, as_json=as_json)
        platform.flush()
    end_of(rejects)
