"""What AWS allows and asks: quotas and list prices that the model of scale is computed with.

Belongs here: figures with where they were read and whether that is AWS's own page. Does not belong here: sums
(events_scale.py). us-east-1, without free tiers, discounts and taxes; read on 2026-11-22 in stored copies of
public pages, whose age varies: look at AWS's own before money is spent.
"""

from typing import Final, NamedTuple


class Figure(NamedTuple):
    """`read_from`: a page of AWS, of others, or of nobody: then it is to be confirmed."""

    value: float
    unit: str
    source: str
    read_from: str


QUOTAS: Final[dict[str, Figure]] = {
    "api_requests": Figure(10_000, "requests/s a region, can be raised", "API Gateway quotas", "AWS"),
    "sqs_mapping": Figure(1_000, "batches at once of one mapping", "Lambda, scaling of SQS mappings", "AWS"),
    "sqs_in_flight": Figure(120_000, "messages in flight a queue", "SQS standard queue quotas", "AWS"),
    "lambda_at_once": Figure(1_000, "functions at once a region, can be raised", "Lambda quotas", "others"),
    "express_sync": Figure(
        1_000, "synchronous executions at once, 1,000 to 3,700 by region, can be raised",
        "Step Functions developer guide on GitHub, an older copy", "AWS",
    ),
    "partition_writes": Figure(1_000, "write units/s a partition", "DynamoDB, warm throughput", "AWS"),
    "s3_puts": Figure(3_500, "PUT/s a partitioned prefix", "AWS knowledge centre", "AWS"),
    "shard_records": Figure(1_000, "records/s a shard", "Kinesis Data Streams pricing page", "AWS"),
    "shard_bytes": Figure(1_000_000, "bytes/s a shard", "Kinesis Data Streams pricing page", "AWS"),
    "shard_parallel": Figure(10, "batches at once a shard", "Lambda, parallelization factor", "others"),
}  # fmt: skip

# Dollars; what a month of everything is computed with beside those below. Nobody's page was at hand.
_MEMORY: Final = "from memory on 2026-11-22: check before you rely on it"
MONTHLY: Final[dict[str, Figure]] = {
    "fargate_cpu": Figure(0.03238, "a vCPU and hour of Fargate, arm64", _MEMORY, "nobody"),
    "fargate_gb": Figure(0.00356, "a GB and hour of Fargate, arm64", _MEMORY, "nobody"),
    "db.t4g.micro": Figure(0.016, "an hour of db.t4g.micro, Postgres", _MEMORY, "nobody"),
    "db.t4g.small": Figure(0.032, "an hour of db.t4g.small, Postgres", _MEMORY, "nobody"),
    "rds_gb": Figure(0.115, "a GB and month of gp3 of RDS", _MEMORY, "nobody"),
    "nat_hour": Figure(0.045, "an hour of a NAT gateway", _MEMORY, "nobody"),
    "nat_gb": Figure(0.045, "a GB through it", _MEMORY, "nobody"),
    "read_unit": Figure(0.125e-6, "a read unit on demand", _MEMORY, "nobody"),
    "ddb_gb": Figure(0.25, "a GB and month of DynamoDB", _MEMORY, "nobody"),
    "pitr_gb": Figure(0.20, "a GB and month of its point-in-time recovery", _MEMORY, "nobody"),
    "athena_tb": Figure(5.0, "a TB scanned by Athena", _MEMORY, "nobody"),
    "rekognition_image": Figure(0.001, "a question to Rekognition", _MEMORY, "nobody"),
    "ses_mail": Figure(0.0001, "a mail of SES", _MEMORY, "nobody"),
    "log_gb": Figure(0.50, "a GB into CloudWatch Logs", _MEMORY, "nobody"),
    "log_kept_gb": Figure(0.03, "a GB and month kept in CloudWatch Logs", _MEMORY, "nobody"),
    "dashboard": Figure(3.0, "a dashboard of CloudWatch and month", _MEMORY, "nobody"),
    "alarm": Figure(0.10, "an alarm and month", _MEMORY, "nobody"),
    "metric": Figure(0.30, "a figure of one's own and month", _MEMORY, "nobody"),
    "machine_client": Figure(
        6.0, "an app client of Cognito without a person, and month", "several guides", "others"
    ),
    "machine_token": Figure(2.25e-3, "a token that it is given", "a list of billing codes of 2025", "others"),
    "key": Figure(1.0, "a key of KMS and month", _MEMORY, "nobody"),
    "waf_acl": Figure(5.0, "a firewall and month", _MEMORY, "nobody"),
    "waf_rule": Figure(1.0, "a rule of it and month", _MEMORY, "nobody"),
    "waf_request": Figure(0.6e-6, "a request that it judges", _MEMORY, "nobody"),
    "provisioned_gb_s": Figure(0.0000041667, "a GB and second of provisioned concurrency", _MEMORY, "nobody"),
    "snapshot_gb_s": Figure(0.0000015046, "a GB and second of a SnapStart snapshot", _MEMORY, "nobody"),
    "restored_gb": Figure(0.0001397998, "a GB restored by SnapStart", _MEMORY, "nobody"),
    "secret": Figure(0.40, "a secret and month", _MEMORY, "nobody"),
    "qs_author": Figure(24.0, "an author of QuickSight and month", _MEMORY, "nobody"),
    "qs_reader": Figure(3.0, "a reader of QuickSight and month", _MEMORY, "nobody"),
}
# Of events, quoted by docs/scale.md.
PRICES: Final[dict[str, Figure]] = {
    "api_request": Figure(1.00e-6, "a request of an HTTP API", "several guides", "others"),
    "lambda_request": Figure(0.20e-6, "an invocation", "several guides", "others"),
    "lambda_gb_s": Figure(0.0000166667, "a GB and second, x86", "several guides", "others"),
    "sqs_request": Figure(0.40e-6, "a request of 64 KB", "several guides of 2026", "others"),
    "express_request": Figure(1.00e-6, "an execution", "AWS Compute Blog", "AWS"),
    "express_gb_s": Figure(0.0000166667, "a GB and second, 64 MB at least", "a guide of 2026", "others"),
    "write_unit": Figure(0.625e-6, "a write unit on demand", "several guides after November 2024", "others"),
    "write_hour": Figure(0.00065, "a provisioned write unit and hour", "a guide", "others"),
    "s3_put": Figure(0.005e-3, "a PUT", "from memory", "nobody"),
    "s3_gb": Figure(0.023, "a GB and month", "from memory", "nobody"),
    "shard_hour": Figure(0.015, "a shard and hour", "a calculator", "others"),
    "kinesis_put": Figure(0.014e-6, "25 KB put", "a calculator", "others"),
    "fan_out_hour": Figure(0.015, "a shard and hour of an own consumer", "from memory", "nobody"),
    "fan_out_gb": Figure(0.013, "a GB to an own consumer", "from memory", "nobody"),
}  # fmt: skip
