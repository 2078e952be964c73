"""The layers of the house, as tables and one function a rule.

Belongs here: who may import whom, what the leaf may use, and what nobody may do at import. Each rule answers with
a line a breach, `line 3: …`, so that a test can be run on a snippet as well as on a module.
Does not belong here: reading source (sources.py).
"""

import sys
from collections.abc import Iterator

from tests.architecture.sources import PRISM, UNKNOWN, Use, calls, imports, references

HOUSE = (*PRISM, "tests", "benchmarks")
EVERYTHING = PRISM
# What a package may import beside itself. A dotted name allows that module and what is below it.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "prism_core": (),
    "prism_resources": ("prism_core",),
    "prism_assets": ("prism_core", "prism_resources"),
    "prism_sensors": ("prism_core", "prism_resources", "prism_assets"),
    "prism_api": (
        "prism_core",
        "prism_resources.tables",
        "prism_resources.aws",
        "prism_resources.events",
        "prism_resources.failures",
        "prism_resources.letters",
        "prism_resources.messages",
        "prism_resources.media",
        "prism_resources.privacy",
        "prism_resources.planning",
        "prism_resources.plans",
        "prism_resources.recipients",
    ),
    "infra": EVERYTHING,
    "benchmarks": EVERYTHING,
}
# The composition root is the one module of prism_assets that knows when things run.
ALSO: dict[str, tuple[str, ...]] = {"prism_assets.definitions": ("prism_sensors",)}
# A Lambda function has 250 MB and no patience: dagster costs 1.5 s at import, pandas 0.6 s.
NEVER_IN_A_LAMBDA = ("dagster", "dagster_aws", "pandas", "pyarrow", "duckdb")
CORE_LIBRARIES = (
    "pydantic", "pydantic_core",
    "msgspec", "numpy", "pyarrow", "isal", "ortools", "highspy", "jsonschema_rs", "cryptography", "holidays",
    "markdown_it", "nh3",
)  # fmt: skip
# Parts of the standard library, and of the allowed libraries, that exist to reach outside.
CORE_NEVER = (
    "asyncio", "fcntl", "ftplib", "http", "imaplib", "mmap", "multiprocessing", "poplib", "pty", "select",
    "selectors", "shelve", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess",
    "tempfile", "urllib", "webbrowser", "xmlrpc", "pyarrow.dataset", "pyarrow.flight", "pyarrow.fs",
)  # fmt: skip
CORE_PURE_EXCEPTIONS = ("urllib.parse", "http.HTTPStatus")
READS_THE_ENVIRONMENT = ("prism_core.settings", "prism_core.clock")
# The settings of a home lie in a file beside its data; nothing else of the leaf opens one.
READS_ITS_FILE = {"prism_core.settings": "read_bytes"}
_ENVIRONMENT = ("os.environ", "os.environb", "os.getenv")
_PURE_OS = ("os.cpu_count", "os.fspath", "os.PathLike", "os.sep", "os.linesep", *_ENVIRONMENT)  # those have a rule
_FILE_METHODS = frozenset(
    {
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "open",
        "mkdir",
        "rmdir",
        "touch",
        "unlink",
        "iterdir",
    }
)
_PURE_CALLS = frozenset({"zipfile.ZipFile.open"})  # a member of an archive, which may lie in memory
_REACHES_OUT = (
    "boto3", "botocore.session", "socket", "ssl", "http.client", "urllib.request", "smtplib", "subprocess", "open",
    "requests", "httpx", "prism_resources.aws.client",
)  # fmt: skip
_DEPENDS_ON_THE_PROCESS = (
    "prism_core.settings.load_settings", "prism_core.settings.Settings", "prism_core.settings.prism_home",
    "prism_core.clock.now", "prism_core.clock.this_week",
)  # fmt: skip


def breaches(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Every breach of every rule in one module."""
    rules = (forbidden_imports(source, module, is_package=is_package), at_import(source, module))
    found = [line for rule in rules for line in rule]
    if module.startswith("prism_"):
        found += environment_reads(source, module)
    if _below(module, ("prism_core",)):
        found += input_and_output(source, module)
    return list(dict.fromkeys(found))


def forbidden_imports(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Against the direction of the layers, or a library that the package must do without."""
    package = module.partition(".")[0]
    allowed = (package, *MAY_IMPORT[package], *ALSO.get(module, ()))
    for use in imports(source, module, is_package=is_package):
        if use.name == UNKNOWN:
            if package.startswith("prism_"):
                yield f"line {use.line}: {module} imports {UNKNOWN}"
        elif use.name.split(".")[0] in HOUSE:
            if not _below(use.name, allowed):
                yield f"line {use.line}: {module} imports {use.name}"
        elif package == "prism_core":
            yield from _core_import(use, module)
        elif package == "prism_api" and _below(use.name, NEVER_IN_A_LAMBDA):
            yield f"line {use.line}: {module} imports {use.name}, which is too heavy for a Lambda function"


def _core_import(use: Use, module: str) -> Iterator[str]:
    if use.name.split(".")[0] not in sys.stdlib_module_names and not _below(use.name, CORE_LIBRARIES):
        yield f"line {use.line}: {module} imports {use.name}, which is no pure computing library"
    elif _below(use.name, CORE_NEVER) and not _below(use.name, CORE_PURE_EXCEPTIONS):
        yield f"line {use.line}: {module} imports {use.name}: prism_core does no I/O"


def environment_reads(source: str, module: str) -> Iterator[str]:
    """Everything a person can configure is one validated object; nobody else looks."""
    if module not in READS_THE_ENVIRONMENT:
        for use in references(source, module):
            if _below(use.name, _ENVIRONMENT):
                yield f"line {use.line}: {module} reads the environment; only the settings and the clock do"


def input_and_output(source: str, module: str) -> Iterator[str]:
    """The leaf computes: it opens nothing and asks the machine for nothing."""
    for use in calls(source, module):
        method = use.name.rpartition(".")[2]
        if READS_ITS_FILE.get(module) == method:
            continue
        if use.name in {"open", "input", "print", "breakpoint"} or (
            "." in use.name and method in _FILE_METHODS and use.name not in _PURE_CALLS
        ):
            yield f"line {use.line}: {module} calls {use.name}: prism_core does no I/O"
    for use in references(source, module):
        if use.name.startswith("os.") and not _below(use.name, _PURE_OS):
            yield f"line {use.line}: {module} uses {use.name}: prism_core does no I/O"


def at_import(source: str, module: str) -> Iterator[str]:
    """An import that reads the environment or reaches out makes tools, tests and cold starts depend on both."""
    for use in references(source, module, at_import=True):
        if _below(use.name, _ENVIRONMENT):
            yield f"line {use.line}: {module} reads the environment at import"
    for use in calls(source, module, at_import=True):
        if _below(use.name, _REACHES_OUT):
            yield f"line {use.line}: {module} calls {use.name} at import"
        elif _below(use.name, _DEPENDS_ON_THE_PROCESS):
            yield f"line {use.line}: {module} calls {use.name} at import; its answer belongs to a run"


def _below(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)
