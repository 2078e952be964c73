"""Figures of a report: each has one value, one text, and what it was counted from."""

from decimal import Decimal

import pytest

from prism_core.facts.ledger import Fact, Ledger, Unit
from prism_core.facts.tokens import facts_of, named_in, token, written
from prism_core.failures import PermanentFailure

EUR = "EUR"


def count(fact_id: str, value: int) -> Fact:
    return Fact(fact_id, Decimal(value), Unit.COUNT, f"label of {fact_id}", sources=(f"lake/{fact_id}",))


def money(fact_id: str, value: str) -> Fact:
    return Fact(
        fact_id, Decimal(value), Unit.MONEY, f"label of {fact_id}", EUR, "spend", sources=(f"lake/{fact_id}",)
    )


@pytest.mark.parametrize(
    ("value", "unit", "currency", "text"),
    [
        pytest.param("1234567", Unit.COUNT, None, "1,234,567", id="count"),
        pytest.param("11173.28", Unit.MONEY, "EUR", "11,173.28\xa0EUR", id="money"),
        pytest.param("0.125", Unit.MONEY, "USD", "0.12\xa0USD", id="money at half a cent"),
        pytest.param("-0.001", Unit.MONEY, "EUR", "0.00\xa0EUR", id="never minus nothing"),
        pytest.param("12.34", Unit.HOURS, None, "12.3\xa0h", id="hours"),
        pytest.param("0.1234", Unit.SHARE, None, "12.3\xa0%", id="share"),
        pytest.param("0.00017867", Unit.SHARE, None, "0.018\xa0%", id="small share"),
        pytest.param("0.005", Unit.SHARE, None, "0.50\xa0%", id="share below one percent"),
        pytest.param("0.00999", Unit.SHARE, None, "1.00\xa0%", id="share of nearly one percent"),
        pytest.param("0.00000001", Unit.SHARE, None, "0.000001\xa0%", id="smallest share"),
        pytest.param("0", Unit.SHARE, None, "0.0\xa0%", id="no share"),
        pytest.param("0.04", Unit.CHANGE, None, "+4.0\xa0%", id="up"),
        pytest.param("-0.5", Unit.CHANGE, None, "-50.0\xa0%", id="down"),
        pytest.param("-0.0001", Unit.CHANGE, None, "+0.0\xa0%", id="as good as nothing"),
        pytest.param("1.005", Unit.NUMBER, None, "1.00", id="number"),
    ],
)
def test_a_figure_has_one_text(value: str, unit: Unit, currency: str | None, text: str) -> None:
    fact = Fact("a", Decimal(value), unit, "a", currency)

    assert fact.text == text
    assert Fact.from_document(fact.document()) == fact


def test_an_id_holds_one_figure() -> None:
    ledger = Ledger([count("leads", 41)])

    assert ledger.add(count("leads", 41)).value == 41
    with pytest.raises(PermanentFailure, match="two facts are called leads: 41 and 47"):
        ledger.add(count("leads", 47))


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        pytest.param(Fact("Leads!", Decimal(1), Unit.COUNT, "x"), "no id of a fact", id="id"),
        pytest.param(Fact("a", Decimal("NaN"), Unit.COUNT, "x"), "has the value NaN", id="not a number"),
        pytest.param(Fact("a", Decimal(1), Unit.MONEY, "x"), "money with the currency None", id="no currency"),
        pytest.param(Fact("a", Decimal(1), Unit.COUNT, "x", "EUR"), "count with the currency", id="of a count"),
        pytest.param(Fact("a", Decimal(1), Unit.COUNT, "x", of=("b",)), "from b, which is none", id="derived"),
    ],
)
def test_what_could_become_a_wrong_figure_is_refused(fact: Fact, why: str) -> None:
    with pytest.raises(PermanentFailure, match=why):
        Ledger([fact])


def test_derived_figures_are_computed_here_and_know_where_they_come_from() -> None:
    ledger = Ledger()
    now, before = ledger.add(money("now", "120.00")), ledger.add(money("before", "100.00"))
    leads = ledger.add(count("leads", 8))

    change = ledger.change("change", "change of spend", now, before)
    total = ledger.total("total", "both", (now, before), metric="spend", unit=Unit.MONEY, currency=EUR)
    cost = ledger.ratio("cost", "cost per lead", total, leads, metric="cost_per_lead", unit=Unit.MONEY)

    assert change is not None
    assert cost is not None
    assert (change.text, total.text, cost.text) == ("+20.0\xa0%", "220.00\xa0EUR", "27.50\xa0EUR")
    assert ledger.difference("difference", "more", now, before).text == "20.00\xa0EUR"
    assert ledger.roots("cost") == ("lake/before", "lake/leads", "lake/now")
    assert list(ledger) == ["now", "before", "leads", "change", "total", "cost", "difference"]


def test_nothing_is_divided_by_nothing_and_no_units_are_mixed() -> None:
    ledger = Ledger()
    spend, none = ledger.add(money("spend", "10")), ledger.add(count("none", 0))

    assert ledger.change("c", "c", count("leads", 4), none) is None
    assert ledger.ratio("r", "r", spend, none, metric="cost_per_lead", unit=Unit.MONEY) is None
    with pytest.raises(PermanentFailure, match="have no common unit"):
        ledger.difference("d", "d", spend, none)
    with pytest.raises(PermanentFailure, match="the sum t is money, but none is not"):
        ledger.total("t", "t", (spend, none), metric="spend", unit=Unit.MONEY, currency=EUR)


def test_what_was_divided_is_rounded_once() -> None:
    ledger = Ledger([count("before", 1_772), count("now", 233)])

    change = ledger.change("change", "change", ledger["now"], ledger["before"])

    # 0.868510: with four decimals in between it would be 86.8.
    assert change is not None
    assert change.text == "-86.9\xa0%"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Spring\n  sale\x00", "Spring sale", id="lines"),
        pytest.param("\u202e12.3\u202c off", "12.3 off", id="turned-round"),
        pytest.param("half a \ud83d face", "half a  face", id="half-a-character"),
        pytest.param("a" * 81, "a" * 79 + "\N{HORIZONTAL ELLIPSIS}", id="long"),
        pytest.param("\x07", "1178", id="nothing"),
    ],
)
def test_a_name_is_shown_in_one_line_and_changes_nothing_beside_it(name: str, shown: str) -> None:
    assert written("{{name:1178}}", {}, {"1178": name}) == shown


def test_a_text_is_written_out_from_its_tokens() -> None:
    ledger, names = Ledger([count("leads", 1_041)]), {"1178": "Spring 2024 <UK>"}
    prose = f"{{{{name:1178}}}} brought {token(ledger['leads'])} leads."

    assert written(prose, ledger, names) == "Spring 2024 <UK> brought 1,041 leads."
    assert (facts_of(prose), named_in(prose)) == (("leads",), ("1178",))
    with pytest.raises(PermanentFailure, match="names the fact clicks"):
        written("{{fact:clicks}}", ledger, names)
