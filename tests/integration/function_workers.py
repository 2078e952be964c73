"""The processes in which the embedded AWS runs functions, for tests that kill one."""

from pathlib import Path

from infra.local.platform import Platform


def workers(platform: Platform, function: str) -> list[int]:
    """The processes of a function: children of the emulator whose environment names it."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            said = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        name = f"AWS_LAMBDA_FUNCTION_NAME={platform.settings.name_prefix}-{function}".encode()
        home = str(platform.home.root).encode()
        if name in said and any(home in one for one in said):
            found.append(int(folder.name))
    return found
