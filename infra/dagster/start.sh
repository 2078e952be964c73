#!/bin/sh
# The instance is written from the variables of the task, then the task does what it is for.
set -eu
python -m infra.instance aws > "$DAGSTER_HOME/dagster.yaml"
exec "$@"
