"""The instance of Dagster in each place, from one source: `python -m infra.instance aws` prints dagster.yaml.

Belongs here: what both places have in common (queue, monitoring, retries, retention), and what differs: how runs
are started, where runs and events are stored, where their logs go. Does not belong here: schedules.
"""

import os
import sys
from typing import Final

from prism_core.settings import Environment

_SHARED: Final = """\
# Written by PRISM; edits are lost.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    # Two runs that write the same asset wait for each other in the queue. By run and not by step: the slot of a
    # step whose process was killed would stay taken.
    granularity: run
    default_limit: 1
  runs:
    max_concurrent_runs: {runs}
run_monitoring:
  enabled: true
  poll_interval_seconds: 30
  start_timeout_seconds: {start_seconds}
  cancel_timeout_seconds: 120
  max_runtime_seconds: 14400
# Steps are tried again by their own policy. A run is only when its process died, and twice at most.
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
# A slow look-up of one sensor does not hold up the others.
sensors:
  use_threads: true
  num_workers: 4
# Ticks only: runs and materialisations stay. A sensor that looks every minute skips 1,440 times a day.
retention:
  schedule:
    purge_after_days:
      skipped: 30
      success: 90
      failure: 90
  sensor:
    purge_after_days:
      skipped: 2
      success: 90
      failure: 30
"""
_LOCAL: Final = """\
run_launcher:
  module: infra.local.runs
  class: LocalRunLauncher
"""
# Values that the task definitions of infra/templates/dagster.yaml give as variables.
_AWS: Final = """\
run_launcher:
  module: dagster_aws.ecs
  class: EcsRunLauncher
  config:
    task_definition:
      env: DAGSTER_RUN_TASK
    container_name: dagster
    use_current_ecs_task_config: false
    # Without a tag no secret is looked for: the task definition names the one there is.
    secrets_tag: null
    run_task_kwargs:
      launchType: FARGATE
      cluster:
        env: DAGSTER_CLUSTER
      networkConfiguration:
        awsvpcConfiguration:
          assignPublicIp: DISABLED
          subnets: {subnets}
          securityGroups: {groups}
storage:
  postgres:
    postgres_db:
      username: dagster
      password:
        env: DAGSTER_POSTGRES_PASSWORD
      hostname:
        env: DAGSTER_POSTGRES_HOST
      db_name: dagster
      port: 5432
      params:
        # The certificate is looked at, too; infra/dagster/Dockerfile puts those of RDS there.
        sslmode: verify-full
        sslrootcert: /prism/rds.pem
compute_logs:
  module: dagster_aws.s3.compute_log_manager
  class: S3ComputeLogManager
  config:
    bucket:
      env: DAGSTER_LOGS_BUCKET
    prefix: dagster
    skip_empty_files: true
    upload_interval: 30
"""
# A task of Fargate takes a minute to start; a process of this machine a second.
_RUNS: Final = {Environment.LOCAL: (2, 300), Environment.AWS: (10, 600)}


def instance_yaml(environment: Environment, *, subnets: str = "", group: str = "") -> str:
    """`dagster.yaml` of a place. `subnets` with commas, and `group`, are those of the tasks on AWS."""
    runs, start_seconds = _RUNS[environment]
    shared = _SHARED.format(runs=runs, start_seconds=start_seconds)
    if environment is Environment.LOCAL:
        return shared + _LOCAL
    return shared + _AWS.format(
        subnets=[one for one in subnets.split(",") if one], groups=[group] if group else []
    )


def main() -> None:
    """For a task on AWS, whose network is told by its variables."""
    told = {name: os.environ.get(f"DAGSTER_{name.upper()}", "") for name in ("subnets", "security_group")}
    sys.stdout.write(
        instance_yaml(Environment(sys.argv[1]), subnets=told["subnets"], group=told["security_group"])
    )


if __name__ == "__main__":
    main()
