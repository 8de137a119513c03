#!/usr/bin/env bash
# Generates the stubs from protos/.
#
#   scripts/stubs.sh [FOLDER]    into the repository, or for comparison below another folder
#
# The generators live apart from .venv: they are deliberately older than the runtimes there (see requirements/stubs.in).
source "$(dirname "$0")/lib.sh"

generators=var/venvs/stubs
fingerprint=$(sha256sum requirements/stubs.txt "$bin/python")
if [[ ! -f $generators/.filled-from || $(<"$generators/.filled-from") != "$fingerprint" ]]; then
  rm -rf "$generators"
  step stubs-venv "Making $generators" "$bin/uv" venv --python "$bin/python" "$generators"
  step stubs-packages "Installing the generators" \
    "$bin/uv" pip sync --python "$generators/bin/python" --require-hashes requirements/stubs.txt
  echo "$fingerprint" >"$generators/.filled-from"
fi

PATH=$PWD/$generators/bin:$PATH step stubs "Generating stubs" "$bin/buf" generate --output "${1:-.}"
