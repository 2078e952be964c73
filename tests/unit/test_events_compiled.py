"""What a container knows of schemas, and when it asks again.

The store is a list here: what one of a platform answers is tested in tests/integration/test_events_registry.py.
"""

from datetime import UTC, datetime
from typing import Any

from prism_api.events.compiled import AGAIN_SECONDS, KNOWN_SECONDS, Compiled
from prism_core.models.events import SchemaItem
from prism_resources.events.schema_store import SchemaStore

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)


class Known(SchemaStore):
    """Versions in memory; counts how often it was asked."""

    def __init__(self) -> None:
        self.items: list[SchemaItem] = []
        self.asked = 0

    def versions(self, kind: str) -> list[SchemaItem]:
        self.asked += 1
        return [one for one in self.items if one.type == kind]

    def schema(self, item: SchemaItem) -> Any:
        return {"title": item.version}


def item(kind: str) -> SchemaItem:
    return SchemaItem(
        type=kind, version="1-0-0", body="events/schemas/x.json", sha256="0" * 64, added_at=NOW, added_by="test"
    )


def test_a_type_that_was_added_a_moment_ago_is_known_although_somebody_had_asked_before() -> None:
    clock, store = [0.0], Known()
    compiled = Compiled(store, now=lambda: clock[0])
    assert compiled.judge("com.example.new", None) is None
    store.items.append(item("com.example.new"))

    assert compiled.judge("com.example.new", None) is None  # not by every event
    assert store.asked == 1
    clock[0] = AGAIN_SECONDS
    found = compiled.judge("com.example.new", None)
    clock[0] = KNOWN_SECONDS

    assert found is not None
    assert compiled.judge("com.example.new", None) is found
    assert store.asked == 2
