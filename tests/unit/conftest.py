"""What holds for every unit test: the same whatever machine it runs on.

Belongs here: an environment without PRISM variables, and hypothesis without a stop-watch.
Does not belong here: what one module needs.
"""

import os

import pytest
from hypothesis import settings

# Two shared cores: the 200 ms that hypothesis allows an example say nothing about the code.
settings.register_profile("prism", deadline=None)
settings.load_profile("prism")


@pytest.fixture(autouse=True)
def _no_prism_variables(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the caller's platform or clock, and a PRISM_HOME that does not exist."""
    for name in [name for name in os.environ if name.startswith("PRISM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRISM_HOME", str(tmp_path_factory.getbasetemp() / "no-home"))
