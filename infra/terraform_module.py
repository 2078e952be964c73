"""infra/terraform/main.tf and variables.tf, written from the templates.

Belongs here: one stack a template, what they hand on to one another, and the command that writes the files:
`python -m infra.terraform_module`. A test fails when they say anything else. Does not belong here: resources. The
templates stay the only description of them (docs/adr/0009).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.architecture_document import read_templates
from infra.deploy import STACKS
from infra.stacks import FINGERPRINT

MODULE: Final = Path(__file__).parent / "terraform"
# On AWS these have one value, or none.
FIXED: Final = {"Environment": '"aws"'}
LOCAL_ONLY: Final = frozenset({"EndpointUrl", "FixedNow"})
# Known from others: the lake bucket is named by the data stack's own rule, code by what was uploaded.
NAMED: Final = {
    "NamePrefix": "var.name_prefix",
    "LakeBucket": "local.lake_bucket",
}
_HEAD: Final = "# Written by `python -m infra.terraform_module` from infra/templates; a test compares.\n"
_MAIN: Final = """\
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "here" {}

data "aws_region" "here" {}

locals {
  lake_bucket = "${var.name_prefix}-lake-${data.aws_caller_identity.here.account_id}-${data.aws_region.here.name}"
}
"""
_CODE_KEYS: Final = """\
variable "code_keys" {
  description = "Keys of the uploaded code, by stack; prism package builds the zips."
  type        = map(string)
}
"""
_NAME_PREFIX: Final = """\
variable "name_prefix" {
  description = "First part of every resource name."
  type        = string
  default     = "prism"
}
"""


def main_tf() -> str:
    """A stack a template, in the order of their dependence."""
    templates = read_templates()
    made: dict[str, str] = {}
    blocks: list[str] = []
    for concern in STACKS:
        blocks.append(_stack(concern, templates[concern], made))
        made |= dict.fromkeys(templates[concern].get("Outputs", {}), concern)
    return "\n".join((_HEAD, _MAIN, *blocks))


def variables_tf() -> str:
    """What the module asks for, with the templates' own descriptions and defaults."""
    found: dict[str, Mapping[str, Any]] = {}
    made: set[str] = set()
    templates = read_templates()
    for concern in STACKS:
        template = templates[concern]
        for name, one in template.get("Parameters", {}).items():
            if _is_asked(name, made):
                found.setdefault(name, one)
        made |= set(template.get("Outputs", {}))
    blocks = [_variable(name, one) for name, one in sorted(found.items())]
    return "\n".join((_HEAD, _CODE_KEYS, _NAME_PREFIX, *blocks))


def outputs_tf() -> str:
    """What the stacks made."""
    templates = read_templates()
    blocks = [
        f'output "{_snake(concern)}" {{\n  description = "Outputs of the stack {concern}."\n'
        f"  value       = aws_cloudformation_stack.{_snake(concern)}.outputs\n}}\n"
        for concern in STACKS
        if templates[concern].get("Outputs")
    ]
    return "\n".join((_HEAD, *blocks))


def files() -> dict[str, str]:
    """The text of each file by its name."""
    return {"main.tf": main_tf(), "variables.tf": variables_tf(), "outputs.tf": outputs_tf()}


def _is_asked(name: str, made: set[str]) -> bool:
    return name not in {*FIXED, *LOCAL_ONLY, *NAMED, "CodeKey", FINGERPRINT} and name not in made


def _stack(concern: str, template: Mapping[str, Any], made: Mapping[str, str]) -> str:
    values = dict(_values(concern, template, made))
    if FINGERPRINT in template.get("Parameters", {}):
        values[FINGERPRINT] = _fingerprint(concern, values.values())
    width = max(map(len, values), default=0)
    parameters = "\n".join(f"    {name.ljust(width)} = {value}" for name, value in values.items())
    lines = [
        f'resource "aws_cloudformation_stack" "{_snake(concern)}" {{',
        f'  name          = "${{var.name_prefix}}-{concern}"',
        f'  template_body = file("${{path.module}}/../templates/{concern}.yaml")',
        '  capabilities  = ["CAPABILITY_NAMED_IAM"]',
        "",
        "  parameters = {",
        parameters,
        "  }",
        "",
        "  lifecycle {",
        "    prevent_destroy = true",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _values(concern: str, template: Mapping[str, Any], made: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in template.get("Parameters", {}):
        if name in {*LOCAL_ONLY, FINGERPRINT}:
            continue
        if name == "CodeKey":
            yield name, f'var.code_keys["{concern}"]'
        elif name in made:
            yield name, f"aws_cloudformation_stack.{_snake(made[name])}.outputs.{name}"
        else:
            yield name, FIXED.get(name) or NAMED.get(name) or f"var.{_snake(name)}"


def _fingerprint(concern: str, values: Iterable[str]) -> str:
    """What `prism deploy` tells the stack, made by Terraform: another value of any parameter is another one."""
    return f'sha256(join("|", [file("${{path.module}}/../templates/{concern}.yaml"), {", ".join(values)}]))'


def _variable(name: str, parameter: Mapping[str, Any]) -> str:
    said = " ".join(str(parameter.get("Description", name)).split())
    lines = [f'variable "{_snake(name)}" {{', f"  description = {_text(said)}", "  type        = string"]
    if "Default" in parameter:
        lines.append(f"  default     = {_text(str(parameter['Default']))}")
    return "\n".join([*lines, "}"]) + "\n"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${") + '"'


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()


if __name__ == "__main__":
    MODULE.mkdir(exist_ok=True)
    for name, text in files().items():
        (MODULE / name).write_text(text, encoding="utf-8")
