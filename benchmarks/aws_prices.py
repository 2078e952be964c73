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

# Dollars; what a month of everything is computed with beside those below. Nobody's page was at hand: confirm them.
MONTHLY: Final[dict[str, Figure]] = {
    "fargate_cpu": Figure(0.03238, "a vCPU and hour of Fargate, arm64", "from memory", "nobody"),
    "fargate_gb": Figure(0.00356, "a GB and hour of Fargate, arm64", "from memory", "nobody"),
    "rds_hour": Figure(0.032, "an hour of db.t4g.small, Postgres", "from memory", "nobody"),
    "rds_gb": Figure(0.115, "a GB and month of gp3 of RDS", "from memory", "nobody"),
    "nat_hour": Figure(0.045, "an hour of a NAT gateway", "from memory", "nobody"),
    "nat_gb": Figure(0.045, "a GB through it", "from memory", "nobody"),
    "read_unit": Figure(0.125e-6, "a read unit on demand", "from memory", "nobody"),
    "ddb_gb": Figure(0.25, "a GB and month of DynamoDB", "from memory", "nobody"),
    "pitr_gb": Figure(0.20, "a GB and month of its point-in-time recovery", "from memory", "nobody"),
    "athena_tb": Figure(5.0, "a TB scanned by Athena", "from memory", "nobody"),
    "rekognition_image": Figure(0.001, "a question to Rekognition", "from memory", "nobody"),
    "ses_mail": Figure(0.0001, "a mail of SES", "from memory", "nobody"),
    "log_gb": Figure(0.50, "a GB into CloudWatch Logs", "from memory", "nobody"),
    "alarm": Figure(0.10, "an alarm and month", "from memory", "nobody"),
    "metric": Figure(0.30, "a figure of one's own and month", "from memory", "nobody"),
    "secret": Figure(0.40, "a secret and month", "from memory", "nobody"),
    "qs_author": Figure(24.0, "an author of QuickSight and month", "from memory", "nobody"),
    "qs_reader": Figure(3.0, "a reader of QuickSight and month", "from memory", "nobody"),
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
