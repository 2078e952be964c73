"""The small files of a platform's folder."""

import json
import stat
from pathlib import Path

import pytest

from infra.local.home import Home
from prism_core.failures import PermanentFailure


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


def test_the_token_is_made_once_and_is_the_owners_alone(home: Home) -> None:
    token = home.token()

    assert home.token() == token
    assert len(token) >= 32
    assert stat.S_IMODE((home.root / "token").stat().st_mode) == 0o600


def test_the_ports_of_a_platform_are_ten_in_a_row_and_stay(home: Home) -> None:
    (home.root / "ports.json").write_text(json.dumps({"base": 23_450}))

    ports = home.ports()

    assert (ports.screens, ports.dagster, ports.mailbox, ports.emulator, ports.smtp) == tuple(
        range(23_450, 23_455)
    )
    with pytest.raises(PermanentFailure, match="bound to port 23450"):
        home.ports(23_460)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_file_is_named(home: Home, damage: bytes) -> None:
    for path in (home.root / "ports.json", home.first_start):
        path.write_bytes(damage)

    with pytest.raises(PermanentFailure, match=r"ports\.json is damaged"):
        home.ports()
    with pytest.raises(PermanentFailure, match=r"first_start\.json is damaged"):
        home.read_first_start()


def test_settings_that_were_fixed_are_added_to(home: Home) -> None:
    home.fix_settings(first_week="2026-W01")
    home.fix_settings(name_prefix="p")

    assert json.loads(home.settings_file.read_text()) == {"first_week": "2026-W01", "name_prefix": "p"}
    assert stat.S_IMODE(home.settings_file.stat().st_mode) == 0o600
