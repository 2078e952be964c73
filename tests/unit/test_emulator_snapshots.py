"""A limit of what the embedded AWS may take fits the state that it saves and loads."""

from pathlib import Path

from infra.local.emulator.environment import STATE_DIR
from infra.local.emulator.process import STOP_SECONDS, stop_seconds
from infra.local.emulator.snapshots import Snapshots


def test_a_stop_may_take_the_longer_the_larger_the_saved_state_is(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    assert stop_seconds(snapshots) == STOP_SECONDS
    state = tmp_path / "00000007" / STATE_DIR
    state.mkdir(parents=True)
    for name in ("dynamodb.json", "sqs.json"):
        with (state / name).open("wb") as file:
            file.truncate(150_000_000)
    (tmp_path / "00000008.abcd.partial" / STATE_DIR).mkdir(parents=True)  # one that is being written

    assert stop_seconds(snapshots) == STOP_SECONDS + 1200
