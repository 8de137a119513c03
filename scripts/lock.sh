#!/usr/bin/env bash
# Compiles requirements/*.txt from pyproject.toml and requirements/*.in. Versions that are locked stay as long as they fit;
# UPGRADE=1 takes the newest of everything.
source "$(dirname "$0")/lib.sh"

# compile OUTPUT SOURCE OPTION…: with hashes, for every platform, and without a word about where packages were found.
compile() {
  local output=requirements/$1
  shift
  step "lock" "Locking $output" "$bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --fork-strategy fewest --custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links \
    ${UPGRADE:+--upgrade} --output-file "$output" "$@"
}

groups=()
for group in $("$bin/python" scripts/lock_inputs.py --groups); do
  groups+=(--group "$group")
done

compile uv.txt requirements/uv.in
compile base.txt pyproject.toml
compile dev.txt pyproject.toml --all-extras "${groups[@]}"
compile stubs.txt requirements/stubs.in
compile django42.txt requirements/django42.in
"$bin/python" scripts/lock_inputs.py >requirements/inputs.sha256
