"""`prism export` of tables of which some cannot be read.

Why real: what the command prints, and with which code it ends, is seen from outside of its process.
"""

import json
from typing import Any

from infra.local.platform import Platform
from prism_resources.aws import client
from tests.integration.fresh import commands_of_this_file
from tests.integration.helpers import prism

platform = commands_of_this_file()
BROKEN: dict[str, dict[str, Any]] = {
    "saved_views": {"view_id": {"S": "V-1"}, "colour": {"S": "red"}},
    "deliveries": {"edition_id": {"S": "E-9"}, "recipient_id": {"S": "R-9"}, "claimed": {"S": "soon"}},
}


def test_the_tables_that_are_finished_are_printed_before_every_one_that_failed_is_named(
    platform: Platform,
) -> None:
    for table, item in BROKEN.items():
        client(platform.settings, "dynamodb").put_item(TableName=platform.settings.table_name(table), Item=item)

    answer = prism(
        platform.settings.home, "export", "--tables", "saved_views,quality,deliveries", "--json", first_week=""
    )

    assert answer.returncode == 1
    assert [told["table"] for told in json.loads(answer.stdout)["tables"]] == ["quality"]
    assert all(f"{table}: " in " ".join(answer.stderr.split()) for table in BROKEN)
    assert "Traceback" not in answer.stderr
