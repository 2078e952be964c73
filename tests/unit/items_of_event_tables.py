"""Strategies for the items of the tables of events.

Belongs here: one strategy a table, sound by the rules of its model. Does not belong here: tests.
"""

from typing import Any

from hypothesis import strategies as st

from prism_core.events.enrichment import Kind
from prism_core.events.failed import FailedStatus, Failure
from prism_core.events.outcomes import Outcome
from prism_core.events.rollups import Grain
from prism_core.models.events import (
    EnrichmentRule,
    FailedItem,
    FailedProblem,
    FailedReplay,
    LookupForm,
    LookupItem,
    ReceiptItem,
    RegistryStatus,
    RollupItem,
    SchemaItem,
    StoredEvent,
)
from tests.unit.strategies import counts, ids, instants, measures, names, optional, texts

digests = st.from_regex(r"\A[0-9a-f]{32}\Z")
receipts = st.from_regex(r"\A[0-9A-Z]{26}\Z")
types = st.sampled_from(["com.example.made", "github.push"])
attributes = st.text(min_size=1, max_size=40)
schema_versions = st.sampled_from(["1-0-0", "2-11-3"])
pointers = st.sampled_from(["", "/a/0/b~1c"])
objects = st.sampled_from(["events/large/01K", "events/schemas/x/1-0-0.json"])
hashes = st.from_regex(r"\A[0-9a-f]{64}\Z")
versions_by_name = st.dictionaries(names, st.integers(1, 99), max_size=2)

EVENT_ITEMS: dict[str, st.SearchStrategy[Any]] = {
    "events": st.builds(
        StoredEvent,
        event_key=digests,
        receipt=receipts,
        producer=ids,
        source=attributes,
        event_id=attributes,
        type=types,
        version=schema_versions,
        accepted_at=instants,
        stored_at=instants,
        time=optional(instants),
        value=optional(measures),
        label=optional(texts),
        fingerprint=digests,
        subject=optional(texts),
        dataschema=optional(texts),
        extensions=st.dictionaries(names, st.one_of(texts, st.integers(-9, 9), st.booleans()), max_size=2),
        data=optional(texts),
        body=optional(objects),
        lookups=versions_by_name,
        added=st.dictionaries(names, texts, max_size=2),
        missing=st.lists(names, max_size=2).map(tuple),
        expires_at=counts,
    ),
    "failed_events": st.builds(
        FailedItem,
        failed_id=digests,
        receipt=receipts,
        failure=st.sampled_from(Failure),
        producer=ids,
        source=attributes,
        event_id=attributes,
        type=types,
        accepted_at=instants,
        failed_at=instants,
        component=names,
        component_version=names,
        version=optional(schema_versions),
        problems=st.lists(st.builds(FailedProblem, path=pointers, rule=names, reason=texts), max_size=2).map(
            tuple
        ),
        status=st.sampled_from(FailedStatus),
        replays=st.lists(
            st.builds(
                FailedReplay,
                run=names,
                at=instants,
                receipt=digests,
                old_version=optional(schema_versions),
                new_version=optional(schema_versions),
            ),
            max_size=2,
        ).map(tuple),
        payload=optional(texts),
        body=optional(objects),
        expires_at=counts,
    ),
    "schemas": st.builds(
        SchemaItem,
        type=types,
        version=schema_versions,
        status=st.sampled_from(RegistryStatus),
        body=objects,
        sha256=hashes,
        rules=st.lists(
            st.builds(
                EnrichmentRule,
                kind=st.sampled_from(Kind),
                path=pointers,
                into=ids,
                lookup=optional(ids),
                beside=optional(pointers),
            ),
            max_size=2,
        ).map(tuple),
        value_at=optional(pointers),
        label_at=optional(pointers),
        owner=optional(ids),
        added_at=instants,
        added_by=names,
        note=texts,
    ),
    "lookups": st.builds(
        LookupItem,
        name=ids,
        version=st.integers(1, 999_999),
        status=st.sampled_from(RegistryStatus),
        form=st.sampled_from(LookupForm),
        body=objects,
        sha256=hashes,
        entries=counts,
        base=optional(st.just("EUR")),
        added_at=instants,
        added_by=names,
    ),
    "receipts": st.builds(
        ReceiptItem,
        receipt=receipts,
        producer=ids,
        type=types,
        event_key=digests,
        accepted_at=instants,
        outcome=optional(st.sampled_from(Outcome)),
        settled_at=optional(instants),
        refused=st.booleans(),
        undeliverable=st.booleans(),
        replay_of=optional(digests),
        expires_at=counts,
    ),
    "event_rollups": st.builds(
        RollupItem,
        type=types,
        grain=st.sampled_from(Grain),
        start=instants,
        part=st.sampled_from(["", "2026-01-05T07", "2026-01-05T07-9f"]),
        count=counts,
        late=counts,
        body=texts,
        computed_at=instants,
        expires_at=counts,
    ),
}
