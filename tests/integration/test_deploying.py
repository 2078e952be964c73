"""`prism deploy` from nothing, over what is deployed, and with what cannot work.

Why real: what becomes of a stack that fails half-way, and of the data in it, is decided by CloudFormation.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra import deploy as deploying
from infra.addresses import api_url, told_url
from infra.declared import part_of, with_names
from infra.deploy import deploy, deployed_arch, left_behind, plan, stack_name, stack_of, template
from infra.deploy_failures import (
    DataLeftBehind,
    DeployRunning,
    KeysChanged,
    LeftBehind,
    NewerDeployment,
    SettingsUnsaid,
    StackFailed,
    WrongPlace,
)
from infra.deploy_lock import HOLDS, lock_name, note_deployed, only_deployment, record_name
from infra.local.platform import Platform, attached
from infra.packaging.libraries import Arch
from infra.place import refuse_wrong_place
from infra.smoke import STEPS, smoke_test
from infra.smoke_asking import SmokeFailed
from infra.smoke_outside import await_steady
from infra.stacks import Stack
from prism_core import clock
from prism_core.calendar import Week
from prism_core.clock import NOW_VARIABLE
from prism_core.settings import Environment, Settings
from prism_resources.aws import LOCAL_KEY, client
from tests.aws_credentials import only_credentials
from tests.integration.fresh import own_variables
from tests.integration.helpers import prism

WEEK = Week.parse("2018-W40")
MISSING = """
  Broken:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: there-is-none, Qualifier: $LATEST, MaximumRetryAttempts: 1}
"""
NOBODY = 2**22 + 1  # no process has this number
TOPIC = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A home that the command deployed from nothing, and what it said."""
    home = tmp_path_factory.mktemp("deploying") / "home"
    done = prism(home, "deploy", "local", "--from-scratch", "--json")
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


@pytest.fixture(scope="module", name="platform")
def started(first: tuple[Path, dict[str, Any]]) -> Iterator[Platform]:
    with own_variables() as patch:
        patch.setenv("PRISM_HOME", str(first[0]))
        patch.setenv("PRISM_FIRST_WEEK", "2018-W33")
        with attached(print) as running:
            put(running, "kept")
            yield running


@contextmanager
def as_on_aws(platform: Platform, directory: Path, prefix: str = "prism") -> Iterator[Settings]:
    """The settings of somebody who operates AWS, whose calls the embedded one answers."""
    url = str(platform.settings.aws_endpoint_url)
    aws = {"AWS_ACCESS_KEY_ID": LOCAL_KEY, "AWS_SECRET_ACCESS_KEY": LOCAL_KEY, "AWS_ENDPOINT_URL": url}
    on_aws: dict[str, Any] = {"environment": Environment.AWS, "aws_endpoint_url": None, "name_prefix": prefix}
    with only_credentials(directory, **aws):
        yield platform.settings.model_copy(update=on_aws)


