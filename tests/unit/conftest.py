"""What holds for every unit test: the same whatever machine it runs on.

Belongs here: an environment without PRISM variables, and hypothesis without a stop-watch or a die.
Does not belong here: what one module needs.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# Two shared cores: what hypothesis allows an example, or ten of them, in seconds says nothing about the code.
settings.register_profile("anew", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
# The same examples in every run: no commit is refused for what an earlier one did. Others are drawn by
# `pytest tests/unit --hypothesis-profile=anew`, and what they find becomes a case of its own.
settings.register_profile("prism", settings.get_profile("anew"), derandomize=True)
settings.load_profile("prism")
# It mixes in numbers and texts of the modules that are loaded, and those are others in each process.
providers.is_local_module_file = lambda _: False  # pyright: ignore[reportPrivateImportUsage]


@pytest.fixture(autouse=True)
def _no_prism_variables(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the caller's platform or clock, and a PRISM_HOME that does not exist."""
    for name in [name for name in os.environ if name.startswith("PRISM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRISM_HOME", str(tmp_path_factory.getbasetemp() / "no-home"))
