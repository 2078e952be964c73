"""The settings: where a value comes from, and what is said about one that cannot be."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from prism_core.calendar import Week
from prism_core.failures import BadUsage
from prism_core.settings import ActivitySource, Environment, Settings, load_settings, prism_home


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISM_HOME", str(tmp_path))
    return tmp_path


def keep(home: Path, **values: object) -> None:
    (home / "settings.json").write_text(json.dumps(values))


def refusal() -> str:
    with pytest.raises(BadUsage) as refused:
        load_settings()
    return str(refused.value)


def test_without_anything_said_the_platform_is_local() -> None:
    settings = load_settings()

    assert settings.environment is Environment.LOCAL
    assert settings.worker_activity_source is ActivitySource.FILES
    assert settings.aws_endpoint_url is None
    assert settings.home == prism_home()


def test_a_variable_beats_the_file_of_the_home_which_beats_the_default(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(own_home, first_week="2018-W33", name_prefix="kept")
    monkeypatch.setenv("PRISM_NAME_PREFIX", "said")

    settings = load_settings()

    assert settings.name_prefix == "said"
    assert settings.first_week == Week.parse("2018-W33")
    assert settings.region == "us-east-1"


def test_a_value_given_in_code_beats_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_REGION", "eu-west-1")

    assert load_settings(region="eu-south-2").region == "eu-south-2"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_FIRST_WEEK", "")

    assert load_settings().first_week == Settings.model_fields["first_week"].default


@pytest.mark.parametrize(("region", "most"), [("eu-west-1", 25), ("us-isof-south-1", 24)])
def test_a_prefix_whose_buckets_would_have_too_long_names_is_refused_with_how_long_it_may_be(
    region: str, most: int
) -> None:
    kept = Settings(name_prefix="p" * most, region=region)

    assert max(len(one) for one in (kept.lake_bucket, kept.originals_bucket, kept.media_bucket)) <= 63
    with pytest.raises(
        ValidationError, match=rf"p-originals-\d+-{region}, and S3 takes 63 .* take at most {most} "
    ):
        Settings(name_prefix="p" * (most + 1), region=region)


def test_unknown_variables_are_listed_with_the_valid_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_FRIST_WEEK", "2026-W01")
    monkeypatch.setenv("PRISM_COLOUR", "blue")

    said = refusal()

    assert said.startswith("unknown settings PRISM_COLOUR, PRISM_FRIST_WEEK; valid ones are PRISM_ACCOUNT_ID, ")
    for name in Settings.model_fields:
        assert f"PRISM_{name.upper()}" in said


def test_the_clock_and_the_home_are_no_unknown_variables(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    monkeypatch.setenv("PRISM_NOW", "2026-01-05T07:00:00Z")

    assert load_settings().home == own_home


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PRISM_ENVIRONMENT", "azure", "'local' or 'aws'"),
        ("PRISM_FIRST_WEEK", "2025-W53", "2025 has weeks W01 to W52"),
        ("PRISM_REGION", "Frankfurt", "should match pattern"),
        ("PRISM_NAME_PREFIX", "P", "should match pattern"),
        ("PRISM_ACCOUNT_ID", "12", "should match pattern"),
        ("PRISM_AWS_ENDPOINT_URL", "nonsense", "valid URL"),
        ("PRISM_UNRESOLVED_SHARE_WARNING", "5", "less than or equal to 1"),
        ("PRISM_CHANGELOG_SHARDS", "many", "valid integer"),
        ("PRISM_WORKER_ACTIVITY_SOURCE", "fax", "'files' or 'log'"),
        ("PRISM_WORKER_ACTIVITY_CRON", "hourly", "should match pattern"),
        ("PRISM_QUERY_TIMEOUT_SECONDS", "0", "greater than or equal to 1"),
    ],
)
def test_a_bad_value_is_explained_with_its_variable_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    said = refusal()

    assert said.startswith(f"{name}={value!r}: ")
    assert words in said


def test_all_bad_values_are_explained_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_ENVIRONMENT", "azure")
    monkeypatch.setenv("PRISM_CHANGELOG_SHARDS", "0")

    said = refusal()

    assert "PRISM_ENVIRONMENT=" in said
    assert "PRISM_CHANGELOG_SHARDS=" in said


def test_an_endpoint_belongs_to_the_local_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRISM_ENVIRONMENT", "aws")
    monkeypatch.setenv("PRISM_AWS_ENDPOINT_URL", "http://127.0.0.1:7073")

    assert "aws_endpoint_url belongs to the local environment; unset it for aws" in refusal()


def test_a_damaged_file_of_the_home_is_named(own_home: Path) -> None:
    (own_home / "settings.json").write_text("{")

    assert refusal().startswith(f"{own_home / 'settings.json'}: ")


def test_an_unknown_setting_in_the_file_of_the_home_is_named_with_the_file_and_the_valid_ones(
    own_home: Path,
) -> None:
    keep(own_home, colour="blue")

    said = refusal()

    assert said.startswith(f"{own_home / 'settings.json'}: there is no setting 'colour'; valid are account_id, ")


def test_settings_do_not_change() -> None:
    settings = load_settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.region = "eu-west-1"


def test_a_relative_home_is_absolute_for_other_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRISM_HOME", "mine")

    assert load_settings().home == tmp_path / "mine" == prism_home()


def test_names_of_resources_follow_from_the_prefix_the_account_and_the_region() -> None:
    settings = load_settings(name_prefix="prism-two", account_id="123456789012", region="eu-west-1")

    assert settings.lake_bucket == "prism-two-lake-123456789012-eu-west-1"
    assert settings.glue_database == "prism_two_lake"
    assert settings.table_name("members") == "prism-two-members"
    assert settings.local_lake_path == settings.home / "emulator/s3/123456789012" / settings.lake_bucket


def test_a_price_alone_and_a_budget_without_prices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL_READ_PRICE", "MODEL_BUDGET"):
        with monkeypatch.context() as patch:
            patch.setenv(f"PRISM_{name}", "3")
            assert "model_read_price and model_written_price go together" in refusal()

    for name in ("MODEL_READ_PRICE", "MODEL_WRITTEN_PRICE", "MODEL_BUDGET"):
        monkeypatch.setenv(f"PRISM_{name}", "0.5")
    assert load_settings().model_budget == Decimal("0.5")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("MODEL_PROVIDER", "openai", "'anthropic', 'bedrock' or 'none'", id="provider"),
        pytest.param("MODEL_NAME", "claude opus", "pattern", id="name"),
        pytest.param("MODEL_TIMEOUT_SECONDS", "4", "greater than or equal to 5", id="time"),
        pytest.param("MODEL_READ_PRICE", "-1", "greater than or equal to 0", id="price"),
    ],
)
def test_a_model_that_cannot_be_is_refused_with_what_can(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"PRISM_{name}", value)

    assert says in refusal()
