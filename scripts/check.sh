#!/usr/bin/env bash
# Everything that can be wrong without running it: one line per check, all of them even when one fails.
source "$(dirname "$0")/lib.sh"

failed=()

# check NAME COMMAND…: runs the command, and shows what it printed only if it fails.
check() {
  local name=$1 log=var/log/check-$1.log
  shift
  printf '%-12s ' "$name"
  if "$@" >"$log" 2>&1 </dev/null; then
    say ok
  else
    say FAILED
    head -n 60 "$log" | sed 's/^/    /'
    (($(wc -l <"$log") <= 60)) || say "    … all of it is in $log"
    failed+=("$name")
  fi
}

# Generated files are never edited: generating them again changes nothing.
stubs_are_current() {
  local fresh
  fresh=$(mktemp -d) || return
  scripts/stubs.sh "$fresh" &&
    diff --recursive --unified --exclude __pycache__ stubs/python "$fresh/stubs/python" &&
    { [[ ! -d $fresh/stubs/go ]] || diff --recursive --unified stubs/go/osis "$fresh/stubs/go/osis"; }
  local status=$?
  rm -rf "$fresh"
  ((status == 0)) || say "Run \`make stubs\` and commit what changed."
  return $status
}

assets_are_current() {
  local fresh
  fresh=$(mktemp -d) || return
  scripts/frontend.sh build-to "$fresh" && diff --recursive --brief django_client/osis_document/static/osis_document "$fresh"
  local status=$?
  rm -rf "$fresh"
  ((status == 0)) || say "Run \`make assets\` and commit what changed."
  return $status
}

locks_are_current() {
  if [[ $("$bin/python" scripts/lock_inputs.py) != "$(<requirements/inputs.sha256)" ]]; then
    say "pyproject.toml or requirements/*.in ask for other packages than requirements/*.txt were made for. Run \`make lock\`."
    return 1
  fi
  if grep --line-number '"resolved"' django_client/frontend/package-lock.json stubs/typescript/package-lock.json; then
    say "A lock names where packages were found. The .npmrc beside it forbids that: lock again with npm in that folder."
    return 1
  fi
  if grep --line-number --extended-regexp '://|^ *--?(i|f|index-url|extra-index-url|find-links|trusted-host)\b' requirements/*.txt; then
    say "A lock must hold names and hashes, and no address."
    return 1
  fi
}

# What belongs to a contract that callers rely on; see `make baseline`.
nothing_breaks() {
  "$bin/buf" breaking --against protos/baseline.binpb
}

check ruff "$bin/ruff" check --quiet --output-format concise .
check format "$bin/ruff" format --quiet --diff .
check mypy "$bin/mypy" --no-error-summary
# Its cache was seen to hide a broken contract.
check imports "$bin/lint-imports" --no-logo --no-cache
check buf-lint "$bin/buf" lint
check buf-format "$bin/buf" format --diff --exit-code
check breaking nothing_breaks
check stubs stubs_are_current
check locks locks_are_current
check frontend scripts/frontend.sh lint
check assets assets_are_current
check shell "$bin/shellcheck" scripts/*.sh .ci/run

if ((${#failed[@]})); then
  die "${#failed[@]} failed: ${failed[*]}"
fi
say "All checks passed."
