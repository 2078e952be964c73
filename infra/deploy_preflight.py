"""Before a deployment: the whole doctor, and whether Dagster's image is of this code.

Belongs here: which findings end a deployment before it begins. Does not belong here: what is looked at
(prism_resources/preflight.py), and whose credentials these are (place.py).
"""

from collections.abc import Callable, Mapping
from typing import Final

from infra.deploy import FORWARD_ONLY, stack_of
from infra.deploy_failures import NotWell
from infra.packaging.image import image_tag, judge_image
from prism_core import clock
from prism_core.settings import Environment, Settings
from prism_resources.preflight import CHECKS, preflight
from prism_resources.wire.findings import Level

IMAGE: Final = "DagsterImage"
# What the deployment makes itself: a table that is new in this version is not there yet. Of `media` that is the
# queue and the buckets; its analyser is looked at with them, and ends nothing.
MADE_HERE: Final = frozenset({"tables", "lake", "secrets", "media"})


def doctor_before(settings: Settings, say: Callable[[str], None], *, despite: bool) -> None:
    """Say what is not well. Raises NotWell for what fails and no deployment mends, unless it is `despite` that."""
    if stack_of(settings, FORWARD_ONLY).before() is None:
        say("doctor: skipped: nothing is deployed here yet; run `prism doctor` afterwards")
        return
    failed: list[str] = []
    for ends, names in ((False, MADE_HERE), (True, CHECKS.keys() - MADE_HERE)):
        for one in preflight(settings, clock.now(), checks={name: CHECKS[name] for name in names}):
            if one.level is Level.OK:
                continue
            say(f"doctor: {one.level.value}: {one.subject}: {one.sentence}")
            if one.level is Level.FAILED and ends:
                failed.append(one.subject)
    if failed and not despite:
        raise NotWell(
            f"`prism doctor` finds {', '.join(sorted(failed))} failing, and nothing was changed; mend that, or "
            "say --despite-findings when this deployment is what mends it"
        )
    say(f"doctor: {len(CHECKS)} checks were made" + (", and their findings are passed over" if failed else ""))


def image_before(settings: Settings, asked: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Raises OtherImage when the one that stays is of other code; says so of one that was just named."""
    if settings.environment is Environment.LOCAL:  # which runs the code that lies here
        return
    there = (stack_of(settings, "dagster").described() or {}).get("Parameters", ())
    kept = [str(one["ParameterValue"]) for one in there if one["ParameterKey"] == IMAGE]
    image = asked.get(IMAGE, kept[0] if kept else "")
    if image and (said := judge_image(image, image_tag(), named=IMAGE in asked)) is not None:
        say(said)
