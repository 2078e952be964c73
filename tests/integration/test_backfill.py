"""A backfill as the Dagster UI asks for it. Why real: daemon, run launcher and storage decide what turns green."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.served import Served, serving
from prism_core.calendar import WeekRange
from tests.integration.fresh import worker_port
from tests.integration.helpers import REAL_FILES, prism

WEEKS = WeekRange.parse("2018-W33..2018-W36")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, worker_port(7), "--no-sample", PRISM_FIRST_WEEK="2018-W33") as found:
        yield found


@pytest.mark.slow
def test_a_backfill_over_the_range_turns_its_partitions_and_checks_green_in_one_run(served: Served) -> None:
    assert prism(served.home, "ingest", "worker-activity", *map(str, REAL_FILES)).returncode == 0

    backfill = served.backfill(["worker_activity", "throughput"], WEEKS)

    throughput = served.assets()["throughput"]
    assert (backfill.status, len(backfill.runs)) == ("COMPLETED_SUCCESS", 1)
    assert throughput.ranges == [{"startKey": WEEKS.first.key, "endKey": WEEKS.last.key, "status": "MATERIALIZED"}]
    assert throughput.verdicts == {
        "records_conserved": True,
        "no_negative_figures": True,
        "late_records": True,
        "raw_input_complete": True,
        "lake_follows_table": True,
        "partition_whole": True,
        "unresolved_share": False,  # the warning is right: nobody has resolved these workers
    }
