"""What the lake should say, counted again from the raw records by other means than ours: json, gzip and boto3.

Belongs here: totals by ISO week. Nothing of PRISM's own reading, decoding or computing is used.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer

_PLAIN = TypeDeserializer()


class Recount:
    """Over the files that were ingested and the tables of a platform's embedded AWS."""

    def __init__(self, files: list[Path], endpoint: str, weeks: list[str]) -> None:
        self._files, self._weeks = files, weeks
        self._dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="recount",
            aws_secret_access_key="recount",
        )

    def tasks(self) -> dict[str, tuple[int, int, int]]:
        """Tasks submitted, returned and declined, of records of the labelling tool."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for path in self._files:
            for line in gzip.decompress(path.read_bytes()).splitlines():
                record = json.loads(line)
                second = int(record["event_timestamp"])
                found[_week(datetime.fromtimestamp(second, UTC).date())][record["event_type"]] += 1
        kinds = ("TasksSubmitted", "TasksReturned", "TasksDeclined")
        return {week: tuple(found[week][kind] for kind in kinds) for week in sorted(found)}  # type: ignore[misc]

    def reviews(self) -> dict[str, tuple[int, int, int]]:
        """Reviews, pieces reviewed and pieces correct."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for item in self._items("quality"):
            of_week = found[item["week"]]
            for place, number in enumerate((1, item["reviewed"], item["correct"])):
                of_week[place] += int(number)
        return {week: (one[0], one[1], one[2]) for week, one in sorted(found.items())}

    def allocated(self) -> dict[str, tuple[int, Decimal]]:
        """Allocations and their hours, of the weeks that have begun."""
        number, hours = Counter[str](), defaultdict[str, Decimal](Decimal)
        for item in self._items("allocations"):
            number[item["week"]] += 1
            hours[item["week"]] += sum(map(Decimal, item["hours"].values()))
        return {week: (number[week], hours[week]) for week in sorted(number) if week in self._weeks}

    def existing(self, table: str) -> dict[str, int]:
        """Items that existed when each week ended, by the creations and deletions of the change log."""
        step = {"create": 1, "delete": -1, "update": 0}
        changes = [item for item in self._items("changelog") if item["table"] == table]
        return {
            week: sum(step[one["operation"]] for one in changes if one["instant"] < _end(week))
            for week in self._weeks
        }

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=f"prism-{table}"):
            for item in page["Items"]:
                yield {name: _PLAIN.deserialize(value) for name, value in item.items()}


def _week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def _end(week: str) -> str:
    """The first instant behind a week, as it stands in the log; of the running week the end of days."""
    year, number = week.split("-W")
    monday = date.fromisocalendar(int(year), int(number), 1) + timedelta(weeks=1)
    return monday.isoformat()
