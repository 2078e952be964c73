"""Versions of schemas and lookups are written once, and what they hold is what was added.

Why real: that two writers cannot both be the next version is the database's to say.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from pydantic import AnyHttpUrl

from infra.local.platform import Platform
from prism_api.events.compiled import Compiled
from prism_api.events.registry import CURRENT_SECONDS, Registry
from prism_core.events.enrichment import Kind, Rule
from prism_core.events.lookups import Prefixes, Rates, Texts
from prism_core.events.versions import SchemaVersion
from prism_core.failures import PermanentFailure, StaleVersion, TransientFailure
from prism_core.models.events import EnrichmentRule
from prism_resources.aws import client
from prism_resources.events import objects
from prism_resources.events.lookup_store import LookupStore, LostLookup
from prism_resources.events.schema_store import LostSchema, SchemaStore
from tests.integration.event_rows import NOW
from tests.integration.proxies import Proxy

FIRST: dict[str, Any] = {
    "type": "object",
    "properties": {"seconds": {"type": "number"}},
    "required": ["seconds"],
}
WIDER = FIRST | {"properties": {"seconds": {"type": ["number", "string"]}}}
NARROWER = FIRST | {"required": ["seconds", "worker"]}


def version(text: str) -> SchemaVersion:
    return SchemaVersion.parse(text)


def text(schema: object) -> bytes:
    return json.dumps(schema).encode()


@pytest.fixture
def schemas(platform: Platform) -> SchemaStore:
    return SchemaStore(platform.settings)


@pytest.fixture
def lookups(platform: Platform) -> LookupStore:
    return LookupStore(platform.settings)


def add(schemas: SchemaStore, kind: str, named: str, schema: object, **more: Any) -> None:
    schemas.add(kind, version(named), text(schema), by="test", now=NOW, **more)


def test_versions_of_a_type_are_listed_in_their_order_with_what_was_added(schemas: SchemaStore) -> None:
    rule = EnrichmentRule(kind=Kind.COUNTRY, path="/ip", into="country", lookup="geo")
    add(schemas, "g.listed", "1-0-0", FIRST, rules=[rule], about={"owner": "R-1", "value_at": "/seconds"})
    add(schemas, "g.listed", "1-0-1", WIDER)
    add(schemas, "g.listed", "2-0-0", NARROWER)

    found = schemas.versions("g.listed")

    assert [one.version for one in found] == ["1-0-0", "1-0-1", "2-0-0"]
    assert [schemas.schema(one) for one in found] == [FIRST, WIDER, NARROWER]
    assert (found[0].rules, found[0].owner, found[0].value_at) == ((rule,), "R-1", "/seconds")
    assert {(one.rules, one.owner, one.value_at) for one in found[1:]} == {((rule,), "R-1", "/seconds")}
    assert [one.version for one in schemas.all() if one.type == "g.listed"] == ["1-0-0", "1-0-1", "2-0-0"]
    assert schemas.version("g.listed", version("1-0-1")) == found[1]


def test_a_version_takes_over_what_it_does_not_say_otherwise_from_the_one_before_it(schemas: SchemaStore) -> None:
    rule = EnrichmentRule(kind=Kind.COUNTRY, path="/ip", into="country", lookup="geo")
    add(schemas, "g.kept", "1-0-0", FIRST, rules=[rule], about={"owner": "R-1", "label_at": "/a", "note": "n"})
    add(schemas, "g.kept", "2-0-0", FIRST, rules=[], about={"owner": "R-2"})
    add(schemas, "g.kept", "1-0-1", WIDER, about={"label_at": "/b"})
    add(schemas, "g.kept", "2-0-1", WIDER, bare=True)

    found = {one.version: (one.rules, one.owner, one.label_at, one.note) for one in schemas.versions("g.kept")}

    assert found["2-0-0"] == ((), "R-2", "/a", "")
    assert found["1-0-1"] == ((rule,), "R-1", "/b", "")
    assert found["2-0-1"] == ((), None, None, "")


def test_a_breaking_change_under_a_compatible_version_is_refused_with_its_place(schemas: SchemaStore) -> None:
    add(schemas, "g.broken", "1-0-0", FIRST)

    judged = schemas.judge("g.broken", version("1-1-0"), text(NARROWER))
    with pytest.raises(
        PermanentFailure, match=r"would break producers that keep to 1-0-0: .*worker.*version 2-0-0"
    ):
        add(schemas, "g.broken", "1-1-0", NARROWER)

    assert judged.over == version("1-0-0")
    assert judged.breaking
    assert [one.version for one in schemas.versions("g.broken")] == ["1-0-0"]


def test_a_version_is_never_written_again_and_none_is_left_out(schemas: SchemaStore) -> None:
    add(schemas, "g.once", "1-0-0", FIRST)

    with pytest.raises(PermanentFailure, match="1-0-0 is there already and never changes"):
        add(schemas, "g.once", "1-0-0", WIDER)
    with pytest.raises(PermanentFailure, match="1-0-2 does not follow 1-0-0"):
        add(schemas, "g.once", "1-0-2", WIDER)
    with pytest.raises(PermanentFailure, match="is not JSON"):
        schemas.add("g.once", version("1-0-1"), b"{", by="test", now=NOW)
    with pytest.raises(PermanentFailure, match="at most 300,000 bytes"):
        schemas.add("g.once", version("1-0-1"), b" " * 300_001, by="test", now=NOW)

    assert schemas.schema(schemas.versions("g.once")[0]) == FIRST


def test_of_two_who_add_at_once_one_is_the_next_version_whichever_they_chose(platform: Platform) -> None:
    add(SchemaStore(platform.settings), "g.race", "1-0-0", FIRST)

    def adding(named: str) -> str:
        schema = WIDER | {"title": named}
        try:
            add(SchemaStore(platform.settings), "g.race", named, schema)
        except (PermanentFailure, StaleVersion):
            return ""
        return named

    with ThreadPoolExecutor(4) as pool:
        won = [one for one in pool.map(adding, ["1-0-1", "1-1-0", "1-0-1", "1-1-0"]) if one]

    found = SchemaStore(platform.settings).versions("g.race")
    assert len(won) in {1, 2}  # the second may have seen the first, and follow it
    assert sorted(["1-0-0", *won]) == [one.version for one in found]
    if len(won) == 2:
        assert won == ["1-0-1", "1-1-0"] or set(won) == {"1-0-1", "1-1-0"}


def test_a_schema_that_is_gone_or_another_than_was_added_is_not_used(
    platform: Platform, schemas: SchemaStore
) -> None:
    add(schemas, "g.lost", "1-0-0", FIRST)
    (item,) = schemas.versions("g.lost")

    objects.put(platform.settings, item.body, text(WIDER), objects.JSON)

    with pytest.raises(LostSchema, match=r"is not what was added as g\.lost 1-0-0"):
        schemas.schema(item)


def test_a_container_compiles_once_sees_new_versions_and_outlives_the_registry(
    platform: Platform, schemas: SchemaStore
) -> None:
    assert platform.emulator is not None
    add(schemas, "g.compiled", "1-0-0", FIRST)
    clock = [0.0]
    with Proxy(platform.emulator.url) as proxy:
        settings = platform.settings.model_copy(update={"aws_endpoint_url": AnyHttpUrl(proxy.url)})
        store = SchemaStore(platform.settings)
        store._reader = SchemaStore(settings)._reader  # the proxy knows tables, and no objects
        compiled = Compiled(store, now=lambda: clock[0])
        first = compiled.judge("g.compiled", None)
        assert first is not None
        assert first.schema.problems({"seconds": "x"})
        add(schemas, "g.compiled", "1-0-1", WIDER)

        assert compiled.judge("g.compiled", None) is first
        clock[0] = 2.0  # somebody names a version that is not known yet
        newer = compiled.judge("g.compiled", version("1-0-1"))
        assert newer is not None
        assert not newer.schema.problems({"seconds": "x"})
        assert compiled.judge("g.compiled", None) is newer
        assert compiled.judge("g.compiled", version("1-0-0")) is first
        assert compiled.judge("g.compiled", version("3-0-0")) is None
        assert compiled.judge("g.unknown", None) is None
        assert not compiled.knows("g.unknown")

        proxy.interfere = lambda *_: (400, {"__type": "InternalFailure", "message": "down"})
        clock[0] = 60.0
        assert compiled.judge("g.compiled", None) is newer
        with pytest.raises(TransientFailure):
            compiled.judge("g.other", None)


def test_lookups_have_versions_of_which_the_newest_is_current_and_each_can_be_read(lookups: LookupStore) -> None:
    first = lookups.add("l.jobs", b"text,value\njob-1,P-1\n", by="test", now=NOW)
    second = lookups.add("l.jobs", b"text,value\njob-1,P-2\njob-2,P-2\n", by="test", now=NOW)

    again = lookups.add("l.jobs", b"text,value\njob-1,P-2\njob-2,P-2\n", by="test", now=NOW)

    assert (first.version, second.version, again) == (1, 2, second)
    assert lookups.current("l.jobs") == second
    assert second.entries == 2
    assert lookups.version("l.jobs", 1) == first
    assert lookups.table(first) == Texts(1, {"job-1": "P-1"})
    assert [one.version for one in lookups.all() if one.name == "l.jobs"] == [1, 2]
    assert lookups.current("l.none") is None


def test_a_lookup_keeps_its_form_and_what_was_added(platform: Platform, lookups: LookupStore) -> None:
    geo = lookups.add("l.geo", b"network,country\n203.0.113.0/24,NZ\n", by="test", now=NOW)
    rates = lookups.add("l.rates", b"currency,EUR\nUSD,0.9\n", by="test", now=NOW)

    found, money = lookups.table(geo), lookups.table(rates)
    with pytest.raises(PermanentFailure, match=r"l\.geo has prefixes and stays so"):
        lookups.add("l.geo", b"text,value\na,b\n", by="test", now=NOW)

    assert isinstance(found, Prefixes)
    assert found.country("203.0.113.9") == "NZ"
    assert money == Rates(1, "EUR", {"USD": Decimal("0.9")})
    assert rates.base == "EUR"
    objects.put(platform.settings, geo.body, b"network,country\n", "text/csv")
    with pytest.raises(LostLookup):
        lookups.table(geo)


def test_a_lookup_whose_table_is_lost_holds_up_nobody_until_it_is_added_again(
    platform: Platform, lookups: LookupStore, caplog: pytest.LogCaptureFixture
) -> None:
    clock, rules, newer = [0.0], [Rule(Kind.TEXT, "/job", "job", "l.gone")], b"text,value\njob-1,P-2\n"
    registry = Registry(platform.settings, now=lambda: clock[0])
    lookups.add("l.gone", b"text,value\njob-1,P-1\n", by="test", now=NOW)
    assert registry.lookups(rules) == {"l.gone": Texts(1, {"job-1": "P-1"})}
    lost = lookups.add("l.gone", newer, by="test", now=NOW)
    client(platform.settings, "s3").delete_object(Bucket=platform.settings.lake_bucket, Key=lost.body)

    clock[0] += CURRENT_SECONDS
    assert registry.lookups(rules) == {"l.gone": Texts(1, {"job-1": "P-1"})}
    assert Registry(platform.settings).lookups(rules) == {}
    assert "the table of lookup l.gone is lost" in caplog.text

    assert lookups.add("l.gone", newer, by="test", now=NOW) == lost
    clock[0] += CURRENT_SECONDS
    assert registry.lookups(rules) == {"l.gone": Texts(2, {"job-1": "P-2"})}


def test_a_lookup_that_may_not_be_read_is_not_taken_for_one_that_adds_nothing(
    platform: Platform, lookups: LookupStore
) -> None:
    assert platform.emulator is not None
    lookups.add("l.denied", b"text,value\njob-1,P-1\n", by="test", now=NOW)
    rules = [Rule(Kind.TEXT, "/job", "job", "l.denied")]
    with Proxy(platform.emulator.url) as proxy:
        proxy.interfere = lambda *_: (400, {"__type": "AccessDeniedException", "message": "denied"})
        registry = Registry(platform.settings.model_copy(update={"aws_endpoint_url": AnyHttpUrl(proxy.url)}))
        with pytest.raises(PermanentFailure, match="AccessDeniedException"):
            registry.lookups(rules)
