"""The taxonomy: which version counts, what a raw id means on a day, and what another version would change."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prism_core.models.taxonomy import TaxonomyEntry, TaxonomyStatus, TaxonomyVersion
from prism_core.taxonomy import Categorised, Taxonomy, in_force, rehearse
from tests.unit.items_of_later_tables import taxonomies
from tests.unit.strategies import days, names

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def version(
    taxonomy_id: str, *entries: TaxonomyEntry, effective: date = MAY, status: str = "published"
) -> TaxonomyVersion:
    return TaxonomyVersion(
        taxonomy_id=taxonomy_id,
        title=taxonomy_id,
        status=TaxonomyStatus(status),
        effective=effective,
        entries=entries,
    )


def entry(raw: str, category: str, start: date | None = None, end: date | None = None) -> TaxonomyEntry:
    return TaxonomyEntry(raw=raw, category=category, valid_from=start, valid_to=end)


def test_a_raw_id_that_got_a_second_meaning_is_read_by_the_day_of_the_record() -> None:
    taxonomy = Taxonomy(version("v1", entry("7", "Birds", None, JUNE), entry("7", "Cars", JUNE)))

    assert [taxonomy.map("7", day).category for day in (MAY, JUNE, JULY)] == ["Birds", "Cars", "Cars"]


def test_two_raw_ids_of_one_category_report_together_without_a_migration() -> None:
    taxonomy = Taxonomy(version("v1", entry("old", "Birds"), entry("new", "Birds")))

    assert {taxonomy.map(raw, MAY).label for raw in ("old", "new")} == {"Birds"}


def test_an_unmapped_id_is_shown_as_such() -> None:
    assert Taxonomy(version("v1")).map("77", MAY).label == "unmapped:77"
    assert Taxonomy(None).map("77", MAY).category is None


def test_the_published_version_that_took_effect_last_is_in_force() -> None:
    versions = [
        version("v1", effective=MAY),
        version("v2", effective=JUNE),
        version("v3", effective=JUNE, status="draft"),
        version("v4", effective=JULY),
        version("v0", effective=JUNE, status="retired"),
    ]

    found = [in_force(versions, day) for day in (date(2026, 4, 30), MAY, JUNE, JULY)]

    assert [one and one.taxonomy_id for one in found] == [None, "v1", "v2", "v4"]


def test_entries_of_one_raw_id_may_not_overlap() -> None:
    with pytest.raises(ValidationError, match="overlap on 2026-05-01"):
        version("v1", entry("7", "Birds", None, JUNE), entry("7", "Cars", MAY))
    with pytest.raises(ValidationError, match="overlap"):
        version("v1", entry("7", "Birds"), entry("7", "Cars"))


def test_a_rehearsal_names_the_rows_that_move_and_those_without_a_category() -> None:
    before = version("v1", entry("7", "Birds"), entry("8", "Cars"))
    after = version("v2", entry("7", "Birds of prey"), entry("8", "Cars"))
    rows = [Categorised(f"quality/M/{n}", raw, MAY) for n, raw in enumerate(("7", "7", "8", "9"))]

    found = rehearse(rows, before, after)

    assert found.rows == 4
    assert [one.row.item for one in found.moved] == ["quality/M/0", "quality/M/1"]
    assert found.by_pair == {("Birds", "Birds of prey"): 2}
    assert found.unmapped == {"9": 1}


@given(taxonomies(), st.lists(st.tuples(names, days), max_size=5))
def test_a_version_changes_nothing_against_itself(one: TaxonomyVersion, rows: list[tuple[str, date]]) -> None:
    known = [(raw.raw, day) for raw in one.entries for _, day in rows]

    assert rehearse([Categorised("x", raw, day) for raw, day in rows + known], one, one).moved == ()


@given(taxonomies(), days)
def test_an_id_with_entries_for_all_time_is_mapped_on_every_day(one: TaxonomyVersion, day: date) -> None:
    # the strategy cuts all of time into entries without a gap
    assert all(Taxonomy(one).map(known.raw, day).category is not None for known in one.entries)
