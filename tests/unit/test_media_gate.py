"""What may become public: the gate decides on the exact version, by limits, people's decisions and texts."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_core.failures import BadUsage
from prism_core.media.gate import blockers, judge_image, judge_pixels
from prism_core.media.labels import read_answers, suggested_alt
from prism_core.media.simulating import drift, flips
from prism_core.media.thresholds import GateThresholds, field_of
from prism_core.models.articles import Article
from prism_core.models.images import ImageState
from prism_core.settings import load_settings
from tests.unit.items_of_media_tables import analysed, analysis, images, percents

LIMITS = GateThresholds()
NUDE = ("Exposed Female Nipple", "Explicit", "75")


def article(**changes: Any) -> Article:
    sound: dict[str, Any] = {
        "article_id": "a-1", "title": "T", "slug": "t", "author": "m-1",
        "created": "2026-01-05T07:00:00Z", "body": "Hello ![x](image:i-1)",
    }  # fmt: skip
    return Article.model_validate(sound | changes)


@given(images)
def test_nothing_is_accepted_but_an_analysis_of_the_newest_version_or_a_decision_on_it(image: Any) -> None:
    verdict = judge_image(image, LIMITS)

    assert verdict.accepted is not bool(verdict.reasons)
    if verdict.accepted:
        assert image.state is ImageState.ANALYSED
        assert image.analysis is not None
        assert image.analysis.object_version == image.object_version
        assert image.alt


@given(percents, percents)
def test_a_stricter_limit_never_lets_more_through(one: Decimal, other: Decimal) -> None:
    image = analysed(analysis=analysis(NUDE))
    strict, loose = sorted((one, other))

    accepted = [judge_pixels(image, LIMITS.with_limit(limit)).accepted for limit in (strict, loose)]

    assert accepted in ([False, False], [False, True], [True, True])


@pytest.mark.parametrize(
    ("state", "word"),
    [("waiting", "nothing was uploaded"), ("analysing", "being analysed"), ("gone", "was deleted")],
)
def test_an_image_without_an_analysis_says_what_to_do(state: str, word: str) -> None:
    (reason,) = judge_pixels(analysed(state=state), LIMITS).reasons

    assert word in reason


def test_an_image_that_was_replaced_since_closes_the_gate() -> None:
    (reason,) = judge_pixels(analysed(object_version="v2"), LIMITS).reasons

    assert "replaced" in reason


def test_a_finding_names_its_confidence_and_the_limit() -> None:
    (reason,) = judge_pixels(analysed(analysis=analysis(NUDE)), LIMITS).reasons

    assert reason == "Exposed Female Nipple at 75 %, and the limit of explicit is 60 %"


def test_an_image_whose_row_cannot_be_read_is_named_once_and_keeps_its_article_back() -> None:
    (found,) = blockers(article(), [], LIMITS, unreadable=["i-1"])

    assert (found.image_id, "cannot be read" in found.reason) == ("i-1", True)


@pytest.mark.parametrize(("version", "accepted"), [("v1", True), ("v0", False)])
def test_a_decision_holds_for_the_version_that_a_person_saw(version: str, accepted: bool) -> None:  # noqa: FBT001
    decided = {"object_version": version, "accepted": True, "by": "m-1", "at": "2026-01-05T08:00:00Z"}
    image = analysed(analysis=analysis(NUDE), override={**decided, "reason": "a painting"})

    assert judge_pixels(image, LIMITS).accepted is accepted


def test_a_person_may_reject_what_the_limits_let_through() -> None:
    decided = {"object_version": "v1", "accepted": False, "by": "m-1", "at": "2026-01-05T08:00:00Z"}
    image = analysed(override={**decided, "reason": "our badge is in it"})

    assert judge_pixels(image, LIMITS).reasons == ("m-1 rejected it: our badge is in it",)


def test_an_image_without_an_alternative_text_is_held_back_with_the_proposal() -> None:
    (reason,) = judge_image(analysed(alt=None, alt_suggestion="Picture with face"), LIMITS).reasons

    assert reason == "it has no alternative text; confirm or rewrite “Picture with face”"


def test_an_article_is_open_when_all_its_images_are() -> None:
    assert blockers(article(), [analysed()], LIMITS) == ()


def test_everything_that_keeps_an_article_back_is_named_at_once() -> None:
    text = "![a](image:i-9) ![b](https://elsewhere.example/x.png)"

    found = blockers(article(body=text), [analysed("i-1", state="waiting"), analysed("i-2", alt=None)], LIMITS)

    assert [(one.image_id, one.reason.split(";")[0]) for one in found] == [
        (None, "the picture 'https://elsewhere.example/x.png' is not one of PRISM's images"),
        ("i-9", "the text shows the image i-9, which the article does not have"),
        ("i-1", "nothing was uploaded for it yet"),
        ("i-2", "it has no alternative text"),
    ]


def test_an_article_without_text_is_held_back() -> None:
    assert [one.reason for one in blockers(article(body=" \n"), [], LIMITS)] == ["the article has no text"]


def test_a_limit_below_what_the_analyser_is_asked_for_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_IMAGE_THRESHOLDS", '{"explicit": 19.9, "hate": 20}')

    with pytest.raises(BadUsage, match="explicit: Input should be greater than or equal to 20"):
        load_settings()


def test_a_category_that_is_new_here_has_the_limit_of_the_others() -> None:
    assert (field_of("Hate Symbols"), field_of("Something New")) == ("hate", "other")


def test_the_simulator_names_what_would_flip_and_leaves_what_a_person_decided() -> None:
    decided = {"object_version": "v1", "accepted": True, "by": "m-1", "at": "2026-01-05T08:00:00Z"}
    flipping = analysed("i-1", analysis=analysis(("Middle Finger", "Rude Gestures", "72")))
    others = [
        analysed("i-2", analysis=analysis(("Middle Finger", "Rude Gestures", "69.9"))),
        analysed("i-3", analysis=analysis(NUDE), override={**decided, "reason": "a painting"}),
        analysed("i-4", analysis=analysis(("Exposed Male Genitalia", "Explicit", "99"))),
    ]

    (found,) = flips([flipping, *others], LIMITS, LIMITS.with_limit(Decimal(70)))

    assert (found.image_id, found.accepted_now, found.accepted_then) == ("i-1", True, False)
    assert found.finding.confidence == 72


def test_drift_tells_labels_that_came_went_or_moved() -> None:
    before = analysis(("A", "A", "50"), ("B", "B", "90"), ("C", "C", "40"))
    after = analysis(("A", "A", "52"), ("B", "B", "70"), ("D", "D", "60"))

    found = [(one.name, one.before, one.after) for one in drift(before, after)]

    assert found == [("D", None, Decimal(60)), ("C", Decimal(40), None), ("B", Decimal(90), Decimal(70))]


ANSWERS: dict[str, Any] = {
    "labels": {
        "Labels": [
            {"Name": "Face", "Confidence": 91.23456, "Categories": [{"Name": "Person Description"}]},
            {"Name": "Person", "Confidence": 91.2, "Instances": [], "Parents": []},
            {"Name": "Cat", "Confidence": 30.0},
        ],
        "LabelModelVersion": "3.0",
        "ImageProperties": {
            "Quality": {"Brightness": 40.0, "Sharpness": 90.5},
            "DominantColors": [
                {"HexCode": "#AABBCC", "PixelPercent": 10}, {"HexCode": "#000000", "PixelPercent": 60}
            ],
        },
    },
    "moderation": {
        "ModerationLabels": [
            {"Name": "Exposed Female Nipple", "ParentName": "Explicit Nudity", "Confidence": 75.0},
            {"Name": "Explicit Nudity", "ParentName": "Explicit", "Confidence": 75.0},
            {"Name": "Explicit", "ParentName": "", "Confidence": 75.0},
        ],
        "ModerationModelVersion": "7.0",
    },
    "text": {
        "TextDetections": [
            {"DetectedText": "STOP", "Type": "LINE", "Confidence": 99.0},
            {"DetectedText": "8", "Type": "LINE", "Confidence": 60.0},
            {"DetectedText": "STOP", "Type": "WORD", "Confidence": 99.0},
        ],
        "TextModelVersion": "3.0",
    },
}  # fmt: skip


def test_answers_are_read_with_the_top_of_each_branch_and_without_what_is_unsure() -> None:
    found = read_answers(ANSWERS, object_version="v1", raw_key="k", at=analysis().at)

    assert {one.category for one in found.moderation} == {"Explicit"}
    assert (found.text, found.colours) == (("STOP",), ("#000000", "#aabbcc"))
    assert (found.brightness, found.moderation_model) == (Decimal(40), "7.0")
    assert suggested_alt(found) == "Picture with face and person, with the words “STOP”"


def test_no_alternative_text_is_proposed_where_nothing_is_known() -> None:
    assert suggested_alt(analysis()) is None


@given(st.text(max_size=900))
def test_a_proposal_is_never_longer_than_the_field(text: str) -> None:
    found = suggested_alt(analysis(text=(text[:450], text[:450])))

    assert found is None or 1 <= len(found) <= 500
