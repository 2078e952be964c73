"""The built screens as a folder for S3 behind CloudFront: `python -m infra.packaging.screens FOLDER …`.

Belongs here: what differs from a local platform, which is files beside the app and never the app itself: where
people sign in, the headers that CloudFront adds, how long a file may be kept. Does not belong here: building
(web/), serving locally (infra/local/screens.py), putting it into an account (docs/screens.md).
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infra.local.same_origin import SHARED_HEADERS
from infra.local.screens import ASKED_ANEW, BUILT, FOR_GOOD, policy
from prism_core.failures import BadUsage

# Addresses of the app are no files: whoever opens one gets the page. The API has a behaviour of its own before
# this one, so that its 404 stays one, which an error page of the distribution would hide.
FUNCTION: Final = """\
function handler(event) {
  var request = event.request;
  if (!/\\.[a-z0-9]+$/i.test(request.uri)) request.uri = '/index.html';
  return request;
}
"""
_HSTS: Final = "max-age=63072000; includeSubDomains"


def config(region: str, pool: str, client_id: str, links: Mapping[str, str]) -> dict[str, Any]:
    """`/config.json`: who signs people in, and pages beside the screens."""
    metadata = f"https://cognito-idp.{region}.amazonaws.com/{pool}/.well-known/openid-configuration"
    return {"client_id": client_id, "metadata_url": metadata, "links": dict(links)}


def headers(region: str, domain: str, lake_bucket: str) -> dict[str, str]:
    """What CloudFront adds to every file. Beside its own origin the app calls the pool, its pages and the lake."""
    called = (
        f"https://cognito-idp.{region}.amazonaws.com",
        f"https://{domain}.auth.{region}.amazoncognito.com",
        f"https://{lake_bucket}.s3.{region}.amazonaws.com",
    )
    shared = {name: value for name, value in SHARED_HEADERS.items() if name != "Cache-Control"}
    return {"Content-Security-Policy": policy(called), "Strict-Transport-Security": _HSTS, **shared}


def write(folder: Path, told: Mapping[str, Any], added: Mapping[str, str], built: Path) -> None:
    """The site, and beside it what the distribution needs. Raises BadUsage where something would be lost."""
    if not (built / "index.html").is_file():
        raise BadUsage("the screens are not built; `make screens` does that")
    if folder.exists() and any(folder.iterdir()):
        raise BadUsage(f"{folder} is not empty; name a new folder")
    shutil.copytree(built, folder / "site", dirs_exist_ok=True)
    (folder / "site" / "config.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (folder / "headers.json").write_text(json.dumps(added, indent=2) + "\n", encoding="utf-8")
    (folder / "viewer-request.js").write_text(FUNCTION, encoding="utf-8")


def steps(folder: Path) -> list[str]:
    """The commands that put it there: hashed files first and for good, then the page that names them."""
    site, place = folder / "site", "s3://BUCKET-OF-THE-SCREENS"
    return [
        f'aws s3 sync {site}/assets {place}/assets --cache-control "{FOR_GOOD}"',
        f'aws s3 sync {site} {place} --exclude "assets/*" --cache-control "{ASKED_ANEW}"',
    ]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--region", required=True)
    parser.add_argument("--pool", required=True, help="UserPoolId of the stack api")
    parser.add_argument("--client", required=True, help="ScreensClientId of the stack api")
    parser.add_argument("--domain", required=True, help="UsersDomainName of the stack api")
    parser.add_argument("--lake", required=True, help="LakeBucketName of the stack data")
    parser.add_argument(
        "--link", action="append", default=[], metavar="NAME=URL", help="a page beside the screens"
    )
    options = parser.parse_args(argv)
    links = dict(one.split("=", 1) for one in options.link)
    try:
        write(
            options.folder,
            config(options.region, options.pool, options.client, links),
            headers(options.region, options.domain, options.lake),
            BUILT,
        )
    except BadUsage as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("".join(f"{one}\n" for one in steps(options.folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
