# Shared by the scripts of this folder: sourced, never run.
# shellcheck shell=bash

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck disable=SC2034 # for those who source this
readonly bin=$PWD/.venv/bin
mkdir -p var/log

say() { printf '%s\n' "$*"; }

die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

# step NAME TEXT COMMAND…: one line of progress. What the command prints goes to var/log/NAME.log and is shown when it fails.
step() {
  local text=$2 log=var/log/$1.log started=$SECONDS
  shift 2
  printf '%s … ' "$text"
  if "$@" >"$log" 2>&1 </dev/null; then
    printf 'done (%d s)\n' $((SECONDS - started))
  else
    printf 'FAILED\n'
    tail -n 15 "$log" | sed 's/^/    /' >&2
    die "\"$text\" failed. The whole log is in $log."
  fi
}
