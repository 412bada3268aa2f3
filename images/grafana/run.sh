#!/bin/bash
# Starts the server as the official image does: GF_<NAME>__FILE names a file that holds the value of GF_<NAME>,
# and the directories are those of the GF_PATHS_* variables.
set -euo pipefail

for variable in "${!GF_@}"; do
  [[ $variable == *__FILE ]] || continue
  setting=${variable%__FILE}
  if [[ -v $setting ]]; then
    echo "$setting and $variable are both set; set one of them" >&2
    exit 1
  fi
  value=$(<"${!variable}")
  export "$setting=$value"
  unset "$variable"
done

exec grafana server \
  --homepath="$GF_PATHS_HOME" \
  --config="$GF_PATHS_CONFIG" \
  --packaging=docker \
  "$@" \
  cfg:default.log.mode=console \
  cfg:default.paths.data="$GF_PATHS_DATA" \
  cfg:default.paths.logs="$GF_PATHS_LOGS" \
  cfg:default.paths.plugins="$GF_PATHS_PLUGINS" \
  cfg:default.paths.provisioning="$GF_PATHS_PROVISIONING"
