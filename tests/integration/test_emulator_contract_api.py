"""What the embedded API Gateway and Cognito ask of a token, and what they let pass that AWS does not.

Why real: only the emulator can say what the emulator does. Each test says what AWS does; one that says "not as
AWS" and fails after an upgrade means that a defence of ours behind it may go. Tokens are tried on a route of its
own, whose function answers with what it was given, so that nothing of PRISM stands in between.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.local.platform import Platform
from infra.users import Users
from prism_api.api.calls import Role
from prism_resources.aws import client
from tests.integration.bare_role import bare_role, without_rights_alone
from tests.integration.deployed import PASSWORD, Deployed, part

ECHO = (
    b"import json\n"
    b"def handler(event, context):\n"
    b"    print('called')\n"
    b"    return {'statusCode': 200, 'body': json.dumps(event)}\n"
)


@pytest.fixture(scope="module")
def deployed(platform: Platform) -> Deployed:
    return Deployed(platform)


@dataclass(frozen=True)
class Echo:
    """A route behind an authorizer of the pool, with nothing of ours behind it."""

    url: str

    def __call__(self, token: str | None, **headers: str) -> httpx.Response:
        sent = headers if token is None else {"Authorization": f"Bearer {token}"} | headers
        return httpx.get(self.url, headers=sent, timeout=60)

    def claims(self, token: str) -> dict[str, Any]:
        answer = self(token)
        assert answer.status_code == 200, answer.text
        return answer.json()["requestContext"]["authorizer"]["jwt"]["claims"]


@pytest.fixture(scope="module")
def echo(platform: Platform, deployed: Deployed) -> Iterator[Echo]:
    gateway, functions = client(platform.settings, "apigatewayv2"), client(platform.settings, "lambda")
    name, packed = f"echo-{uuid.uuid4().hex[:8]}", io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("echo.py", ECHO)
    function = functions.create_function(
        FunctionName=name, Runtime="python3.13", Handler="echo.handler",
        Role=bare_role(platform.settings), Code={"ZipFile": packed.getvalue()}, Timeout=20,
    )  # fmt: skip
    api = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    made = deployed.made
    authorizer = gateway.create_authorizer(
        ApiId=api, Name="pool", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={
            "Issuer": deployed.issuer,
            "Audience": [made[f"{one}ClientId"] for one in ("Screens", "Cli", "Producer")],
        },
    )["AuthorizerId"]  # fmt: skip
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function["FunctionArn"], PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(
        ApiId=api, RouteKey="ANY /echo/{proxy+}", AuthorizationType="JWT", AuthorizerId=authorizer,
        Target=f"integrations/{integration}",
    )  # fmt: skip
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    assert platform.emulator is not None
    yield Echo(f"{platform.emulator.url}/_aws/execute-api/{api}/$default/echo/x")
    gateway.delete_api(ApiId=api)
    functions.delete_function(FunctionName=name)


def flipped(token: str) -> str:
    """The same token with another signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{('A' if signature[0] != 'A' else 'B') + signature[1:]}"


def signed_by_a_stranger(deployed: Deployed) -> str:
    stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return jwt.encode(deployed.claims(), stranger, "RS256", headers={"kid": deployed.key_id()})


def with_the_public_key_as_a_secret(deployed: Deployed) -> str:
    """The oldest trick: HS256 with what everybody can read."""
    modulus = RSAAlgorithm.to_jwk(deployed.pool_key().public_key(), as_dict=True)["n"]
    return jwt.encode(deployed.claims(), modulus, "HS256", headers={"kid": deployed.key_id()})


def without_a_signature(deployed: Deployed) -> str:
    return f"{part({'alg': 'none', 'kid': deployed.key_id()})}.{part(deployed.claims())}."


def of_another_pool(deployed: Deployed) -> str:
    """A sound token of another pool of the same account."""
    cognito = client(deployed.platform.settings, "cognito-idp")
    pool = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="app", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="x", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="x", Password=PASSWORD, Permanent=True)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool, ClientId=app, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "x", "PASSWORD": PASSWORD},
    )  # fmt: skip
    cognito.delete_user_pool(UserPoolId=pool)
    return answer["AuthenticationResult"]["AccessToken"]


