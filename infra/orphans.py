"""What a deleted stack has left that its next one would not find: the key of persons, accounts, queues.

Belongs here: finding them, and taking them into a stack of their own again, which the deployment then completes.
Their ids are given by AWS, so that CloudFormation does not find them by a name, as it does tables and buckets
(declared.py): it would make another key, which opens no value of any person, and a pool without accounts. On AWS
alone: what a local platform lost of its stacks, it lost of these, too. Does not belong here: the deployment
(deploy.py).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.declared import holds, name_of, named_by, resources
from infra.deploy_failures import LeftBehind
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.credentials import DENIED
from prism_resources.failures import calling, error_code

WHERE: Final = "docs/deploy.md#stacks-that-were-deleted"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A resource by its place in a template, and what AWS calls it."""

    concern: str
    logical: str
    type: str
    found: str

    def to_import(self) -> dict[str, Any]:
        """As CloudFormation asks for it."""
        return {
            "ResourceType": self.type,
            "LogicalResourceId": self.logical,
            "ResourceIdentifier": {_KINDS[self.type][0]: self.found},
        }


def orphans(settings: Settings, concern: str, body: str, values: Mapping[str, str]) -> list[Orphan]:
    """What is there of the template of a stack that is not, and would be made with these parameters.

    Raises LeftBehind for what is there twice, or without what it names.
    """
    found: list[Orphan] = []
    for logical, resource in resources(body).items():
        if resource["Type"] not in _KINDS:
            continue
        if "Condition" in resource and not holds(body, resource["Condition"], values):
            continue
        there = _KINDS[resource["Type"]][1](settings, resource["Properties"])
        if len(there) > 1:
            raise LeftBehind(
                f"{logical} of the stack {concern} is there several times, left by deleted stacks: "
                f"{', '.join(there)}; nothing was changed. Find out which is in use, and disable the other keys "
                f"or delete the other pools: {WHERE}"
            )
        found += [Orphan(concern, logical, resource["Type"], one) for one in there]
    for one in found:
        if lacking := named_by(body, one.logical) - {other.logical for other in found}:
            raise LeftBehind(
                f"deleted stacks have left {one.logical} ({one.found}) of the stack {concern} and not "
                f"{', '.join(sorted(lacking))}, without which nothing takes it in; nothing was changed. Delete it "
                f"(a queue by `aws sqs delete-queue --queue-url`) once nothing in it is needed: {WHERE}"
            )
    return found


def refuse_orphans(found: Iterable[Orphan]) -> None:
    """Raises LeftBehind that names all of them."""
    named = [f"{one.logical} ({one.type.rpartition(':')[2]} {one.found})" for one in found]
    if named:
        raise LeftBehind(
            f"deleted stacks have left {', '.join(named)}, and a deployment would make others beside them: "
            "personal values that the key has sealed could not be opened, and nobody could sign in; nothing was "
            "changed. "
            f"Say --take-in to have them in their stacks again, or delete them if all of it may be lost: {WHERE}"
        )


def _keys(settings: Settings, properties: Mapping[str, Any]) -> list[str]:
    """Keys have no name, so by the description."""
    kms, meant, found = client(settings, "kms"), name_of(settings, properties["Description"]), list[str]()
    with calling("the keys of the account", "look at"):
        for page in kms.get_paginator("list_keys").paginate():
            for one in page["Keys"]:
                try:
                    about = kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"]
                except ClientError as error:
                    if error_code(error) in DENIED:  # the key of others, whose policy keeps it to them
                        continue
                    raise
                if about["KeyState"] == "Enabled" and about.get("Description") == meant:
                    found.append(one["KeyId"])
    return found


def _pools(settings: Settings, properties: Mapping[str, Any]) -> list[str]:
    name, cognito = name_of(settings, properties["UserPoolName"]), client(settings, "cognito-idp")
    with calling(f"user pool {name}", "look for"):
        pages = cognito.get_paginator("list_user_pools").paginate(MaxResults=60)
        return [one["Id"] for page in pages for one in page["UserPools"] if one["Name"] == name]


def _queues(settings: Settings, properties: Mapping[str, Any]) -> list[str]:
    name = name_of(settings, properties["QueueName"])
    with calling(f"queue {name}", "look for"):
        try:
            return [client(settings, "sqs").get_queue_url(QueueName=name)["QueueUrl"]]
        except ClientError as error:
            if error_code(error) in _NO_QUEUE:
                return []
            raise


_NO_QUEUE: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
# What holds data and is known by an id that AWS gives: what the id is called, and how it is found.
_KINDS: Final[Mapping[str, tuple[str, Callable[[Settings, Mapping[str, Any]], list[str]]]]] = {
    "AWS::KMS::Key": ("KeyId", _keys),
    "AWS::Cognito::UserPool": ("UserPoolId", _pools),
    "AWS::SQS::Queue": ("QueueUrl", _queues),
}
