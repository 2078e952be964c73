"""What becomes of an alert between two judgements: seen, taken up, silenced, mended, over, back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.alerts.findings import EvidenceRow, Finding, Judgement, judgement
from prism_core.alerts.ledger import acknowledged, judged, observed, precision, silenced, unsilenced, update
from prism_core.alerts.telling import Digest, Entry, News, due, marks_of, news_of, told
from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.models.alerts import EVIDENCE_MAX, Alert, AlertRule, AlertStatus, Ending, Verdict
from prism_core.models.work import Severity
from prism_core.transitions import NotAllowed

RULE = AlertRule.OOTO_CONFLICT
WEEK = Week.parse("2026-W48")
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAY, REPEAT = timedelta(days=1), timedelta(days=7)
HIGH, LOW = Severity.HIGH, Severity.LOW


def finding(severity: Severity = HIGH, subject: str = "availability/M-1/2026-11-26", week: Week = WEEK) -> Finding:
    row = EvidenceRow(subject, {"hours off": "8.00 h"})
    return Finding(RULE, subject, week, severity, f"{subject} ({severity})", (row,), member_id="M-1")


def found(*findings: Finding, weeks: Iterable[Week] | None = (WEEK,), undecided: Iterable[str] = ()) -> Judgement:
    return judgement(RULE, findings, weeks=weeks, undecided=undecided)


def marked(entry: Entry, now: datetime) -> Alert:
    """The alert once a digest has told it."""
    (mark,) = marks_of([Digest("lead", {RULE: (entry,)})]).values()
    return told(entry.alert, mark, now)


def after(*judgements: Judgement, start: datetime = MONDAY, tell: bool = False) -> Alert:
    """The only alert after judgements a day apart; `tell`: and a digest after each."""
    known: dict[str, Alert] = {}
    for number, one in enumerate(judgements):
        now = start + number * DAY
        known |= {alert.fingerprint: alert for alert in update(known.values(), one, now)}
        if tell:
            known |= {entry.alert.fingerprint: marked(entry, now) for entry in due(known.values(), now, REPEAT)}
    (alert,) = known.values()
    return alert


# --- seen --------------------------------------------------------------------------------------------------


def test_a_finding_becomes_an_open_alert_that_has_just_been_seen() -> None:
    alert = after(found(finding()))

    assert (alert.status, alert.first_seen, alert.last_seen) == (AlertStatus.OPEN, MONDAY, MONDAY)
    assert (alert.severity, alert.episodes, alert.evidence[0].figures) == (HIGH, 1, {"hours off": "8.00 h"})


def test_the_same_judgement_at_the_same_instant_changes_nothing() -> None:
    alert = after(found(finding()))

    assert update([alert], found(finding()), MONDAY) == []


def test_a_later_judgement_moves_only_when_it_was_last_seen() -> None:
    first = after(found(finding()))

    (second,) = update([first], found(finding()), MONDAY + DAY)

    assert second == first.model_copy(update={"last_seen": MONDAY + DAY})


def test_what_is_found_twice_in_a_row_of_instants_never_runs_backwards() -> None:
    late = after(found(finding()))

    (early,) = update([late], found(finding(LOW)), MONDAY - DAY)

    assert early.last_seen == MONDAY
    assert early.severity is LOW


def test_alerts_of_other_rules_are_left_alone() -> None:
    other = after(found(finding())).model_copy(update={"rule": AlertRule.SLA_BREACH})

    assert update([other], found(), MONDAY) == []


def test_more_evidence_than_an_item_holds_says_how_much_is_left_out() -> None:
    rows = tuple(EvidenceRow(f"allocations/M-1/{number}", {}) for number in range(EVIDENCE_MAX + 5))
    long = Finding(RULE, "members/M-1", WEEK, HIGH, "x" * 300, rows)

    alert = Alert.from_plain(observed(None, long, MONDAY).plain())

    assert len(alert.evidence) == EVIDENCE_MAX
    assert alert.evidence[-1].figures == {"rows left out": "6"}
    assert alert.title.endswith("…")


# --- mended, over, or nothing can be said ------------------------------------------------------------------


def test_what_is_judged_and_not_found_is_mended() -> None:
    alert = after(found(finding()), found())

    assert (alert.status, alert.ending, alert.resolved) == (AlertStatus.RESOLVED, Ending.MENDED, MONDAY + DAY)


def test_what_stands_until_it_is_mended_needs_no_week() -> None:
    assert after(found(finding(), weeks=None), found(weeks=None)).ending is Ending.MENDED


def test_an_alert_whose_week_went_by_is_over_and_not_mended() -> None:
    alert = after(found(finding()), found(weeks=[WEEK + 1]))

    assert (alert.status, alert.ending) == (AlertStatus.RESOLVED, Ending.OVER)


@pytest.mark.parametrize(
    "said",
    [
        Judgement(RULE, abstained="nothing was read"),
        found(undecided=[finding().fingerprint]),
        found(weeks=[WEEK + -1]),
        found(weeks=[WEEK + -1, WEEK + 1]),
        found(weeks=[]),
    ],
    ids=["abstained", "undecided", "an earlier week was judged", "its week was left out", "no week was judged"],
)
def test_a_judgement_that_says_nothing_of_an_alert_leaves_it(said: Judgement) -> None:
    assert after(found(finding()), said).status is AlertStatus.OPEN


def test_a_resolved_alert_that_is_not_found_stays_as_it_is() -> None:
    once = after(found(finding()), found())

    assert update([once], found(), MONDAY + 2 * DAY) == []


def test_one_that_is_back_after_its_end_was_told_is_a_second_episode() -> None:
    alert = after(found(finding()), found(), found(finding()), tell=True)

    assert (alert.status, alert.episodes, alert.opened) == (AlertStatus.OPEN, 2, MONDAY + 2 * DAY)
    assert (alert.first_seen, alert.resolved, alert.ending) == (MONDAY, None, None)


def test_one_that_is_back_before_its_end_was_told_never_went() -> None:
    alert = after(found(finding()), tell=True)
    (gone,) = update([alert], found(), MONDAY + DAY)
    (back,) = update([gone], found(finding()), MONDAY + 2 * DAY)

    assert (back.status, back.episodes, back.opened) == (AlertStatus.OPEN, 1, MONDAY)
    assert news_of(back, MONDAY + 2 * DAY, REPEAT) is None


def test_one_that_is_back_after_half_a_year_is_new_although_nobody_who_heard_of_it_reads_any_more() -> None:
    # Whoever was told is paused by the time it is mended, so its end is told to nobody.
    alert = acknowledged(after(found(finding()), tell=True), "lead", MONDAY)
    (gone,) = update([alert], found(), MONDAY + 20 * DAY)
    back_at = MONDAY + 180 * DAY

    (back,) = update([gone], found(finding()), back_at)

    assert (back.status, back.episodes, back.opened, back.told_to) == (AlertStatus.OPEN, 2, back_at, ())
    assert news_of(back, back_at, REPEAT) is News.BACK


# --- what people make of it --------------------------------------------------------------------------------


def test_one_that_is_taken_up_stays_so_while_it_is_no_worse() -> None:
    alert = acknowledged(after(found(finding())), "lead", MONDAY)

    (same,) = update([alert], found(finding()), MONDAY + DAY)

    assert (same.status, same.acknowledged_by) == (AlertStatus.ACKNOWLEDGED, "lead")
    assert acknowledged(same, "other", MONDAY + DAY) == same


def test_one_that_is_taken_up_stays_so_while_its_severity_swings_below_what_it_was_then() -> None:
    alert = acknowledged(after(found(finding(HIGH))), "lead", MONDAY)

    for number, severity in enumerate((LOW, HIGH, LOW, HIGH), 1):
        (alert,) = update([alert], found(finding(severity)), MONDAY + number * DAY)
        assert (alert.status, alert.severity) == (AlertStatus.ACKNOWLEDGED, severity)


def test_one_that_is_worse_than_when_it_was_taken_up_is_open_again() -> None:
    alert = acknowledged(after(found(finding(LOW))), "lead", MONDAY)

    (worse,) = update([alert], found(finding(HIGH)), MONDAY + DAY)

    assert (worse.status, worse.acknowledged, worse.acknowledged_by) == (AlertStatus.OPEN, None, None)


def test_one_that_is_taken_up_and_as_bad_again_as_was_told_is_told_as_worse() -> None:
    told_high = after(found(finding(HIGH)), tell=True)
    (low,) = update([told_high], found(finding(LOW)), MONDAY + DAY)
    alert = acknowledged(low, "lead", MONDAY + DAY)

    (worse,) = update([alert], found(finding(HIGH)), MONDAY + 2 * DAY)

    assert worse.status is AlertStatus.OPEN
    assert news_of(worse, MONDAY + 2 * DAY, REPEAT) is News.WORSE
    (entry,) = due([worse], MONDAY + 2 * DAY, REPEAT)
    assert due([marked(entry, MONDAY + 2 * DAY)], MONDAY + 3 * DAY, REPEAT) == []


def test_a_silence_holds_until_its_end_even_if_it_is_worse_or_was_away() -> None:
    quiet = silenced(after(found(finding(LOW))), MONDAY + 3 * DAY, "being moved", "lead", MONDAY)
    (worse,) = update([quiet], found(finding(HIGH)), MONDAY + DAY)
    (gone,) = update([worse], found(), MONDAY + DAY)
    (back,) = update([gone], found(finding()), MONDAY + 2 * DAY)

    assert [one.status for one in (worse, gone, back)] == [
        AlertStatus.SILENCED,
        AlertStatus.RESOLVED,
        AlertStatus.SILENCED,
    ]
    assert all(news_of(one, MONDAY + 2 * DAY, REPEAT) is None for one in (worse, gone, back))


def test_a_silence_that_has_ended_is_told_once_while_it_is_still_true() -> None:
    quiet = silenced(after(found(finding()), tell=True), MONDAY + DAY, "being moved", "lead", MONDAY)
    (loud,) = update([quiet], found(finding()), MONDAY + 2 * DAY)
    (entry,) = due([loud], MONDAY + 2 * DAY, REPEAT)

    assert (loud.status, entry.news) == (AlertStatus.OPEN, News.UNSILENCED)
    assert due([marked(entry, MONDAY + 2 * DAY)], MONDAY + 3 * DAY, REPEAT) == []


def test_a_silence_needs_an_end_ahead_and_a_reason() -> None:
    alert = after(found(finding()))

    with pytest.raises(BadUsage, match="in the past"):
        silenced(alert, MONDAY, "known", "lead", MONDAY)
    with pytest.raises(BadUsage, match="without a reason"):
        silenced(alert, MONDAY + DAY, " ", "lead", MONDAY)


def test_a_silence_that_is_ended_by_hand_is_told_as_one_that_ran_out() -> None:
    quiet = silenced(after(found(finding()), tell=True), MONDAY + 30 * DAY, "being moved", "lead", MONDAY)
    ends = MONDAY + timedelta(hours=2)

    ended = unsilenced(quiet, ends)

    assert (ended.status, ended.silenced_until) == (AlertStatus.OPEN, ends)
    assert news_of(ended, ends, timedelta(days=7)) is News.UNSILENCED
    with pytest.raises(NotAllowed, match="is open, not silenced"):
        unsilenced(ended, ends)


def test_what_is_resolved_is_neither_taken_up_nor_silenced_but_still_judged() -> None:
    over = after(found(finding()), found())

    with pytest.raises(NotAllowed, match="is over since 2026-11-24 07:00 UTC"):
        acknowledged(over, "lead", MONDAY + DAY)
    with pytest.raises(NotAllowed, match="is over since"):
        silenced(over, MONDAY + 5 * DAY, "known", "lead", MONDAY + DAY)
    assert judged(over, Verdict.USEFUL, "lead", "thanks").verdict_note == "thanks"


def test_the_precision_of_a_rule_is_the_share_of_useful_ones_among_those_judged() -> None:
    alert = after(found(finding()))
    verdicts = [Verdict.USEFUL, Verdict.USEFUL, Verdict.NOT_USEFUL, None]
    alerts = [alert if verdict is None else judged(alert, verdict, "lead") for verdict in verdicts]

    measured = precision(alerts)

    assert list(measured) == [RULE]
    assert (measured[RULE].correct, measured[RULE].reviewed, measured[RULE].share) == (2, 3, Decimal("0.6667"))


# --- whatever happens --------------------------------------------------------------------------------------

_STEPS = ("found high", "found low", "gone", "over", "cannot say", "taken up", "silenced", "told")


@given(st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(0, 9 * 24)), max_size=25))
def test_whatever_happens_the_alert_is_sound_and_nothing_is_told_twice(steps: list[tuple[str, int]]) -> None:
    alert, now = observed(None, finding(), MONDAY), MONDAY
    told_of: list[tuple[News, int]] = []
    for step, hours in steps:
        now += timedelta(hours=hours)
        alert = _one_step(alert, step, now, told_of)

        assert Alert.from_plain(alert.plain()) == alert
        assert alert.first_seen <= (alert.opened or now) <= now
    ends = [number for news, number in told_of if news is News.RESOLVED]
    begins = [number for news, number in told_of if news in {News.NEW, News.BACK}]
    assert len(set(ends)) == len(ends)
    assert len(set(begins)) == len(begins)
    assert sum(news is News.NEW for news, _ in told_of) <= 1


def _one_step(alert: Alert, step: str, now: datetime, told_of: list[tuple[News, int]]) -> Alert:
    said = {
        "found high": found(finding(HIGH)),
        "found low": found(finding(LOW)),
        "gone": found(),
        "over": found(weeks=[WEEK + 1]),
        "cannot say": Judgement(RULE, abstained="nothing was read"),
    }
    if step in said:
        return next(iter(update([alert], said[step], now)), alert)
    if step == "told":
        news = news_of(alert, now, REPEAT)
        for entry in due([alert], now, REPEAT):
            assert entry.news is news
            told_of.append((entry.news, alert.episodes))
            alert = marked(entry, now)
            assert due([alert], now, REPEAT) == []
        return alert
    if alert.status is AlertStatus.RESOLVED:
        return alert
    return (
        acknowledged(alert, "lead", now)
        if step == "taken up"
        else silenced(alert, now + DAY, "known", "lead", now)
    )
