"""Which credentials of AWS this process has, for one test.

Belongs here: setting them, and forgetting the session that keeps the first ones it found for the life of the
process: a later test of the same process would sign with them. Does not belong here: stand-ins of services.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prism_resources import aws


@contextmanager
def only_credentials(directory: Path, **variables: str) -> Iterator[pytest.MonkeyPatch]:
    """No credentials but those of `variables`: no file (`directory` holds none), no role of a machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [one for one in os.environ if one.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
            patch.setenv(name, str(directory / "none"))
        patch.setenv("HOME", str(directory))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name, value in variables.items():
            patch.setenv(name, value)
        _forget()
        try:
            yield patch
        finally:
            _forget()


def _forget() -> None:
    aws._client.cache_clear()
    aws._session.cache_clear()
