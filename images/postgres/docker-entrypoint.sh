#!/bin/bash
# Make the database cluster in $PGDATA on the first start, then become the server.
# Variables: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, each also as NAME_FILE; POSTGRES_INITDB_ARGS; PGDATA.
set -euo pipefail

value_of() {
  local file_variable="${1}_FILE"
  if [[ -n "${!file_variable:-}" ]]; then
    cat "${!file_variable}"
  else
    printf '%s' "${!1:-}"
  fi
}

initialise() {
  local user password database making="$PGDATA/.initialising"
  user="$(value_of POSTGRES_USER)"
  user="${user:-postgres}"
  database="$(value_of POSTGRES_DB)"
  database="${database:-$user}"
  password="$(value_of POSTGRES_PASSWORD)"
  if [[ -z "$password" ]]; then
    echo "error: no cluster in $PGDATA yet, and neither POSTGRES_PASSWORD nor POSTGRES_PASSWORD_FILE is set" >&2
    exit 1
  fi
  # What lies here without PG_VERSION is the rest of a start that was killed.
  find "$PGDATA" -mindepth 1 -delete
  # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS is a list of words
  initdb --pgdata="$making" --username="$user" --pwfile=<(printf '%s\n' "$password") \
    --auth-host=scram-sha-256 --auth-local=trust --data-checksums ${POSTGRES_INITDB_ARGS:-}
  printf "\nhost all all all scram-sha-256\n" >> "$making/pg_hba.conf"
  printf "\nlisten_addresses = '*'\n" >> "$making/postgresql.conf"
  if [[ "$database" != postgres ]]; then
    postgres --single -D "$making" postgres <<< "CREATE DATABASE \"${database//\"/\"\"}\""
  fi
  # PG_VERSION comes last: with it the cluster counts as made.
  find "$making" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
  mv "$making/PG_VERSION" "$PGDATA/"
  rmdir "$making"
}

if [[ "${1:-}" == -* ]]; then
  set -- postgres "$@"
fi
if [[ "${1:-}" == postgres ]]; then
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA"
  if [[ ! -s "$PGDATA/PG_VERSION" ]]; then
    initialise
  fi
fi
exec "$@"
