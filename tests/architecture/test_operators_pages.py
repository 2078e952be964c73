"""What whoever is woken reads: every alarm has a row, and what is typed on AWS is what the templates have."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from infra.cli.app import application
from infra.deploy import TEMPLATES
from infra.lake_documents import DOCUMENT
from prism_assets.alerts.judgements import metrics_of
from prism_core.models.alerts import AlertRule
from prism_resources.alerts.ledger import Kept
from prism_resources.metrics import NAMESPACE
from tests.architecture.documents import commands
from tests.architecture.sources import ROOT
from tests.architecture.test_templates import decoded, of_type

PAGES = [ROOT / "README.md", *(one for one in sorted(ROOT.glob("docs/**/*.md")) if one != DOCUMENT)]
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What the command-line client of AWS adds to the calls of services.
OF_THE_CLIENT = {("ecr", "get-login-password"), ("cloudformation", "deploy")}
FOR_THE_CLIENT = {"query", "output", "region", "cli-input-json"}
# What a template says and a call that changes the client does not.
OF_ITS_MAKING = {"UserPoolId", "ClientName", "GenerateSecret"}


def alarms() -> set[str]:
    """Names of all alarms, without the prefix of the installation."""
    paths = [path for path in TEMPLATES.glob("*.yaml") if "AlarmName" in path.read_text(encoding="utf-8")]
    resources = [one for path in paths for one in decoded(path.stem)["Resources"].values()]
    names = [one["Properties"]["AlarmName"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    return {name["Fn::Sub"].removeprefix("${NamePrefix}-") for name in names}


def test_every_alarm_has_a_row_that_says_the_first_step_and_no_row_is_of_none() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    of_alarms = text[text.index("## An alarm of events") : text.index("## What prism doctor finds")]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\|.*\|$", of_alarms, re.M)]
    named = [(name, cells) for cells in rows for name in re.findall(r"`([a-z-]+)`", cells[0])]

    assert {name for name, _ in named} == alarms()
    assert len(named) == len(alarms()), "an alarm has two rows"
    assert [name for name, cells in named if len(cells[-1]) < 20] == []


def test_alerts_and_reports_are_drawn_and_ring() -> None:
    resources = decoded("observability")["Resources"]
    body = json.loads(resources["Health"]["Properties"]["DashboardBody"]["Fn::Sub"])
    drawn = [
        metric for one in body["widgets"] for metric in one["properties"]["metrics"] if metric[0] == NAMESPACE
    ]
    rings = [one["Properties"] for one in resources.values() if one["Properties"].get("Namespace") == NAMESPACE]
    sent = {one.name for one in metrics_of([Kept(rule, (), (), (), None) for rule in AlertRule])}

    for name in sent:
        assert {metric[-1] for metric in drawn if metric[1] == name} == set(AlertRule)
    assert ["PRISM", "ReportsMissing", "Platform", "${NamePrefix}"] in drawn
    assert {one["MetricName"] for one in rings} == {"ReportsMissing", "OpenAlerts", "EventsAccepted"}
    # One rule stands for all: they are sent together.
    (alerts,) = [one for one in rings if one["MetricName"] == "OpenAlerts"]
    assert alerts["Dimensions"][-1] == {"Name": "Rule", "Value": AlertRule.LATE_REQUEST.value}


@pytest.mark.parametrize(
    "flag", ["--allowed-o-auth-flows-user-pool-client", "--no-allowed-o-auth-flows-user-pool-client"]
)
def test_the_call_that_takes_the_right_of_token_producers_and_the_one_that_gives_it_name_every_value(
    flag: str,
) -> None:
    """`update-user-pool-client` sets what it is not told to its default."""
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    calls = [" ".join(one.split()) for one in re.findall(r"^aws cognito-idp (?:.*\\\n)*.*$", text, re.M)]
    (call,) = [one for one in calls if f" {flag} " in one]
    granted = not flag.startswith("--no-")
    client: dict[str, Any] = decoded("api")["Resources"]["ProducerClient"]["Properties"]

    for name, value in client.items():
        option = f"--{xform_name(name, '-')}"
        oauth = name in {"AllowedOAuthFlows", "AllowedOAuthScopes"}
        if name in OF_ITS_MAKING or (oauth and not granted):
            continue
        if value is True:
            assert option == flag.replace("--no-", "--")
        elif isinstance(value, dict):
            assert f"{option} {','.join(f'{k}={v}' for k, v in value.items())}" in call
        else:
            assert f"{option} {' '.join(map(str, value if isinstance(value, list) else [value]))}" in call


def test_the_image_of_dagster_is_built_for_the_processor_that_its_tasks_get_by_default() -> None:
    """The repository keeps a tag for good: one of the other processor would have to be deleted first."""
    default = decoded("dagster")["Parameters"]["Architecture"]["Default"]
    builds = [
        line
        for path in (*PAGES, ROOT / "infra" / "dagster" / "Dockerfile")
        for line in re.findall(r"docker build .*", path.read_text(encoding="utf-8"))
    ]

    assert len(builds) >= 2
    assert [one for one in builds if f"--platform linux/{default} " not in one] == []


def shown() -> list[tuple[str, str]]:
    """Each `prism …` of a block or between back-ticks, with its page."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
        lines = [line.partition("#")[0] for line in blocks.splitlines()]
        spans = [" ".join(one.split()) for one in re.findall(r"`([^`]+)`", FENCE.sub("", text))]
        found += [(page.name, one.strip()) for one in (*lines, *spans) if one.startswith("prism ")]
    return found


