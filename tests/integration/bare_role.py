"""A role without a right, for functions and machines that a contract test makes.

Where rights are enforced (`make soak-iam`) the embedded AWS makes none for a role that is not there.
"""

import json
import uuid

import pytest

from prism_core.settings import Settings
from prism_resources.aws import client
from tests.integration.fresh import RIGHTS

# What the embedded AWS does as long as it asks nobody for rights; with them it refuses, as AWS does.
without_rights_alone = pytest.mark.skipif(bool(RIGHTS), reason="refused where rights are enforced, as on AWS")


def bare_role(settings: Settings) -> str:
    """The ARN of a new role that Lambda and Step Functions may take."""
    principal = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return client(settings, "iam").create_role(
        RoleName=f"bare-{uuid.uuid4().hex[:12]}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
