"""A home of an older version, with fewer tables and indexes, and the deploy of today.

Why real: what an index holds of items that are older than it is decided by the table.
"""

import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra import deploy as deploying
from infra import upgrade
from infra.deploy import deploy
from infra.local.platform import attached
from prism_core.calendar import Week
from prism_core.failures import PermanentFailure
from prism_core.models.people import Member
from prism_core.models.work import Allocation
from prism_core.settings import Environment, Settings
from prism_core.tables import ALLOCATIONS, MEMBERS, SAVED_VIEWS, TableSpec
from prism_resources.aws import client
from prism_resources.tables.codec import encode
from prism_resources.tables.store import TableStore
from tests.integration.fresh import worker_port

WEEK = Week.parse("2026-W02")
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def without(template: str, resource: str, *indexes: str) -> str:
    """The text of a template without some indexes of a table, or without the table."""
    start = template.index(f"\n  {resource}:\n")
    found = re.compile(r"\n  \w").search(template, start + 3)
    end = len(template) if found is None else found.start()
    block = template[start:end] if indexes else ""
    for index in indexes:
        block = re.sub(rf"        - IndexName: {index}\n(?:          .*\n)+", "", block)
    block = re.sub(r"      GlobalSecondaryIndexes:\n(?!        -)", "", block)
    keys = set(re.findall(r"AttributeName: (\w+), KeyType", block))
    for name in re.findall(r"AttributeName: (\w+), AttributeType", block):
        if name not in keys:
            block = block.replace(f"        - {{AttributeName: {name}, AttributeType: S}}\n", "")
    return template[:start] + block + template[end:]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The templates without saved views, without two indexes of members and without both of allocations."""
    folder = tmp_path / "templates"
    shutil.copytree(deploying.TEMPLATES, folder)
    data = (folder / "data.yaml").read_text()
    data = without(data, "MembersTable", "by_subject", "by_team")
    data = without(data, "AllocationsTable", "by_project", "by_week")
    (folder / "data.yaml").write_text(without(data, "SavedViewsTable"))
    return folder


def written_by_the_older(settings: Settings, spec: TableSpec, item: Any, *lacking: str) -> None:
    """An item as a version without the indexes stored it: without the attributes that they alone need."""
    attributes: Any = {name: value for name, value in encode(spec, item).items() if name not in lacking}
    client(settings, "dynamodb").put_item(TableName=settings.table_name(spec.name), Item=attributes)


def tables(settings: Settings) -> set[str]:
    return set(client(settings, "dynamodb").list_tables()["TableNames"])


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_a_home_of_an_older_version_keeps_its_data_and_every_new_index_answers_for_it(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with attached(print, port=worker_port(6)) as platform:
        settings = platform.settings
        with monkeypatch.context() as patch:
            patch.setattr(deploying, "TEMPLATES", older)
            deploy(settings, WEEK, print)
        before = tables(settings)
        ada = Member(member_id="ada", name="Ada", email="a@b.c", time_zone="UTC", team="red", cognito_sub="sub-1")
        planned = [
            Allocation(member_id=one, week=WEEK, project_id="p-1", hours={date(2026, 1, 5): Decimal(4)}, version=3)
            for one in ("ada", "bo")
        ]
        written_by_the_older(settings, MEMBERS, ada)
        for one in planned:
            written_by_the_older(settings, ALLOCATIONS, one, "week_member", "project_member")
        lacking = upgrade.new_indexes(settings)
        dynamodb = client(settings, "dynamodb")
        on_aws = settings.model_copy(update={"environment": Environment.AWS})
        with monkeypatch.context() as patch:
            patch.setattr(upgrade, "client", lambda *_: dynamodb)
            with pytest.raises(PermanentFailure, match="allocations: by_project, by_week"):
                upgrade.new_indexes(on_aws)

        deploy(settings, WEEK, print)
        deploy(settings, WEEK, print)  # again, with nothing left to do

        members, allocations = (
            TableStore[Any](dynamodb, settings, spec, spec.model) for spec in (MEMBERS, ALLOCATIONS)
        )
        assert settings.table_name(SAVED_VIEWS.name) not in before
        assert settings.table_name(SAVED_VIEWS.name) in tables(settings)
        assert {name: [one.name for one in found] for name, found in lacking.items()} == {
            "members": ["by_subject", "by_team"],
            "allocations": ["by_project", "by_week"],
        }
        assert upgrade.new_indexes(settings) == {}
        assert list(members.query("by_team", team="red")) == [ada]
        assert list(members.query("by_subject", cognito_sub="sub-1")) == [ada]
        assert list(allocations.query("by_week", week=WEEK)) == planned
        assert list(allocations.query("by_project", project_id="p-1", week=WEEK)) == planned
        longer = planned[0].model_copy(update={"pinned": True})
        by: Any = {"actor": "test", "reason": "", "request_id": "r", "now": NOW}
        assert allocations.update(longer, expected_version=3, **by).version == 4