def make(settings: Settings, concern: str, body: str, **values: str) -> Any:
    stack = stack_of(settings, concern)
    change = stack.propose(body, values)
    assert change is not None
    stack.apply(change)
    return change


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The templates of another version, to be changed."""
    folder = tmp_path / "templates"
    shutil.copytree(deploying.TEMPLATES, folder)
    monkeypatch.setattr(deploying, "TEMPLATES", folder)
    return folder


def edit(folder: Path, concern: str, old: str, new: str) -> None:
    text = (folder / f"{concern}.yaml").read_text()
    assert old in text
    (folder / f"{concern}.yaml").write_text(text.replace(old, new, 1))


def add(folder: Path, concern: str, resource: str) -> None:
    edit(folder, concern, "\nResources:\n", f"\nResources:{resource}")


def claim(settings: Settings, held: dict[str, Any]) -> None:
    client(settings, "ssm").put_parameter(
        Name=lock_name(settings), Value=json.dumps(held), Type="String", Overwrite=True
    )


def put(platform: Platform, bug: str) -> None:
    item = {"bug_id": {"S": bug}}
    client(platform.settings, "dynamodb").put_item(TableName=platform.settings.table_name("bugs"), Item=item)


def bugs(platform: Platform) -> list[str]:
    dynamodb: Any = client(platform.settings, "dynamodb")
    found = dynamodb.scan(TableName=platform.settings.table_name("bugs"))["Items"]
    return sorted(str(one["bug_id"]["S"]) for one in found)


def description(platform: Platform) -> str:
    """Of the function of the API, as it is deployed."""
    name = f"{platform.settings.name_prefix}-api"
    return client(platform.settings, "lambda").get_function_configuration(FunctionName=name)["Description"]


def ready(platform: Platform) -> int | None:
    """The version of the function of the API that its alias names; None when there is no alias."""
    functions = client(platform.settings, "lambda")
    name = f"{platform.settings.name_prefix}-api"
    versions = [one["FunctionVersion"] for one in functions.list_aliases(FunctionName=name)["Aliases"]]
    return int(versions[0]) if versions else None


def keys(platform: Platform) -> Any:
    table = platform.settings.table_name("bugs")
    dynamodb: Any = client(platform.settings, "dynamodb")
    return dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]


@pytest.mark.slow
def test_from_nothing_every_stack_is_made_and_the_smoke_test_passes(first: tuple[Path, dict[str, Any]]) -> None:
    assert {one["action"] for one in first[1]["stacks"]} == {"created"}
    smoke = first[1]["smoke"]
    assert {"doors: the API answers who has one", "events: an event was taken and is stored"} <= set(smoke)
    assert {one.partition(":")[0] for one in smoke} == {*STEPS, "screens"}
    # What there is not here is said, and not passed over.
    lacking = ("way around", "dagster", "screens")
    assert [one.partition(":")[0] for one in smoke if ": skipped: " in one] == [*lacking]


@pytest.mark.slow
def test_an_upgrade_is_shown_first_changes_what_it_says_keeps_the_data_and_passes_the_smoke_test(
    platform: Platform, templates: Path
) -> None:
    edit(templates, "api", "Every route below /api.", "The routes of the next version.")
    add(
        templates,
        "data",
        """
  NextTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      TableName: !Sub "${NamePrefix}-next"
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: next_id, AttributeType: S}]
      KeySchema: [{AttributeName: next_id, KeyType: HASH}]
