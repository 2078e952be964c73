"""No name, address or number of a lead is kept anywhere or reaches a model, whatever the customer system sends.

Why real: what must not be found is searched in everything that the bucket holds and in what the model was asked.
"""

import gzip
import json
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.local.standins.author import honest_author
from infra.local.standins.faults import Fault
from prism_core.calendar import Week, WeekRange
from prism_core.campaign.account_days import bounds
from prism_core.lake_campaign import HUBSPOT_LEADS, LEAD_ATTRIBUTION
from prism_sensors.campaign import FIGURES, REPORT
from tests.integration.asset_runs import lake_rows, run_assets
from tests.integration.fresh import platform_of_this_file
from tests.integration.outside import Outside, outside, served_fixture
from tests.integration.spoilt_weeks import SEARCH

__all__ = ("outside", "served_fixture")

platform = platform_of_this_file()

W35: Final = Week.parse("2023-W35")
# What only a person of these contacts has.
PERSONAL: Final = ("Zyxwella", "Quillfeather", "+49 170 5550199", "5550199", "zyx.quill", "Call me after six")


def with_people(outside: Outside) -> list[dict[str, Any]]:
    """The contacts of the week, each with all that a customer system knows, asked for or not."""
    person = {
        "firstname": PERSONAL[0],
        "lastname": PERSONAL[1],
        "phone": PERSONAL[2],
        "mobilephone": PERSONAL[3],
        "email": f"{PERSONAL[4]}@mail.example",
        "message": PERSONAL[5],
        "hs_lead_status": f"{PERSONAL[0]} asked twice",
        "utm_ad_id": PERSONAL[2],
        "hs_analytics_first_url": f"https://apply.example/{PERSONAL[4]}@mail.example?name={PERSONAL[0]}#{PERSONAL[1]}",
    }
    known = outside.world.people.between(*bounds(W35, outside.world.zone))
    return [{"id": one["id"], "properties": {**one["properties"], **person}} for one in known]


def test_nothing_of_a_person_is_kept_or_asked(
    outside: Outside, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("meta_api_url", "hubspot_api_url", "claude_api_url", "meta_account_id"):
        monkeypatch.setenv(f"PRISM_{name.upper()}", str(getattr(outside.settings, name)))
    asked: list[str] = []

    def listening(request: Mapping[str, Any]) -> str:
        asked.append(json.dumps(request, ensure_ascii=False))
        return honest_author(request)

    outside.world.author = listening
    rows = with_people(outside)
    outside.world.faults.add(Fault(SEARCH, body={"total": len(rows), "results": rows}))

    done = run_assets(instance, WeekRange(W35, W35), *FIGURES, *REPORT)

    assert done.success
    assert len(lake_rows(HUBSPOT_LEADS, W35)) == len(rows) > 100
    assert len(asked) == 3
    kept = {key: readable(key, outside.lake.get(key) or b"") for key in outside.lake.keys("")}
    assert {key.partition("/")[0] for key in kept} >= {"raw", "lake", "reports"}
    found = [key for key, text in kept.items() if any(one in text for one in PERSONAL)]
    assert found == []
    assert [one for one in asked if any(person in one for person in PERSONAL)] == []
    ids = {row["lead_id"] for row in lake_rows(LEAD_ATTRIBUTION, W35) if row["lead_id"]}
    assert not any(lead in text for text in asked for lead in ids), "a lead is nobody to a model"


def readable(key: str, body: bytes) -> str:
    """An object as whoever opens it reads it."""
    if key.endswith(".gz"):
        body = gzip.decompress(body)
    if key.endswith(".parquet"):
        return str(pq.read_table(pa.BufferReader(body)).to_pylist())
    return body.decode(errors="replace")
