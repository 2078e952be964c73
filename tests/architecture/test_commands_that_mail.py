"""A command that may mail runs the mail sink: the embedded AWS relays a mail once and answers as if it arrived."""

from collections.abc import Sequence
from dataclasses import replace

from tests.architecture.sources import Module, imports, modules

MAILER = "prism_resources.mail"


def reached(name: str, used: dict[str, set[str]]) -> set[str]:
    """Every module of the house that a module imports, at its head or within a function, and what those import."""
    found, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += used.get(one, ())
    return found


def mailing_without_a_sink(code: Sequence[Module]) -> list[str]:
    known = {module.name for module in code}
    used = {
        module.name: {
            part for use in imports(module.text, module.name) for part in (use.name, use.name.rpartition(".")[0])
        }
        & known
        for module in code
    }
    commands = [module for module in code if module.name.startswith("infra.cli.") and "attached(" in module.text]
    return [
        module.name for module in commands if MAILER in reached(module.name, used) and "beside=" not in module.text
    ]


CODE = modules("prism_core", "prism_resources", "prism_assets", "prism_sensors", "infra")


def test_every_command_that_may_mail_runs_the_sink() -> None:
    assert mailing_without_a_sink(CODE) == []


def test_a_command_that_forgets_the_sink_is_caught() -> None:
    forgotten = [replace(module, text=module.text.replace("beside=", "other=")) for module in CODE]

    assert "infra.cli.publishing" in mailing_without_a_sink(forgotten)