""",
    )

    asked = {"Readiness": "provisioned", "ReadyCopies": "1"}
    planned = {one.stack: one for one in plan(platform.settings, WEEK, print, asked=asked)}
    before = description(platform)
    assert ready(platform) is None
    done = {
        one.stack: one
        for one in deploy(platform.settings, WEEK, print, asked=asked, prove=lambda: _proved(platform))
    }

    assert [(c.action, c.resource) for c in planned["prism-data"].changes] == [("Add", "NextTable")]
    assert (planned["prism-mail"].action, done["prism-mail"].action) == ("unchanged", "unchanged")
    assert done["prism-api"].changes == planned["prism-api"].changes
    # What was asked for beside is a version of the function, and the gateway calls that one.
    assert ready(platform) == 1
    assert (before, description(platform)) == ("Every route below /api.", "The routes of the next version.")
    assert bugs(platform) == ["kept"]
    # What was asked for once stays, and is nothing new.
    assert {one.action for one in plan(platform.settings, WEEK, print)} == {"unchanged"}


def _fault() -> None:
    """What nobody has foreseen."""
    raise ZeroDivisionError


def _proved(platform: Platform) -> None:
    assert smoke_test(platform.settings, print)


@pytest.mark.slow
def test_an_older_version_does_not_let_go_of_a_table_that_it_does_not_know(platform: Platform) -> None:
    with pytest.raises(DataLeftBehind, match=r"prism-data holds prism-next \(Table\)"):
        deploy(platform.settings, WEEK, print)


@pytest.fixture
def known(platform: Platform, templates: Path) -> Path:
    """The templates that are deployed now, to be broken."""
    for concern in ("data", "api"):
        before = Stack(platform.settings, stack_name(platform.settings, concern)).before()
        assert before is not None
        (templates / f"{concern}.yaml").write_text(before.body)
    return templates


@pytest.mark.slow
def test_fewer_partitions_of_the_change_log_than_are_deployed_are_refused(platform: Platform, known: Path) -> None:
    del known
    fewer = platform.settings.model_copy(update={"changelog_shards": 3})

    with pytest.raises(DataLeftBehind, match="changelog_shards is 3, and 4 are deployed"):
        plan(fewer, WEEK, print)


@pytest.mark.slow
def test_on_aws_what_nobody_says_is_not_put_back_to_its_default(
    platform: Platform, known: Path, tmp_path: Path
) -> None:
    del known
    with (
        as_on_aws(platform, tmp_path) as settings,
        pytest.raises(
            SettingsUnsaid, match=r"would become its default:\nPRISM_MAIL_SENDER=prism@prism\.localhost\n"
        ),
    ):
        plan(settings, WEEK, print, origins=["https://prism.example.com"])


@pytest.mark.slow
def test_what_deleted_stacks_have_left_is_refused_and_taken_in_again_with_all_that_is_in_it(
    platform: Platform, tmp_path: Path
) -> None:
    """By two templates that are parts of ours: the embedded AWS does not run all that AWS gets."""
    key, users = "PersonalDataKey", "Users"
    with as_on_aws(platform, tmp_path, "gone") as settings:
        data = with_names(settings, part_of(template("data"), [key, "BugsTable"]))
        dynamodb: Any = client(settings, "dynamodb")
        values = {"Environment": "aws", "NamePrefix": "gone", "Mfa": "OFF"}
        make(settings, "data", data, **values)
        make(settings, "api", part_of(template("api"), [users]), **values)
        make(settings, "events", part_of(template("events"), ["Queue", "DeadQueue"]), **values)
        dynamodb.put_item(TableName="gone-bugs", Item={"bug_id": {"S": "kept"}})
        before = {one: physical(settings, one) for one in ("data", "api", "events")}
        assert left_behind(settings, values) == []
        for one in before:
            client(settings, "cloudformation").delete_stack(StackName=f"gone-{one}")
            stack_of(settings, one)._await(gone=True)

        # A stack whose making was taken back is there, and has nothing of it.
        with pytest.raises(StackFailed, match="Broken"):
            make(settings, "api", TOPIC + MISSING)
        assert stack_of(settings, "api").status() == "ROLLBACK_COMPLETE"
        left = left_behind(settings, values)
        with pytest.raises(LeftBehind, match=r"PersonalDataKey \(Key .*, Users \(UserPool .*, Queue \(Queue "):
            plan(settings, WEEK, print, origins=["https://prism.example.com"])
        deploying._take_in(settings, left, values, print)
        taken = make(settings, "data", data, **values)

        # The key gets the tags of its stack, which an import does not give.
        assert {one.resource: one.action for one in taken.changes} == {
            "BugsTable": "Import",
            "PersonalDataKey": "Modify",
        }
        assert {one: physical(settings, one) for one in before} == before
        assert [one["bug_id"]["S"] for one in dynamodb.scan(TableName="gone-bugs")["Items"]] == ["kept"]
        assert left_behind(settings, values) == []
        # A queue without the one that it names can be in no stack.
        client(settings, "cloudformation").delete_stack(StackName="gone-events")
        stack_of(settings, "events")._await(gone=True)
        client(settings, "sqs").delete_queue(QueueUrl=before["events"]["DeadQueue"])
        with pytest.raises(
            LeftBehind, match=r"left Queue \(.*gone-events\) of the stack events and not DeadQueue"
        ):
            left_behind(settings, values)


def physical(settings: Settings, concern: str) -> dict[str, str]:
    """What the resources of a stack are called by AWS."""
    stack = f"{settings.name_prefix}-{concern}"
    found = client(settings, "cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found}


@pytest.mark.slow
def test_on_aws_the_smoke_test_asks_the_name_that_needs_no_record_and_an_unsaid_processor_stays(
    platform: Platform, tmp_path: Path
) -> None:
    asked = TOPIC.replace("Resources:", "Parameters:\n  Architecture: {Type: String}\nResources:")
    older = "Outputs:\n  ScreensUrl: {Value: https://own.example}\n"
    with as_on_aws(platform, tmp_path, "own") as settings:
        assert deployed_arch(settings) is Arch.ARM64
        make(settings, "api", asked, Architecture="x86_64")
        make(settings, "web", TOPIC + older)
        assert api_url(settings) == "https://own.example"
        newer = TOPIC.replace("  Topic", "  Another")
        make(settings, "web", f"{newer}{older}  DistributionDomain: {{Value: d1.example}}\n")

        assert (api_url(settings), told_url(settings)) == ("https://d1.example", "https://own.example")
        assert deployed_arch(settings) is Arch.X86_64


@pytest.mark.slow
def test_another_key_of_a_table_is_refused_by_us_and_by_cloudformation_and_the_data_are_kept(
    platform: Platform, known: Path
) -> None:
    before = keys(platform)
    text = (known / "data.yaml").read_text()
    (known / "data.yaml").write_text(text.replace("AttributeName: bug_id", "AttributeName: number"))

    with pytest.raises(KeysChanged, match=r"prism-bugs has the key bug_id \(S\), and this version wants number"):
        deploy(platform.settings, WEEK, print)
    stack = Stack(platform.settings, stack_name(platform.settings, "data"))
    values = deploying.parameters(platform.settings, WEEK, [], deploying.Arch.ARM64)
    change = stack.propose(template("data"), values)
    assert change is not None
    with pytest.raises(StackFailed, match="BugsTable"):
        stack.apply(change)

    assert (keys(platform), bugs(platform)) == (before, ["kept"])


@pytest.mark.slow
def test_what_fails_in_a_later_stack_takes_back_the_stacks_before_it_and_the_next_deployment_goes_on(
    platform: Platform, known: Path
) -> None:
    edit(known, "api", "The routes of the next version.", "The routes of a version that fails.")
    whole = (known / "events.yaml").read_text()
    add(known, "events", MISSING)
    told: list[str] = []

    with pytest.raises(StackFailed, match=r"prism-events: Broken: .*the stack is as it was") as failure:
        deploy(platform.settings, WEEK, told.append)

    assert failure.value.stack == "prism-events"
    assert "taking back stack prism-api" in told
    assert (description(platform), bugs(platform)) == ("The routes of the next version.", ["kept"])
    (known / "events.yaml").write_text(whole)
    done = deploy(platform.settings, WEEK, print)
    assert {one.stack for one in done if one.action == "updated"} == {"prism-api"}
    # Each of the two changes was published, and what was taken back is not what answers.
    now = ready(platform)
    assert now is not None
    assert now > 2


@pytest.mark.slow
def test_what_does_not_pass_the_smoke_test_is_taken_back(platform: Platform, known: Path) -> None:
    before = description(platform)
    edit(known, "api", "Handler: prism_api.api.handler.handler", "Handler: prism_api.api.handler.gone")
    edit(known, "api", before, "The routes of a version without its handler.")

    with pytest.raises(SmokeFailed, match="prism-api answers"):
        deploy(platform.settings, WEEK, print, prove=lambda: _proved(platform))

    assert description(platform) == before
    with pytest.raises(ZeroDivisionError):
        deploy(platform.settings, WEEK, print, prove=_fault)
    assert description(platform) == before
    _proved(platform)


@pytest.mark.slow
def test_a_second_deployment_at_the_same_time_is_refused_and_one_that_was_killed_holds_up_nobody_here(
    platform: Platform, known: Path, tmp_path: Path
) -> None:
    del known
    settings = platform.settings
    with (
        only_deployment(settings),
        pytest.raises(DeployRunning, match=f"process {os.getpid()} of .* deploys here"),
    ):
        deploy(settings, WEEK, print)
    with only_deployment(settings):
        held = json.loads(client(settings, "ssm").get_parameter(Name=lock_name(settings))["Parameter"]["Value"])
    claim(settings, held | {"process": NOBODY})

    with only_deployment(settings) as renew:
        renew()
    claim(settings, held | {"process": NOBODY})  # of another machine, perhaps, on which it lives
    with (
        as_on_aws(platform, tmp_path) as on_aws,
        pytest.raises(DeployRunning, match="deploys here since"),
        only_deployment(on_aws),
    ):
        pass


@pytest.mark.slow
def test_of_many_that_find_a_claim_over_one_deploys_and_keeps_it(platform: Platform) -> None:
    settings = platform.settings.model_copy(update={"name_prefix": "many"})
    name, ssm = lock_name(settings), client(settings, "ssm")
    with only_deployment(settings):
        held = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    claim(settings, held | {"process": NOBODY})
    before = ssm.get_parameter(Name=name)["Parameter"]["Version"]
    together, refused, begun = threading.Barrier(8), threading.Semaphore(0), list[bool]()
    claims: list[list[str]] = []

    def deploys() -> None:
        together.wait(60)
        try:
            with only_deployment(settings) as renew:
                begun.append(all(refused.acquire(timeout=60) for _ in range(7)))
                told = [ssm.get_parameter(Name=one)["Parameter"] for one in (name, f"{name}:{before + 1}")]
                claims.append([json.loads(one["Value"])["token"] for one in told])
                renew()  # whatever the others wrote
        except DeployRunning:
            refused.release()

    with ThreadPoolExecutor(8) as pool:
        assert [one.result() for one in [pool.submit(deploys) for _ in range(8)]] == [None] * 8

    assert begun == [True]
    assert claims[0][0] == claims[0][1]  # of the first, whatever the others wrote
    with only_deployment(settings):
        pass


@pytest.mark.slow
def test_a_deployment_that_took_too_long_leaves_the_claim_of_another_alone(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = platform.settings.model_copy(update={"name_prefix": "long"})
    with only_deployment(settings) as renew:
        monkeypatch.setenv(NOW_VARIABLE, (clock.now() + 2 * HOLDS).isoformat())
        with only_deployment(settings) as of_another:
            with pytest.raises(DeployRunning, match="took longer than it may"):
                renew()
            of_another()
    with only_deployment(settings):
        pass


@pytest.mark.slow
def test_a_service_of_dagster_that_is_not_there_or_runs_nothing_fails_the_smoke_test(platform: Platform) -> None:
    ecs, cluster = client(platform.settings, "ecs"), "prism-dagster"
    ecs.create_cluster(clusterName=cluster)

    with pytest.raises(SmokeFailed, match="service prism-dagster-code is not steady after 0 s: there is none"):
        await_steady(platform.settings, 0)
    ecs.register_task_definition(family="task", containerDefinitions=[{"name": "one", "image": "one:1"}])
    for one in ("code", "web", "daemon"):
        ecs.create_service(cluster=cluster, serviceName=f"{cluster}-{one}", taskDefinition="task", desiredCount=0)

    # Nobody said that it should run anything: what answers nothing is not steady.
    with pytest.raises(SmokeFailed, match="0 of 0 tasks run"):
        await_steady(platform.settings, 0)


@pytest.mark.slow
def test_an_older_client_is_refused_by_its_version(platform: Platform, known: Path) -> None:
    del known
    newer = json.dumps({"version": "99.0.1", "at": "2026-01-01T00:00:00+00:00"})
    client(platform.settings, "ssm").put_parameter(
        Name=record_name(platform.settings), Value=newer, Type="String", Overwrite=True
    )

    with pytest.raises(NewerDeployment, match=r"version 99\.0\.1 deployed here"):
        plan(platform.settings, WEEK, print)

    note_deployed(platform.settings)


@pytest.mark.slow
def test_a_stack_whose_making_failed_is_made_anew(platform: Platform) -> None:
    stack = Stack(platform.settings, "prism-half")
    change = stack.propose(TOPIC + MISSING, {})
    assert change is not None
    with pytest.raises(StackFailed, match="Broken"):
        stack.apply(change)

    said = stack.make_ready()
    again = stack.propose(TOPIC, {})
    assert again is not None
    stack.apply(again)

    assert said is not None
    assert "made anew" in said
    assert stack.status() == "CREATE_COMPLETE"


@pytest.mark.slow
def test_credentials_of_another_account_are_refused_by_its_number(platform: Platform) -> None:
    other = platform.settings.model_copy(update={"account_id": "111111111111"})

    with pytest.raises(WrongPlace, match=r"are of account 000000000000 .* PRISM_ACCOUNT_ID is 111111111111"):
        refuse_wrong_place(other)
