"""What lies in S3 of a stored plan: what it was asked for, and the plan with all that it was made of.

Belongs here: where these objects lie, and reading and writing them. Does not belong here: their text
(prism_core/capacity/kept.py) and the item that names them (storing.py).
A body is named by its content and never replaced: whoever reads a plan reads what its figures say.
"""

import gzip
import hashlib
from typing import Final

from botocore.exceptions import ClientError

from prism_core.calendar import Week
from prism_core.capacity.kept import KeptPlan, kept_text, read_kept
from prism_core.capacity.wish import PlanWish
from prism_core.failures import BadUsage, PermanentFailure
from prism_core.lake import PLANS, WISHES
from prism_core.models.alerts import Plan
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

# Who may not list a bucket is told that an object is forbidden when it does not exist.
_MISSING: Final = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})
_DIGITS: Final = 16


class LostBody(PermanentFailure):
    """An object of a plan is gone: nothing of the plan can be read but its figures."""


def put_body(settings: Settings, plan_id: str, kept: KeptPlan) -> str:
    """Keep a plan; answers its key, `plans/week=2026-W48/PLAN_ID-….json.gz`. Equal plans have one body."""
    text = kept_text(kept)
    digest = hashlib.sha256(text).hexdigest()[:_DIGITS]
    key = f"{PLANS}week={kept.plan.week}/{plan_id}-{digest}.json.gz"
    _put(settings, key, gzip.compress(text, mtime=0), "application/gzip")
    return key


def read_body(settings: Settings, plan: Plan) -> KeptPlan:
    """The plan of an item, with the week, scenario and explanation.

    Raises BadUsage for one that is not solved, LostBody.
    """
    if plan.body is None:
        raise BadUsage(f"plan {plan.plan_id} is {plan.status}; there is nothing to read of it")
    return read_kept(gzip.decompress(_get(settings, plan.body)))


def put_wish(settings: Settings, week: Week, plan_id: str, wish: PlanWish) -> None:
    """Keep what a plan is asked for."""
    _put(settings, _wish_key(week, plan_id), wish.model_dump_json(exclude_none=True).encode(), "application/json")


def read_wish(settings: Settings, plan: Plan) -> PlanWish:
    """What a plan was asked for. Raises LostBody."""
    return PlanWish.model_validate_json(_get(settings, _wish_key(plan.week, plan.plan_id)))


def _wish_key(week: Week, plan_id: str) -> str:
    return f"{WISHES}week={week}/{plan_id}.json"


def _put(settings: Settings, key: str, body: bytes, media: str) -> None:
    with calling(key, "write"):
        client(settings, "s3").put_object(Bucket=settings.lake_bucket, Key=key, Body=body, ContentType=media)


def _get(settings: Settings, key: str) -> bytes:
    with calling(key, "read"):
        try:
            return client(settings, "s3").get_object(Bucket=settings.lake_bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise LostBody(f"{key} is gone; plan the week again") from error
            raise