REFUSED = {
    "no token": lambda _: None,
    "no token at all": lambda _: "not-a-token",
    "three parts of nothing": lambda _: "a.b.c",
    "another signature": lambda deployed: flipped(deployed.signed()),
    "a stranger's key under our key's name": signed_by_a_stranger,
    "the public key as a secret": with_the_public_key_as_a_secret,
    "alg none": without_a_signature,
    "another pool": of_another_pool,
    "expired": lambda deployed: deployed.signed(exp=1),
    "not yet valid": lambda deployed: deployed.signed(nbf=4_000_000_000),
    "issued in the future": lambda deployed: deployed.signed(iat=4_000_000_000),
    "another issuer": lambda deployed: deployed.signed(
        iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_X"
    ),
    "another app client": lambda deployed: deployed.signed(client_id="somebody-else"),
    "no app client": lambda deployed: deployed.signed(client_id=None),
    "no key named": lambda deployed: deployed.signed(header={"kid": ""}),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_token_that_is_not_sound_is_refused_by_the_authorizer_and_so_by_the_api(
    deployed: Deployed, echo: Echo, kind: str
) -> None:
    """As AWS. PRISM: nothing of this is asked again behind the authorizer."""
    token = REFUSED[kind](deployed)

    answers = echo(token), deployed.get(token=token)

    assert [answer.status_code for answer in answers] == [401, 401]
    assert [answer.json() for answer in answers] == [{"message": "Unauthorized"}] * 2


def test_the_issuer_is_the_one_of_aws_and_a_list_comes_as_text(deployed: Deployed, echo: Echo) -> None:
    """As AWS. PRISM: the template names this issuer in both places, and the guard reads `[admin lead]`."""
    claims = echo.claims(deployed.signed(groups=["admin", "lead"]))

    assert claims["iss"] == deployed.issuer
    assert claims["cognito:groups"] == "[admin lead]"


def test_an_id_token_passes_the_authorizer_but_not_the_api(deployed: Deployed, echo: Echo) -> None:
    """As AWS: an ID token names the app client in `aud`. PRISM: `prism_api/api/tokens.py` refuses it."""
    token = deployed.signed("id", token_use="id", client_id=None, aud=deployed.made["CliClientId"])

    assert echo.claims(token)["token_use"] == "id"
    answer = deployed.get(token=token)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert "access token" in answer.json()["detail"]


def test_a_refresh_token_passes_the_authorizer_but_not_the_api(deployed: Deployed, echo: Echo) -> None:
    """Not as AWS, where a refresh token is encrypted and says nothing. PRISM: `tokens.py` refuses it."""
    email = deployed.user(Role.ADMIN).email
    signed_in = client(deployed.platform.settings, "cognito-idp").admin_initiate_auth(
        UserPoolId=deployed.made["UserPoolId"], ClientId=deployed.made["CliClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
    )  # fmt: skip
    token = signed_in["AuthenticationResult"]["RefreshToken"]

    assert echo.claims(token)["token_use"] == "refresh"
    assert deployed.get(token=token).status_code == 401


@pytest.mark.parametrize("said", ["none", "HS256", "RS512", ""])
def test_what_a_sound_signature_says_of_its_algorithm_is_not_read(
    echo: Echo, deployed: Deployed, said: str
) -> None:
    """Not as AWS, which takes RSA algorithms that the token names. No danger: RS256 is verified whatever it says,
    and only the pool can sign so."""
    assert echo(deployed.signed(header={"alg": said})).status_code == 200


def test_a_token_without_an_end_passes(deployed: Deployed, echo: Echo) -> None:
    """Not as AWS, which needs `exp`. No danger: only the pool can sign one, and it never does."""
    assert echo(deployed.signed(exp=None)).status_code == 200


def test_an_account_that_was_disabled_or_removed_is_let_in_until_its_token_ends(
    deployed: Deployed, echo: Echo
) -> None:
    """As AWS. PRISM: access tokens live for an hour at most."""
    users = Users(deployed.platform.settings)
    user = deployed.user(Role.LEAD)
    token = users.token(user.email, PASSWORD)

    users.remove(user)

    assert echo.claims(token)["sub"] == user.sub
    assert int(echo.claims(token)["exp"]) - int(echo.claims(token)["iat"]) == 3600


@pytest.mark.parametrize("header", ["W10", "MQ", "Im5vbmUi", "bnVsbA"], ids=["[]", "1", "text", "null"])
def test_a_token_whose_header_is_no_object_ends_in_a_500(deployed: Deployed, header: str) -> None:
    """Not as AWS, which says 401. PRISM: the front door says it (tests/integration/test_front_door.py)."""
    assert deployed.get(token=f"{header}.e30.x").status_code == 500


@without_rights_alone
def test_user_information_is_given_for_a_token_that_nobody_signed(deployed: Deployed) -> None:
    """Not as AWS, which verifies it. PRISM: relies on nothing that /oauth2/userInfo says."""
    assert deployed.platform.emulator is not None
    user = deployed.user(Role.LEAD)
    forged = f"{part({'alg': 'none'})}.{part({'iss': deployed.issuer, 'sub': user.sub, 'username': user.sub})}.x"

    answer = httpx.get(
        f"{deployed.platform.emulator.url}/oauth2/userInfo",
        headers={"Authorization": f"Bearer {forged}"},
        timeout=60,
    )

    assert (answer.status_code, answer.json()["email"]) == (200, user.email)


def test_a_function_can_be_called_past_the_authorizer_by_whoever_reaches_the_port(deployed: Deployed) -> None:
    """Not as AWS, where it takes a right of IAM. PRISM: the port is on loopback, behind the guard."""
    settings = deployed.platform.settings
    claims = {"sub": "anybody", "token_use": "access", "cognito:groups": "[admin]"}
    event = {
        "version": "2.0", "rawPath": "/api/projects", "rawQueryString": "", "headers": {},
        "requestContext": {
            "http": {"method": "GET", "path": "/api/projects"}, "requestId": "direct", "stage": "$default",
            "authorizer": {"jwt": {"claims": claims}},
        },
    }  # fmt: skip

    answer = client(settings, "lambda").invoke(
        FunctionName=f"{settings.name_prefix}-api", Payload=json.dumps(event).encode()
    )

    assert json.loads(answer["Payload"].read())["statusCode"] == 200


def test_a_preflight_is_refused_and_never_reaches_the_function(deployed: Deployed) -> None:
    """AWS asks the authorizer of `ANY` instead, and says 401; no CORS headers in both places."""
    asking = {"Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{deployed.url}/api/projects", headers=asking, timeout=60)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]
