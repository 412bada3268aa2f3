#!/bin/bash
# Start the node the way the official image does: the elastic user's first password comes from
# ELASTIC_PASSWORD or the file ELASTIC_PASSWORD_FILE, settings from dotted environment variables.
set -euo pipefail
umask 0002

if [[ "${1:-}" != eswrapper ]]; then
  exec "$@"
fi

if [[ -n "${ELASTIC_PASSWORD_FILE:-}" ]]; then
  if [[ -n "${ELASTIC_PASSWORD:-}" ]]; then
    echo "ERROR: set ELASTIC_PASSWORD or ELASTIC_PASSWORD_FILE, not both" >&2
    exit 1
  fi
  # The official image refuses any other mode, so a set-up that works here must be told the same.
  mode="$(stat --dereference --format=%a "$ELASTIC_PASSWORD_FILE")"
  if [[ "$mode" != 400 && "$mode" != 600 ]]; then
    echo "ERROR: $ELASTIC_PASSWORD_FILE must have mode 400 or 600, but has $mode" >&2
    exit 1
  fi
  ELASTIC_PASSWORD="$(<"$ELASTIC_PASSWORD_FILE")"
  unset ELASTIC_PASSWORD_FILE
fi

if [[ -n "${ELASTIC_PASSWORD:-}" ]]; then
  # Creates the keystore where there is none, and takes a changed password at the next start.
  elasticsearch-keystore add --force --stdin bootstrap.password <<<"$ELASTIC_PASSWORD"
  unset ELASTIC_PASSWORD
fi

exec elasticsearch
