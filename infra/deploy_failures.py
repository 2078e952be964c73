"""How a deployment can fail, by what a person must do next.

Belongs here: one type a cause, so that a command, a pipeline or a test can tell them apart. Every message says
what was left in place. Does not belong here: failures of a single call (prism_resources/failures.py).
"""

from prism_core.failures import PermanentFailure, TransientFailure


class DeployRefused(PermanentFailure):
    """Seen before anything was changed; nothing was."""


class KeysChanged(DeployRefused):
    """A table or an index would get other keys, which no table can in place."""


class DataLeftBehind(DeployRefused):
    """What holds data is in a deployed stack and not in the template: CloudFormation would let go of it."""


class SettingsUnsaid(DeployRefused):
    """Settings that are deployed would go back to their defaults, because nobody says them any more."""


class LeftBehind(DeployRefused):
    """A deleted stack has left what another one of the same name would be made beside, and not find."""


class NewerDeployment(DeployRefused):
    """A newer version of PRISM deployed here."""


class WrongPlace(DeployRefused):
    """Credentials, account or region are not those of the installation."""


class OtherImage(DeployRefused):
    """Dagster would go on with an image of other code than what is deployed."""


class NotWell(DeployRefused):
    """The doctor finds what a deployment needs, or readers of its figures do, not to be well."""


class DeployRunning(TransientFailure):
    """Somebody deploys here at this moment, or changes one of the stacks."""


class StackFailed(PermanentFailure):
    """CloudFormation could not make a change, and took it back. `stack` is its name."""

    def __init__(self, stack: str, message: str) -> None:
        self.stack = stack
        super().__init__(f"stack {stack}: {message}")


class QuotaReached(StackFailed):
    """The account may not have more of something; a higher quota is asked for in Service Quotas."""


class HalfFailed(StackFailed):
    """CloudFormation could not take a change back either; the stack waits for a person."""
