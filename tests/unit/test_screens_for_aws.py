"""What CloudFront adds to the screens on AWS: the rules of the local front door, and a page for every address."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.architecture_document import read_templates
from infra.local.same_origin import SHARED_HEADERS
from infra.local.screens import policy
from infra.packaging.npm import NODE
from prism_core.settings import Environment, Settings
from prism_resources import aws
from tests.aws_credentials import only_credentials

LAKE = "https://${NamePrefix}-lake-${AWS::AccountId}-${AWS::Region}.s3.${AWS::Region}.amazonaws.com"
CALLED = (
    "https://cognito-idp.${AWS::Region}.amazonaws.com",
    "https://${UsersDomainName}.auth.${AWS::Region}.amazoncognito.com",
    LAKE,
)


def resource(name: str) -> dict[str, Any]:
    return read_templates()["web"]["Resources"][name]["Properties"]


def added() -> dict[str, Any]:
    return resource("ScreensHeaders")["ResponseHeadersPolicyConfig"]


def content_policy() -> str:
    return added()["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]


def test_the_distribution_says_the_policy_of_the_local_front_door() -> None:
    assert content_policy() == policy(CALLED)


def test_the_distribution_adds_the_headers_that_all_pages_share() -> None:
    security = added()["SecurityHeadersConfig"]
    said = {one["Header"]: one["Value"] for one in added()["CustomHeadersConfig"]["Items"]}
    said |= {
        "X-Content-Type-Options": "nosniff" if security["ContentTypeOptions"]["Override"] else "",
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
    }

    # How long a file is kept says the file (infra/screens_upload.py).
    assert said == {name: value for name, value in SHARED_HEADERS.items() if name != "Cache-Control"}


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[None]:
    """Credentials that are none, for links that nobody fetches."""
    with only_credentials(tmp_path, AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="example"):
        yield


@pytest.mark.usefixtures("signing")
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_policy_lets_the_screens_put_a_workbook_by_the_link_that_they_are_given(region: str) -> None:
    settings = Settings(environment=Environment.AWS, region=region, account_id="111122223333")
    place = {"Bucket": settings.lake_bucket, "Key": "uploads/one.xlsx"}

    link = aws.client(settings, "s3").generate_presigned_url("put_object", Params=place)

    names = {"NamePrefix": settings.name_prefix, "AWS::AccountId": settings.account_id, "AWS::Region": region}
    allowed = content_policy()
    for name, value in names.items():
        allowed = allowed.replace(f"${{{name}}}", value)
    assert f"https://{urlsplit(link).netloc}" in allowed.partition("connect-src ")[2].partition(";")[0].split()


def test_an_address_of_the_app_is_answered_by_its_page_and_a_file_by_itself() -> None:
    asked = ["/", "/team", "/auth/callback", "/assets/index-3f2a.js", "/config.json"]
    function = resource("PageOfAddress")["FunctionCode"]
    program = f"{function}\nconsole.log(JSON.stringify({asked}.map((uri) => handler({{request: {{uri}}}}).uri)))"

    done = subprocess.run([NODE / "bin" / "node", "-e", program], capture_output=True, check=True)

    assert json.loads(done.stdout) == ["/index.html"] * 3 + asked[3:]
