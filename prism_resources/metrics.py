"""Figures for CloudWatch.

Belongs here: sending them, under the one namespace that the policy of a role may name. Does not belong here: what
they count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prism_core.failures import BadUsage
from prism_core.settings import Settings
from prism_resources.aws import client
from prism_resources.failures import calling

NAMESPACE: Final = "PRISM"
MOST_METRICS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Metric:
    """One count. CloudWatch keeps it by name and dimensions; the platform's name is one of them."""

    name: str
    value: int
    dimensions: Mapping[str, str] = field(default_factory=dict[str, str])


def put_metrics(settings: Settings, metrics: Sequence[Metric]) -> None:
    """Send counts of now in one call. Raises PermanentFailure and TransientFailure.

    CloudWatch stamps them as they arrive: it drops what is older than two weeks, as a fixed clock may be.
    """
    if len(metrics) > MOST_METRICS:
        raise BadUsage(f"CloudWatch takes {MOST_METRICS} metrics in a call, not {len(metrics)}")
    platform = {"Platform": settings.name_prefix}
    data = [
        {
            "MetricName": one.name,
            "Dimensions": [{"Name": name, "Value": of} for name, of in {**platform, **one.dimensions}.items()],
            "Value": one.value,
            "Unit": "Count",
        }
        for one in metrics
    ]
    with calling(f"metrics of {NAMESPACE}", "write"):
        client(settings, "cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
