#!/bin/sh
# Settings and instance are written from the variables of the task, then the task does what it is for.
set -eu
mkdir -p "$PRISM_HOME"
printf '%s\n' "$DAGSTER_SETTINGS" > "$PRISM_HOME/settings.json"
python -m infra.instance aws > "$DAGSTER_HOME/dagster.yaml"
exec "$@"
