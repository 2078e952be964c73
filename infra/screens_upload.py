"""The built screens to their bucket, behind CloudFront.

Belongs here: which file is kept for how long, `/config.json` of this installation, and forgetting the page that
was there before. Does not belong here: building them (`make screens`) and the bucket (infra/templates/web.yaml).
"""

import json
import mimetypes
import time
from pathlib import Path
from typing import Final

from infra.deploy import outputs
from infra.local.screens import ASKED_ANEW, BUILT, FOR_GOOD
from prism_core.failures import PermanentFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling

_FORGOTTEN: Final = ["/", "/index.html", "/config.json"]


def refuse_unbuilt(folder: Path = BUILT) -> Path:
    """The page of the built screens. Raises PermanentFailure when they are not built."""
    page = folder / "index.html"
    if not page.is_file():
        raise PermanentFailure(f"the screens are not built: {page} is missing; `make screens` builds them")
    return page


def upload_screens(settings: Settings, folder: Path = BUILT) -> int:
    """How many files were put. The page comes last, when all that it asks for is there; what an older page asks
    for stays. Raises PermanentFailure when the screens are not built."""
    page = refuse_unbuilt(folder)
    web, api = outputs(settings, "web"), outputs(settings, "api")
    bucket, s3 = web["ScreensBucketName"], client(settings, "s3")
    config = {"client_id": api["ScreensClientId"], "metadata_url": web["OpenIdUrl"], "links": {}}
    files = sorted((one for one in folder.rglob("*") if one.is_file()), key=lambda one: one == page)
    with calling(f"s3://{bucket}", "upload the screens"):
        s3.put_object(
            Bucket=bucket,
            Key="config.json",
            Body=json.dumps(config).encode(),
            ContentType="application/json",
            CacheControl=ASKED_ANEW,
        )
        for one in files:
            name = one.relative_to(folder).as_posix()
            s3.put_object(
                Bucket=bucket,
                Key=name,
                Body=one.read_bytes(),
                ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
                CacheControl=FOR_GOOD if name.startswith("assets/") else ASKED_ANEW,
            )
    with calling(f"distribution {web['DistributionId']}", "forget the page of"):
        client(settings, "cloudfront").create_invalidation(
            DistributionId=web["DistributionId"],
            InvalidationBatch={
                "Paths": {"Quantity": len(_FORGOTTEN), "Items": _FORGOTTEN},
                "CallerReference": str(time.time_ns()),
            },
        )
    return len(files) + 1
