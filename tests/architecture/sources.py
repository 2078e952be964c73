"""Reading the repository's own source, without running it.

Belongs here: which modules there are, what each imports, which names it uses and which of them at import;
the texts under version control; and a fresh process to try things in.
Does not belong here: any rule about them.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRISM = ("prism_core", "prism_resources", "prism_assets", "prism_sensors", "prism_api", "infra")
_DYNAMIC = frozenset({"importlib.import_module", "__import__"})
UNKNOWN = "a module whose name is computed"


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its dotted name, and its text."""

    name: str
    path: Path
    text: str

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def shown(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


@dataclass(frozen=True, slots=True)
class Use:
    """A dotted name at a line: an import, a call, a reference."""

    line: int
    name: str


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """All modules of these top-level folders, `__init__` files included."""
    files = [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]
    return tuple(Module(_name(file), file, file.read_text()) for file in files)


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, is_package: bool = False) -> list[Use]:
    """Everything a module imports, at its head, in functions, for type checkers, or by `import_module`.

    `from a import b` counts as `a.b`; relative imports are resolved.
    """
    tree = ast.parse(source)
    found: list[Use] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Use(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module, is_package=is_package)
            found += [Use(node.lineno, f"{base}.{alias.name}".removesuffix(".*")) for alias in node.names]
    names = _aliases(tree, module, is_package=is_package)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _dotted(call.func, names) in _DYNAMIC:
            named = [a.value for a in call.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found.append(Use(call.lineno, named[0] if named else UNKNOWN))
    return sorted(found, key=lambda use: (use.line, use.name))


def calls(source: str, module: str, *, at_import: bool = False) -> list[Use]:
    """The dotted names of everything that is called; a method of an unknown object is `?.method`."""
    tree = ast.parse(source)
    names = _aliases(tree, module)
    nodes = _run_at_import(tree) if at_import else ast.walk(tree)
    return [Use(node.lineno, _dotted(node.func, names)) for node in nodes if isinstance(node, ast.Call)]


def references(source: str, module: str, *, at_import: bool = False) -> list[Use]:
    """The dotted names of everything that is mentioned."""
    tree = ast.parse(source)
    names = _aliases(tree, module)
    nodes = _run_at_import(tree) if at_import else ast.walk(tree)
    return [Use(n.lineno, _dotted(n, names)) for n in nodes if isinstance(n, ast.Attribute | ast.Name)]


@cache
def tracked() -> dict[str, str]:
    """The text files under version control as they lie here, lock files left out, by path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607
    texts: dict[str, str] = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix == ".lock" or path.name == "package-lock.json" or not path.is_file():
            continue
        body = path.read_bytes()
        if b"\0" not in body:
            texts[name] = body.decode()
    return texts


def run_fresh(script: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter that has imported nothing and knows of no platform."""
    return run([sys.executable, "-c", script, *arguments], home)


def run(command: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program from the root of the repository; of PRISM and Dagster it knows the (empty) home alone."""
    dagster_home = home / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("PRISM_", "DAGSTER_", "AWS_"))}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=kept | {"PRISM_HOME": str(home), "DAGSTER_HOME": str(dagster_home), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=280,  # before pytest ends the test at 300
        check=False,
    )


def _base(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    above = parts[: len(parts) - node.level + is_package]
    return ".".join([*above, *([node.module] if node.module else [])])


def _aliases(tree: ast.AST, module: str, *, is_package: bool = False) -> dict[str, str]:
    """What the names of a module's imports stand for."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {
                a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module, is_package=is_package)
            known |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    return known


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return "?"


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything but bodies of functions, of `if TYPE_CHECKING` and of `if __name__ == "__main__"`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [default for default in child.args.kw_defaults if default is not None]
            for part in (*child.decorator_list, *child.args.defaults, *defaults):
                yield part
                yield from _run_at_import(part)
        elif isinstance(child, ast.Lambda) or (isinstance(child, ast.If) and _never_at_import(child.test)):
            continue
        else:
            yield child
            yield from _run_at_import(child)


def _never_at_import(test: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) and n.id in {"TYPE_CHECKING", "__name__"} for n in ast.walk(test))
