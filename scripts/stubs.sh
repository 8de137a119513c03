#!/usr/bin/env bash
# Generates the stubs that are committed, Python and Go, from protos/.
#
#   scripts/stubs.sh [FOLDER]    into the repository, or for comparison below another folder
#
# The Python generators live apart from .venv: they are deliberately older than the runtimes there (see requirements/stubs.in).
# The Go generators are pinned in stubs/plugins/go/go.mod; where there is no Go, the Go stubs are left as they are.
source "$(dirname "$0")/lib.sh"

into=${1:-.}
generators=var/venvs/stubs
fingerprint=$(sha256sum requirements/stubs.txt "$bin/python")
if [[ ! -f $generators/.filled-from || $(<"$generators/.filled-from") != "$fingerprint" ]]; then
  rm -rf "$generators"
  step stubs-venv "Making $generators" "$bin/uv" venv --python "$bin/python" "$generators"
  step stubs-packages "Installing the generators" \
    "$bin/uv" pip sync --python "$generators/bin/python" --require-hashes requirements/stubs.txt
  echo "$fingerprint" >"$generators/.filled-from"
fi

PATH=$PWD/$generators/bin:$PATH step stubs "Generating stubs for Python" "$bin/buf" generate --output "$into"

if command -v go >/dev/null; then
  plugins=$PWD/var/plugins/go
  step stubs-go-plugins "Building the Go generators" env GOBIN="$plugins" go -C stubs/plugins/go install tool
  PATH=$plugins:$PATH step stubs-go "Generating stubs for Go" \
    "$bin/buf" generate --template buf.gen.go.yaml --output "$into"
elif [[ -n ${CI:-} ]]; then
  die "go is not installed; in CI nothing is skipped."
else
  say "The Go stubs are left as they are: go is not installed."
fi
