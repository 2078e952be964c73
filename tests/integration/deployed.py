"""The deployed API from outside: its address, calls with a token, and tokens that only its pool could make."""

import base64
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from infra.deploy import outputs
from infra.local.platform import Platform
from infra.users import User, Users
from prism_api.api.calls import Role

PASSWORD = "Passw0rd-of-a-test"


@dataclass(frozen=True)
class Deployed:
    """The HTTP API of a platform and its user pool."""

    platform: Platform

    @cached_property
    def made(self) -> dict[str, str]:
        return outputs(self.platform.settings, "api")

    @property
    def url(self) -> str:
        assert self.platform.emulator is not None
        return f"{self.platform.emulator.url}/_aws/execute-api/{self.made['ApiId']}/$default"

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{self.platform.settings.region}.amazonaws.com/{self.made['UserPoolId']}"

    def get(self, path: str = "/api/projects", token: str | None = None, **headers: str) -> httpx.Response:
        """A GET, with a bearer token if one is given."""
        sent = headers if token is None else {"Authorization": f"Bearer {token}"} | headers
        return httpx.get(self.url + path, headers=sent, timeout=60)

    def user(self, role: Role) -> User:
        """A new account."""
        return Users(self.platform.settings).add(f"{uuid.uuid4().hex}@test.example", role, password=PASSWORD)

    def token(self, role: Role) -> str:
        """An access token of a new account."""
        return Users(self.platform.settings).token(self.user(role).email, PASSWORD)

    def claims(self, *, groups: Sequence[str] = ("admin",), **changes: Any) -> dict[str, Any]:
        """What a sound access token says. None leaves a claim out."""
        now = int(time.time())
        sound = {
            "sub": str(uuid.uuid4()), "iss": self.issuer, "client_id": self.made["CliClientId"],
            "token_use": "access", "scope": "aws.cognito.signin.user.admin", "cognito:groups": [*groups],
            "iat": now - 5, "exp": now + 600, "jti": str(uuid.uuid4()),
        }  # fmt: skip
        return {name: value for name, value in (sound | changes).items() if value is not None}

    def signed(self, use: str = "access", *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token with the pool's own signature: its key lies in the folder of the emulator."""
        key = self.pool_key(use)
        said = {"alg": "RS256", "kid": self.key_id(use)} | (header or {})
        signed = f"{part(said)}.{part(self.claims(**changes))}"
        algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
        return f"{signed}.{_text(algorithm.sign(signed.encode(), key))}"

    def pool_key(self, use: str = "access") -> RSAPrivateKey:
        self._listed()  # the pool draws its keys when somebody asks for them
        folder = self.platform.home.emulator / "work" / "state" / "cognito-pool-keys"
        key = load_pem_private_key((folder / f"{self.made['UserPoolId']}-{use}.pem").read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        return key

    def key_id(self, use: str = "access") -> str:
        """By the public half, as the list of keys names it."""
        own = RSAAlgorithm.to_jwk(self.pool_key(use).public_key(), as_dict=True)
        return next(one["kid"] for one in self._listed() if one["n"] == own["n"])

    def _listed(self) -> list[dict[str, str]]:
        assert self.platform.emulator is not None
        url = f"{self.platform.emulator.url}/{self.made['UserPoolId']}/.well-known/jwks.json"
        return httpx.get(url, timeout=60).json()["keys"]


def part(value: Any) -> str:
    """A part of a token."""
    return _text(json.dumps(value).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