def test_every_option_that_a_page_shows_is_one_of_its_command() -> None:
    known = commands(typer.main.get_command(application()))
    of_a_command = [(page, line) for page, line in shown() if not line.startswith("prism --") and "…" not in line]
    wrong: list[str] = []
    for page, line in of_a_command:
        words = line.split()
        command = next((name for n in (4, 3, 2) if (name := " ".join(words[:n])) in known), "")
        options = re.findall(r"(?<=\s)--[a-z][a-z-]*", line)
        wrong += [f"{page}: {line}: {one}" for one in options if one not in (*known.get(command, ()), "--help")]

    assert of_a_command
    assert wrong == []


def test_a_deployment_to_aws_is_shown_with_what_it_is_refused_without() -> None:
    asked = [(page, line) for page, line in shown() if line.startswith("prism deploy aws ")]

    assert asked
    assert [one for one in asked if "--origin" not in one[1] and "…" not in one[1]] == []


def test_every_service_of_dagster_has_an_alarm_that_rings_when_it_runs_no_task() -> None:
    watched = {
        one["Value"]["Fn::Sub"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        for one in alarm["Properties"].get("Dimensions", [])
        if one["Name"] == "ServiceName"
    }

    assert watched == {
        one["Properties"]["ServiceName"]["Fn::Sub"] for one in of_type("AWS::ECS::Service").values()
    }


def calls_of_aws() -> Iterator[tuple[str, str, str, set[str]]]:
    """Each `aws …` of a block that is a call of the service: its page, the service, the call, its options."""
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            quoted = re.sub(r"'[^']*'|\"(?:[^\"$]|\$(?!\())*\"", "VALUE", block.replace("\\\n", " "))
            for service, call, rest in re.findall(r"(?m)(?:^ *|\$\()aws ([a-z-]+) ([a-z0-9-]+)([^|)\n]*)", quoted):
                if (service, call) not in OF_THE_CLIENT and call != "wait":
                    yield page.name, service, call, set(re.findall(r"(?<=\s--)[a-z0-9-]+", rest))


def test_what_pages_have_typed_on_aws_are_calls_and_options_that_there_are() -> None:
    known, wrong, seen = Loader(), list[str](), 0
    for page, service, call, options in calls_of_aws():
        seen += 1
        model = ServiceModel(known.load_service_model(service, "service-2"), service)
        names = {xform_name(one, "-"): one for one in model.operation_names}
        if call not in names:
            wrong.append(f"{page}: aws {service} {call}")
            continue
        told = model.operation_model(names[call]).input_shape
        assert told is not None
        members = {xform_name(one, "-"): one for one in told.members}
        asked = {one.removeprefix("no-") for one in options} - FOR_THE_CLIENT
        wrong += [f"{page}: aws {service} {call} --{one}" for one in sorted(asked - set(members))]
        needed = set() if "cli-input-json" in options else {xform_name(one, "-") for one in told.required_members}
        wrong += [f"{page}: aws {service} {call} lacks --{one}" for one in sorted(needed - asked)]

    assert seen > 20
    assert wrong == []
