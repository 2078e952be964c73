"""The tiers: a folder says what its tests may use, and a test that asks for more does not start.

Belongs here: the guard, and the order of tiers. `unit` and `architecture` are fast: no fixture of a slower tier,
no mark `slow`, and a unit test reaches no network, not even this machine's.
Does not belong here: fixtures, which are a tier's own.
"""

import ast
import inspect
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

TESTS = Path(__file__).resolve().parent
TIERS = ("unit", "architecture", "dagster", "integration", "browser", "load")
FAST_TIERS = ("unit", "architecture")
# Slow whoever defines them: they start the embedded AWS.
SLOW_FIXTURES = frozenset({"platform"})
LONGEST = "test_whole_backfill.py"
_REACHES_OUT = ("connect", "connect_ex", "bind")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow tiers begin, the longest file first; short ones are left for the last minutes and shared evenly."""
    items.sort(key=lambda item: (tier_of(item.path) in FAST_TIERS, item.path.name != LONGEST))


def tier_of(path: Path) -> str | None:
    """The folder directly below tests/ that holds a file; None for a file outside any tier."""
    parts = path.resolve().relative_to(TESTS).parts if path.resolve().is_relative_to(TESTS) else ()
    return parts[0] if len(parts) > 1 and parts[0] in TIERS else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file without a tier, or with a fast test that asks for slow things, is a collection error."""
    report = yield
    if not report.passed:
        return report
    if isinstance(collector, pytest.Module) and tier_of(collector.path) is None:
        problems = [f"{collector.path.name} lies in no tier; move it into one of {', '.join(TIERS)}"]
    else:
        items = [item for item in report.result if isinstance(item, pytest.Function)]
        problems = [problem for item in items for problem in _asks_for_too_much(item)]
    if not problems:
        return report
    return pytest.CollectReport(collector.nodeid, "failed", "\n".join(dict.fromkeys(problems)), [])


def _asks_for_too_much(item: pytest.Function) -> Iterator[str]:
    tier = tier_of(item.path)
    if tier not in FAST_TIERS:
        return
    if item.get_closest_marker("slow") is not None:
        yield f"{item.originalname} is marked slow, but {tier} is a fast tier; move the test into a slower one"
    for name in item.fixturenames:
        if where := _slow_home(item, name):
            yield (
                f"{item.originalname} asks for the fixture {name!r} of {where}, but {tier} is a fast tier; "
                "move the test, or do without the fixture"
            )


def _slow_home(item: pytest.Function, fixture: str) -> str | None:
    """Where a slow fixture comes from; None for a fixture that a fast test may have."""
    found = item._fixtureinfo.name2fixturedefs.get(fixture, ())  # pytest has no public way
    homes = {tier_of(Path(inspect.getfile(inspect.unwrap(one.func)))) for one in found}
    slow = sorted(home for home in homes if home is not None and home not in FAST_TIERS)
    if slow:
        return f"tests/{slow[0]}"
    if fixture in SLOW_FIXTURES:
        return "the platform"
    return _slow_fixture_names().get(fixture) if not found else None


@cache
def _slow_fixture_names() -> dict[str, str]:
    """Fixtures in the conftest files of slow tiers, which a fast test cannot even see, by name."""
    files = [file for tier in TIERS if tier not in FAST_TIERS for file in (TESTS / tier).rglob("conftest.py")]
    return {
        function.name: f"tests/{file.relative_to(TESTS).as_posix()}"
        for file in files
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef) and any("fixture" in ast.dump(d) for d in function.decorator_list)
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Set-up, call and tear-down of a unit test run without sockets, whatever the scope of a fixture."""
    if tier_of(item.path) != "unit":
        return (yield)
    with _no_network():
        return (yield)


@contextmanager
def _no_network() -> Iterator[None]:
    """Unix sockets too. A socket pair stays: event loops wake themselves through one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _REACHES_OUT:
            patch.setattr(socket.socket, name, _refuse(name))
        patch.setattr(socket, "getaddrinfo", _refuse("getaddrinfo"))
        yield


def _refuse(name: str) -> Any:
    def refused(*_: object, **__: object) -> NoReturn:
        # Not an Exception: code that copes with a lost connection must not swallow it.
        pytest.fail(f"a unit test called socket.{name}; tests with a network go into tests/integration")

    return refused
