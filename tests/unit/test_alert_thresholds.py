"""The thresholds of the alert rules: where they come from, and what the guide says of them."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from prism_core.alerts.thresholds import ProjectLimits, Thresholds
from prism_core.failures import BadUsage
from prism_core.models.alerts import AlertRule
from prism_core.settings import Settings, load_settings

GUIDE = Path(__file__).parents[2] / "docs" / "alerts.md"


def test_thresholds_are_one_setting_that_replaces_those_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_ALERT_THRESHOLDS", '{"shrinkage_limit": 0.25, "repeat_days": 3}')

    found = load_settings().alert_thresholds

    assert found == Thresholds(shrinkage_limit=Decimal("0.25"), repeat_days=3)


def test_thresholds_of_the_file_may_be_written_as_plain_numbers() -> None:
    assert load_settings(
        alert_thresholds={"quality_falling_z": 2.3}
    ).alert_thresholds.quality_falling_z == Decimal("2.3")
    assert load_settings().alert_thresholds == Thresholds()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.3", "PRISM_ALERT_THRESHOLDS='0.3': "),
        ("{", "is no JSON object"),
        ('{"shrinkage": 0.3}', "shrinkage: .*; thresholds are ahead_weeks, "),
        ('{"shrinkage_limit": 1.5}', "shrinkage_limit: "),
        ('{"shrinkage_limit": NaN}', "shrinkage_limit: .*finite"),
        ('{"sla_min_weeks": 2, "repeat_days": 0}', "sla_min_weeks: .*; repeat_days: "),
    ],
    ids=[
        "a number",
        "half an object",
        "an unknown name",
        "a share above one",
        "not a number",
        "two that are wrong",
    ],
)
def test_a_threshold_that_cannot_be_is_refused_by_name(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRISM_ALERT_THRESHOLDS", text)

    with pytest.raises(BadUsage, match=said):
        load_settings()


def test_a_limit_of_a_project_is_refused_where_the_threshold_would_be() -> None:
    for name in ProjectLimits.model_fields:
        for value in (-1, Decimal("1.5")):
            for model in (ProjectLimits, Thresholds):
                with pytest.raises(ValidationError):
                    model.model_validate({name: value})

    assert set(ProjectLimits.model_fields) <= set(Thresholds.model_fields)


def test_the_guide_lists_every_threshold_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (yes)? ?\| (.+) \|$", GUIDE.read_text(), re.MULTILINE)

    assert {name: (default, bool(own), meaning) for name, default, own, meaning in rows} == {
        name: (str(field.default), name in ProjectLimits.model_fields, field.description)
        for name, field in Thresholds.model_fields.items()
    }


def test_the_guide_explains_every_rule() -> None:
    text = GUIDE.read_text()

    assert [rule for rule in AlertRule if f"\n**{rule}.** " not in text or f"| `{rule}` |" not in text] == []


def test_settings_that_were_written_out_are_read_as_they_were() -> None:
    settings = Settings.model_validate({"alert_thresholds": {"shrinkage_limit": 0.25}})

    assert Settings.model_validate(settings.model_dump()) == settings
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
