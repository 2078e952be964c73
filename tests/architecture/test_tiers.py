"""The guard of the tiers itself: each rule is broken once, in a small project of its own."""

import ast
import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = Path(__file__).resolve().parents[1]
FAST = ("unit", "architecture")
SLOW = ("dagster", "integration", "browser", "load")
SLOW_CONFTEST = """
    import pytest

    @pytest.fixture(scope="session")
    def emulator():
        return "started"

    @pytest.fixture
    def home():
        return "home"
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with this repository's guard, an integration tier with two fixtures, and no test."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # 0.6 s a run
    pytester.makeini("[pytest]\nmarkers = slow: slow\naddopts = -p no:cacheprovider --strict-markers")
    (pytester.path / "tests").mkdir()
    shutil.copy(TESTS / "conftest.py", pytester.path / "tests" / "conftest.py")
    write(pytester, "integration/conftest.py", SLOW_CONFTEST)
    return pytester


def write(project: pytest.Pytester, path: str, source: str) -> None:
    lines = source.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    file = project.path / "tests" / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(line[indent:] for line in lines) + "\n")


def collection_error(project: pytest.Pytester, path: str, source: str) -> str:
    """The words with which the collection of one test file fails.

    Without pytest's closing summary, which says them again, and in full where the variable ``CI`` is set.
    """
    write(project, path, source)
    result = project.runpytest_inprocess("-rN", "tests")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    return result.stdout.str()


def unit_outcome(project: pytest.Pytester, source: str) -> pytest.RunResult:
    write(project, "unit/test_it.py", source)
    return project.runpytest_inprocess("tests")


@pytest.mark.parametrize("path", ["test_it.py", "misc/test_it.py"])
def test_a_test_file_outside_the_tiers_is_not_collected(project: pytest.Pytester, path: str) -> None:
    said = collection_error(project, path, "def test_it(): pass")

    assert "test_it.py lies in no tier; move it into one of unit, architecture, dagster" in said


@pytest.mark.parametrize("tier", FAST)
def test_a_fast_test_that_asks_for_a_fixture_of_a_slow_tier_is_not_collected(
    project: pytest.Pytester, tier: str
) -> None:
    said = collection_error(project, f"{tier}/test_it.py", "def test_it(emulator): pass")

    assert "test_it asks for the fixture 'emulator' of tests/integration/conftest.py" in said
    assert f"but {tier} is a fast tier" in said


def test_a_fixture_of_a_slow_tier_is_found_behind_an_import_and_another_fixture(project: pytest.Pytester) -> None:
    project.syspathinsert(project.path / "tests" / "integration")
    write(project, "integration/borrowed.py", SLOW_CONFTEST)
    source = """
        import pytest
        from borrowed import emulator

        @pytest.fixture
        def wrapped(emulator): return emulator

        class TestIt:
            @pytest.mark.parametrize("n", [1, 2])
            def test_it(self, wrapped, n): pass
    """

    said = collection_error(project, "unit/test_it.py", source)

    assert said.count("test_it asks for the fixture 'emulator' of tests/integration,") == 1


def test_the_platform_is_slow_whoever_defines_it(project: pytest.Pytester) -> None:
    source = """
        import pytest

        @pytest.fixture
        def platform(): pass

        def test_it(platform): pass
    """

    assert "asks for the fixture 'platform' of the platform" in collection_error(
        project, "unit/test_it.py", source
    )


@pytest.mark.parametrize("tier", FAST)
def test_a_fast_test_marked_slow_is_not_collected(project: pytest.Pytester, tier: str) -> None:
    source = """
        import pytest
        pytestmark = pytest.mark.slow
        def test_it(): pass
    """

    assert f"test_it is marked slow, but {tier} is a fast tier" in collection_error(
        project, f"{tier}/test_it.py", source
    )


def test_a_fast_test_may_have_a_fixture_of_its_own_with_a_name_that_a_slow_tier_uses(
    project: pytest.Pytester,
) -> None:
    source = """
        import pytest

        @pytest.fixture
        def home(): return "mine"

        def test_it(home, tmp_path): assert home == "mine"
    """

    unit_outcome(project, source).assert_outcomes(passed=1)


@pytest.mark.parametrize("tier", SLOW)
def test_a_slow_test_may_be_slow_and_use_a_network(project: pytest.Pytester, tier: str) -> None:
    write(project, f"{tier}/conftest.py", SLOW_CONFTEST)
    source = """
        import socket
        import pytest

        @pytest.mark.slow
        def test_it(emulator):
            with socket.socket() as server:
                server.bind(("127.0.0.1", 0))
    """
    write(project, f"{tier}/test_it.py", source)

    project.runpytest_inprocess("tests").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("socket.socket().connect(('127.0.0.1', 9))", "connect"),
        ("socket.socket().connect_ex(('127.0.0.1', 9))", "connect_ex"),
        ("socket.socket().bind(('127.0.0.1', 0))", "bind"),
        ("socket.socket(socket.AF_UNIX).bind('x.sock')", "bind"),
        ("socket.create_connection(('localhost', 9))", "getaddrinfo"),
        ("urllib.request.urlopen('http://127.0.0.1:9')", "getaddrinfo"),
    ],
)
def test_a_unit_test_that_reaches_out_fails_even_if_it_copes_with_errors(
    project: pytest.Pytester, call: str, name: str
) -> None:
    source = f"""
        import socket, urllib.request

        def test_it():
            try:
                {call}
            except Exception:
                pass
    """

    result = unit_outcome(project, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*a unit test called socket.{name}; tests with a network go into *"])


def test_a_fixture_of_the_whole_run_cannot_reach_out_for_a_unit_test_either(project: pytest.Pytester) -> None:
    source = """
        import socket
        import pytest

        @pytest.fixture(scope="session")
        def server():
            socket.socket().bind(("127.0.0.1", 0))

        def test_it(server): pass
    """

    unit_outcome(project, source).assert_outcomes(errors=1)


def test_a_unit_test_may_run_an_event_loop(project: pytest.Pytester) -> None:
    source = """
        import asyncio

        def test_it(): asyncio.run(asyncio.sleep(0))
    """

    unit_outcome(project, source).assert_outcomes(passed=1)


def test_the_guard_holds_in_parallel_runs_too(project: pytest.Pytester) -> None:
    write(project, "unit/test_it.py", "import socket\ndef test_it(): socket.socket().bind(('127.0.0.1', 0))")
    write(project, "architecture/test_other.py", "def test_other(): pass")

    result = project.runpytest_subprocess("-p", "xdist", "tests", "-n", "2")

    result.assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize("tier", FAST)
def test_no_fast_test_imports_from_a_slow_tier_or_talks_to_aws(tier: str) -> None:
    forbidden = ("boto3", "botocore.session", *(f"tests.{slow}" for slow in SLOW))
    found = [
        f"{file.relative_to(TESTS)} imports {name}"
        for file in sorted((TESTS / tier).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if any(f"{name}.".startswith(f"{prefix}.") for prefix in forbidden)
    ]

    assert found == []


def test_every_test_file_of_this_repository_lies_in_a_tier() -> None:
    outside = [
        str(file.relative_to(TESTS))
        for file in TESTS.rglob("test_*.py")
        if file.relative_to(TESTS).parts[0] not in (*FAST, *SLOW)
    ]

    assert outside == []
