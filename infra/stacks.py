"""One stack of CloudFormation, from the change that is asked for to its end.

Belongs here: change sets, waiting, what a status means, and the state that a stack can go back to. Does not belong
here: which stacks there are, their order and their parameters (deploy.py).
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from infra.deploy_failures import DeployRunning, HalfFailed, QuotaReached, StackFailed
from prism_core.failures import TransientFailure
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling, error_code

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

# A parameter that is told what all others and the template are: AWS publishes a function anew when it is told so.
FINGERPRINT: Final = "Fingerprint"
# A database or a distribution takes AWS a quarter of an hour.
WAIT_SECONDS: Final = 3_600
_REASON_CHARACTERS: Final = 1_000
_NEVER_MADE: Final = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
SOUND: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_IMPORT_TAKEN_BACK: Final = "IMPORT_ROLLBACK_COMPLETE"
_STUCK: Final = "UPDATE_ROLLBACK_FAILED"
REVIEWED: Final = "REVIEW_IN_PROGRESS"
_NOTHING: Final = re.compile(r"didn't contain changes|No updates are to be performed", re.IGNORECASE)
_QUOTA: Final = re.compile(
    r"LimitExceeded|TooMany|quota|(limit|maximum)\b.*\b(exceeded|reached)|exceed\w*\b.*\b(limit|maximum)", re.I
)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource: `action` is Add, Modify, Remove or Import."""

    action: str
    resource: str
    type: str
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """What a stack was deployed from; `parameters` as CloudFormation takes them back."""

    body: str
    parameters: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change that CloudFormation has looked at and not made yet."""

    name: str
    creates: bool
    changes: tuple[Change, ...] = field(default=())


class Stack:
    """A stack by its name, whether it is there or not; parameters that it `keeps` stay when nobody names them.

    Raises PermanentFailure of a call that AWS refuses.
    """

    def __init__(self, settings: Settings, name: str, *, keeps: Sequence[str] = ()) -> None:
        self._settings, self.name, self._keeps = settings, name, keeps
        self._cloudformation: CloudFormationClient = client(settings, "cloudformation")

    def described(self) -> dict[str, Any] | None:
        """None when there is no such stack."""
        with calling(f"stack {self.name}", "look at"):
            try:
                found: Any = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"]
            except ClientError as error:
                if "does not exist" in str(error):
                    return None
                raise
        return found[0]

    def status(self) -> str | None:
        found = self.described()
        return None if found is None else str(found["StackStatus"])

    def before(self) -> Before | None:
        """What it is now; None of a stack that was never made."""
        found = self.described()
        if found is None or found["StackStatus"] == REVIEWED or self._was_never_made(found["StackStatus"]):
            return None
        with calling(f"stack {self.name}", "read the template of"):
            body: Any = self._cloudformation.get_template(StackName=self.name, TemplateStage="Original")
        kept = [
            {"ParameterKey": one["ParameterKey"], "ParameterValue": one.get("ParameterValue", "")}
            for one in found.get("Parameters", [])
        ]
        return Before(str(body["TemplateBody"]), kept)

    def refuse_if_busy(self) -> None:
        """Raises DeployRunning while somebody else changes it."""
        status = self.status() or ""
        if status.endswith("_IN_PROGRESS") and status != REVIEWED:
            raise DeployRunning(
                f"stack {self.name} is being changed ({status}); wait for its end and deploy again. "
                "`aws cloudformation cancel-update-stack` ends an update that somebody has left alone"
            )

    def make_ready(self) -> str | None:
        """Mend what an earlier deployment has left half done; answers what was done, for a person.

        Raises HalfFailed when CloudFormation cannot.
        """
        self.refuse_if_busy()
        status = self.status()
        if status is not None and self._was_never_made(status):
            # Its making was taken back, and nothing is in it: it holds its name and no more.
            with calling(f"stack {self.name}", "remove"):
                self._cloudformation.delete_stack(StackName=self.name)
            self._await(gone=True)
            return f"stack {self.name} had failed before it was made ({status}); it is made anew"
        if status == _STUCK:
            with calling(f"stack {self.name}", "go on taking back"):
                self._cloudformation.continue_update_rollback(StackName=self.name)
            self._await()
            return f"stack {self.name} was half taken back; the rest is, too"
        if status is not None and status.endswith("_FAILED"):
            raise HalfFailed(
                self.name,
                f"it is {status}: {self._first_failure(None)}; mend that, or remove the stack",
            )
        return None

    def _was_never_made(self, status: str) -> bool:
        """Whether it holds its name and nothing else. An import into a new stack that failed leaves one, too."""
        if status != _IMPORT_TAKEN_BACK:
            return status in _NEVER_MADE
        with calling(f"stack {self.name}", "look into"):
            pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
            held = [one["ResourceStatus"] for page in pages for one in page["StackResourceSummaries"]]
        return all(one in {"DELETE_COMPLETE", _IMPORT_TAKEN_BACK} for one in held)

    def propose(
        self, body: str, values: Mapping[str, str], *, unknown: str | None = None, taken: Sequence[Any] = ()
    ) -> ChangeSet | None:
        """What these would change; None when nothing. `unknown` stands for parameters that nobody knows yet.

        With `taken`, resources that are there without a stack, these alone are taken in, and nothing else is made.
        """
        with calling(f"template of {self.name}", "check"):
            declared = self._cloudformation.get_template_summary(TemplateBody=body).get("Parameters", [])
        had = (self.described() or {}).get("Parameters", []) if self._keeps else []
        kept = {one["ParameterKey"]: one["ParameterValue"] for one in had if one["ParameterKey"] in self._keeps}
        given: list[dict[str, str]] = []
        for one in declared:
            key = one.get("ParameterKey", "")
            if key in values:
                given.append({"ParameterKey": key, "ParameterValue": values[key]})
            elif key in kept:
                given.append({"ParameterKey": key, "ParameterValue": kept[key]})
            elif unknown is not None and "DefaultValue" not in one:
                given.append({"ParameterKey": key, "ParameterValue": unknown})
        if any(one.get("ParameterKey") == FINGERPRINT for one in declared):
            # What is kept may be the default, and is named from the second deployment on.
            told = {one.get("ParameterKey", ""): one.get("DefaultValue", "") for one in declared}
            told |= {one["ParameterKey"]: one["ParameterValue"] for one in given}
            given.append({"ParameterKey": FINGERPRINT, "ParameterValue": fingerprint(body, told)})
        return self._proposed(body, given, taken)

    def apply(self, change: ChangeSet) -> None:
        """Make the change and wait for its end. Raises StackFailed when it was taken back."""
        with calling(f"stack {self.name}", "change"):
            # The token marks the events of this change, of all that the stack has seen.
            self._cloudformation.execute_change_set(
                StackName=self.name, ChangeSetName=change.name, ClientRequestToken=change.name
            )
        status = self._await()
        if status in SOUND:
            return
        reason = self._first_failure(change.name)
        if status == _STUCK:
            raise HalfFailed(
                self.name,
                f"the change failed and could not be taken back ({reason}); deploy again to go on",
            )
        raise _failed(self.name, f"{reason}; the stack is as it was ({status})")

    def drop(self, change: ChangeSet) -> None:
        """Forget a change that is not made, and the stack that was only proposed with it."""
        with calling(f"stack {self.name}", "forget the change of"):
            self._cloudformation.delete_change_set(StackName=self.name, ChangeSetName=change.name)
            if change.creates and self.status() == REVIEWED:
                self._cloudformation.delete_stack(StackName=self.name)

    def go_back(self, before: Before) -> bool:
        """Make it what it was; False when it is that already. Raises StackFailed."""
        change = self._proposed(before.body, before.parameters)
        if change is not None:
            self.apply(change)
        return change is not None

    def _proposed(
        self, body: str, given: Sequence[Mapping[str, str]], taken: Sequence[Any] = ()
    ) -> ChangeSet | None:
        creates = self.status() in {None, REVIEWED}
        name = f"deploy-{time.time_ns()}"
        # Tables and buckets that a deleted stack has left, data and all, are taken in again by their names.
        kind: Any = {
            "ChangeSetType": "CREATE" if creates else "UPDATE",
            "ImportExistingResources": True,
            "Tags": [{"Key": "prism:environment", "Value": self._settings.environment.value}],
        }
        if taken:  # which tags nothing
            kind = {"ChangeSetType": "IMPORT", "ResourcesToImport": taken}
        with calling(f"stack {self.name}", "ask for a change of"):
            try:
                self._cloudformation.create_change_set(
                    StackName=self.name,
                    ChangeSetName=name,
                    TemplateBody=body,
                    Parameters=given,  # type: ignore[arg-type]
                    Capabilities=["CAPABILITY_NAMED_IAM"],
                    **kind,
                )
            except ClientError as error:
                if error_code(error) == "LimitExceededException":
                    raise _failed(self.name, f"{error}; nothing was changed", quota=True) from error
                raise
        reason = self._awaited(name)
        found = ChangeSet(name, creates, tuple(self._changes(name)))
        if reason is None:
            return found
        self.drop(found)
        if _NOTHING.search(reason):
            return None
        raise _failed(self.name, f"CloudFormation refuses the change: {reason}; nothing was changed")

    def _awaited(self, change_set: str) -> str | None:
        """None when a change set is ready, else why not."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            with calling(f"stack {self.name}", "look at the change of"):
                found = self._cloudformation.describe_change_set(StackName=self.name, ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                return None
            if found["Status"] == "FAILED":
                return found.get("StatusReason", "no reason given")
            time.sleep(0.1)
        raise TransientFailure(f"stack {self.name}: the change set was not ready in {WAIT_SECONDS} s")

    def _changes(self, change_set: str) -> list[Change]:
        found: list[Change] = []
        with calling(f"stack {self.name}", "read the change of"):
            pages = self._cloudformation.get_paginator("describe_change_set").paginate(
                StackName=self.name, ChangeSetName=change_set
            )
            for page in pages:
                for one in page.get("Changes", []):
                    about: Any = one.get("ResourceChange", {})
                    found.append(
                        Change(
                            str(about.get("Action", "")),
                            str(about.get("LogicalResourceId", "")),
                            str(about.get("ResourceType", "")),
                            about.get("Replacement") == "True",
                        )
                    )
        return found

    def _await(self, *, gone: bool = False) -> str:
        """The status in which it comes to rest."""
        deadline, pause = time.monotonic() + WAIT_SECONDS, 0.05
        while time.monotonic() < deadline:
            status = self.status()
            if status is None or status == "DELETE_COMPLETE":
                return "gone"
            if not status.endswith("_IN_PROGRESS") and not gone:
                return status
            if gone and status.endswith("_FAILED") and status != "ROLLBACK_FAILED":
                raise HalfFailed(self.name, f"it cannot be removed: {self._first_failure(None)}")
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)
        raise TransientFailure(f"stack {self.name} was not done in {WAIT_SECONDS} s; look at its events")

    def _first_failure(self, token: str | None) -> str:
        """What failed first, of the change with this token or of all; what it pulled down is no cause."""
        failed: list[Any] = []
        with calling(f"stack {self.name}", "read the events of"):
            for page in self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.name):
                mine = [e for e in page["StackEvents"] if token is None or e.get("ClientRequestToken") == token]
                failed += [e for e in mine if str(e.get("ResourceStatus", "")).endswith("_FAILED")]
                if not mine:
                    break
        if not failed:
            return "no resource says why"
        first = min(failed, key=lambda event: event["Timestamp"])
        reason = str(first.get("ResourceStatusReason", "no reason given"))[:_REASON_CHARACTERS]
        return f"{first.get('LogicalResourceId')}: {reason}"


def fingerprint(body: str, values: Mapping[str, str]) -> str:
    """The same for the same template and values, in whatever order these are."""
    return hashlib.sha256(json.dumps([body, sorted(values.items())]).encode()).hexdigest()[:32]


def _failed(name: str, message: str, *, quota: bool = False) -> StackFailed:
    if quota or _QUOTA.search(message):
        return QuotaReached(name, f"{message}. A quota of the account is reached: ask for more in Service Quotas")
    return StackFailed(name, message)
