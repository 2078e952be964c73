"""What other limits and models would change, told by commands and assets.

Why real: they read rows that the function wrote and ask the analyser on its wire.
"""

import json
from collections.abc import Iterator
from decimal import Decimal

import dagster as dg
import pytest
from typer.testing import CliRunner

from infra.cli.app import application
from infra.local.platform import Platform
from prism_assets.media.assets import media_assets, media_checks
from prism_assets.resources import PrismResource
from prism_core import clock
from prism_core.failures import BadUsage
from prism_core.models.images import Finding, Image
from prism_core.tables import IMAGES
from prism_resources.aws import client
from prism_resources.tables.store import TableStore
from tests.integration.fresh import commands_of_this_file
from tests.integration.media_world import Studio, photograph, studio_of

platform = commands_of_this_file()


@pytest.fixture(scope="module")
def image(platform: Platform) -> Iterator[Image]:
    """One analysed image, in which something was found at 65 percent that the models of then saw."""
    with studio_of(platform) as studio:
        yield _found(studio)


def _found(studio: Studio) -> Image:
    image = studio.settled(studio.upload(studio.article("Commands"), "a.jpg", photograph("astronaut.png")))
    assert image.analysis is not None, image.reason
    finding = Finding(name="Middle Finger", category="Rude Gestures", confidence=Decimal(65))
    changed = image.model_copy(update={"analysis": image.analysis.model_copy(update={"moderation": (finding,)})})
    settings = studio.platform.settings
    return TableStore(client(settings, "dynamodb"), settings, IMAGES, Image).update(
        changed, expected_version=image.version, actor="test", reason="", request_id="found", now=clock.now()
    )


def run(*arguments: str) -> str:
    done = CliRunner().invoke(application(), ["media", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_simulator_names_what_another_limit_would_hold_back(image: Image) -> None:
    told = json.loads(run("simulate", "--threshold", "60", "--json"))

    assert (told["images"], [one["image_id"] for one in told["flips"]]) == (1, [image.image_id])
    assert "With the limit of gestures at 70 % 0 of 1 images would flip." in run(
        "simulate", "--threshold", "70", "--category", "gestures"
    )
    assert "Middle Finger" in run("simulate", "--threshold", "60")
    refused = CliRunner().invoke(application(), ["media", "simulate", "--threshold", "19"])
    assert (refused.exit_code, isinstance(refused.exception, BadUsage)) == (1, True)
    assert "a number from 20 to 100, not 19: below 20 nothing is kept" in str(refused.exception)


def test_the_sample_of_drift_tells_what_the_model_of_today_sees_otherwise(image: Image) -> None:
    (one,) = json.loads(run("drift", "--sample", "3", "--json"))["images"]

    assert one["image_id"] == image.image_id
    assert {"name": "Middle Finger", "before": "65.0", "after": None} in one["labels"]
    assert "1 of 1 images are labelled otherwise by the model of today." in run("drift")


def test_the_assets_find_nothing_to_do_and_say_what_has_drifted(
    image: Image, instance: dg.DagsterInstance
) -> None:
    del image

    done = dg.materialize(
        [*media_assets(), *media_checks()], resources={"prism": PrismResource()}, instance=instance
    )

    found = {one.check_name: one.passed for one in done.get_asset_check_evaluations()}
    assert found == {"images_settled": True, "drift_small": False}
    (event,) = done.asset_materializations_for_node("image_reconciliation")
    assert (event.metadata["dagster/row_count"].value, event.metadata["driven_again"].value) == (1, 0)
