"""The house rules that no linter knows: charters, sizes, names, and what must not be written down."""

import ast
import re
from pathlib import Path

import pytest

from prism_core.lake_tables import LAKE_TABLES
from prism_core.tables import TABLES
from tests.architecture.sources import PRISM, ROOT, Module, imports, modules, tracked

CODE = (*PRISM, "benchmarks")
CHARTER_LINES = range(2, 7)
AIM_LINES, MAX_LINES = 300, 400
MAX_TEST_LINES = 800  # a test file is a list: it is read at one place, not as a whole
SHORTEST_SENTENCE_WORDS = 4
PUBLIC_REGISTRIES = {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"}
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Each pattern is written so that it does not find itself.
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.})\]-])/(?:w[o]rk|r[o]ot|h[o]me|U[s]ers)/[\w.]|/t[m]p/bash|[A-Z]:\\U[s]ers")
WORKSHOP = re.compile(
    r"\b(?:helper|agent|assistant|sibling|sub-?agent|coding|earlier|previous|parallel|other)s? s[e]ssions?\b"
    r"|--(?:extra-)?index-u[r]l|\b(?:UV|PIP)_(?:EXTRA_|DEFAULT_)?I[N]DEX|\b(?:art[i]factory|devp[i])\b"
    r"|\b(?:i[s]sue|t[i]cket) #?\d+",
    re.IGNORECASE,
)  # fmt: skip


def found_in_tracked(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {match[0]}"
        for name, text in tracked().items()
        for number, line in enumerate(text.splitlines(), start=1)
        for match in pattern.finditer(line)
    ]


def charter_problems(source: str) -> list[str]:
    """What is wrong with the charter of a module."""
    charter = ast.get_docstring(ast.parse(source)) or ""
    lines = [line for line in charter.splitlines() if line.strip()]
    words = " ".join(charter.split())
    problems = [] if len(lines) in CHARTER_LINES else [f"{len(lines)} lines instead of 2 to 6"]
    if "Belongs here:" not in words:
        problems.append("it does not say what belongs here")
    elif not re.search(r"[Dd]oes not belong here:|\balone\.", words):
        problems.append("it does not say what does not belong here")
    return problems


@pytest.mark.parametrize("module", modules(*CODE, "tests"), ids=lambda module: module.shown)
def test_a_package_file_is_empty_and_every_other_module_opens_with_a_charter(module: Module) -> None:
    if module.is_package:
        assert module.text == ""
    elif module.shown.startswith("tests/"):
        assert ast.get_docstring(ast.parse(module.text)), "a test module says in a line what must hold"
    else:
        assert charter_problems(module.text) == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1", "0 lines"),
        ('"""One line. Belongs here: x. Does not belong here: y."""', "1 lines"),
        ('"""Title.\n\nAll about it.\n"""', "does not say what belongs here"),
        ('"""Title.\n\nBelongs here: x.\n"""', "does not say what does not"),
        ('"""Title.\n\nBelongs here: x.\n' + "More.\n" * 5 + 'Does not belong here: y.\n"""', "8 lines"),
    ],
)
def test_a_charter_that_says_too_little_or_too_much_is_caught(source: str, problem: str) -> None:
    assert problem in "; ".join(charter_problems(source))


def test_no_file_is_longer_than_a_person_keeps_in_mind() -> None:
    long = [
        f"{module.shown} has {lines} lines; aim at {AIM_LINES}, and split it at a seam"
        for module in modules(*CODE, "tests")
        if (lines := module.text.count("\n")) > (MAX_TEST_LINES if module.name.startswith("tests.") else MAX_LINES)
    ]

    assert long == []


def test_the_name_of_a_test_is_the_sentence_that_must_hold() -> None:
    short = [
        f"{module.shown}: {node.name}"
        for module in modules("tests")
        if module.path.name.startswith("test_")
        for node in ast.walk(ast.parse(module.text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test")
        and (len(node.name.split("_")) <= SHORTEST_SENTENCE_WORDS or not SNAKE.fullmatch(node.name))
    ]

    assert short == []


def test_tables_of_the_lake_and_the_database_are_named_in_snake_case() -> None:
    assert [name for name in (*TABLES, *LAKE_TABLES) if not SNAKE.fullmatch(name)] == []


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_columns_of_the_lake_are_named_in_snake_case_and_explained(table: object) -> None:
    columns = LAKE_TABLES[getattr(table, "name", "")].columns

    assert [column.name for column in columns if not SNAKE.fullmatch(column.name) or not column.meaning] == []


def test_modules_that_define_assets_keep_their_annotations() -> None:
    """Dagster reads the annotations of an asset's parameters; a future import turns them into text."""
    turned = [
        module.shown
        for module in modules(*PRISM)
        if {use.name for use in imports(module.text, module.name)} & {"dagster"}
        and "__future__.annotations" in {use.name for use in imports(module.text, module.name)}
    ]

    assert turned == []


def test_nothing_is_left_for_later_in_a_comment() -> None:
    assert found_in_tracked(UNFINISHED) == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert found_in_tracked(MACHINE_PATH) == []


def test_no_file_speaks_of_how_or_where_it_was_written() -> None:
    assert found_in_tracked(WORKSHOP) == []


@pytest.mark.parametrize("lock", [*ROOT.glob("*.lock"), *ROOT.glob("web/package-lock.json")], ids=lambda p: p.name)
def test_a_lock_file_names_public_registries_only(lock: Path) -> None:
    # Pages where somebody asks for money are no place to download from.
    text = re.sub(r'"url": "https://[^"]+"|"funding": "https://[^"]+"', "", lock.read_text())
    hosts = set(re.findall(r'"(?:https?|git\+ssh)://(?:[^"/@]*@)?([^"/:]+)', text))

    assert hosts - PUBLIC_REGISTRIES == set()


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (UNFINISHED, "# TO|DO: later"),
        (UNFINISHED, "x = 1  # FIX|ME"),
        (MACHINE_PATH, "see /wo|rk/main/x"),
        (MACHINE_PATH, '"/ho|me/ana/prism"'),
        (MACHINE_PATH, "cd /ro|ot/.cache"),
        (WORKSHOP, "decided in an earlier ses|sion"),
        (WORKSHOP, "pip install --index-|url https://x"),
        (WORKSHOP, "see iss|ue #12"),
    ],
)
def test_what_must_not_be_written_is_found(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line.replace("|", ""))


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, "homework/root/readme"),
        (MACHINE_PATH, 'f"{state}/work/x"'),
        (MACHINE_PATH, "GET /api/home"),
        (WORKSHOP, "boto3.session.Session(region_name=region)"),
        (WORKSHOP, '@pytest.fixture(scope="session")'),
        (WORKSHOP, "your session has expired; sign in again"),
        (UNFINISHED, "todos = []"),
    ],
)
def test_ordinary_words_are_left_alone(pattern: re.Pattern[str], line: str) -> None:
    assert not pattern.search(line)
