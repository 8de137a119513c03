#!/usr/bin/env bash
# Makes .venv and keeps it equal to the locks.
#
#   scripts/python-environment.sh               everything in requirements/dev.txt, and the project itself, editable
#   scripts/python-environment.sh --only-uv     just uv, which is what `make lock` needs
#
# PYTHON names the interpreter to use; otherwise the first of 3.11 or newer is taken.
source "$(dirname "$0")/lib.sh"

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
version='import sys; print("%d.%d" % sys.version_info[:2])'

find_python() {
  local candidate
  if [[ -n ${PYTHON:-} ]]; then
    "$PYTHON" -c "$new_enough" 2>/dev/null ||
      die "PYTHON=$PYTHON is not a Python of 3.11 or newer ($("$PYTHON" --version 2>&1 || true)). Name another with \`make setup PYTHON=…\`."
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c "$new_enough" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  die "No Python of 3.11 or newer was found (python3 is: $(python3 --version 2>&1 || true)). Install one, or name it with \`make setup PYTHON=/path/to/python3.12\`."
}

# Debian ships `venv` apart from Python.
require_venv() {
  local python=$1 package
  "$python" -c 'import ensurepip, venv' 2>/dev/null && return
  package=python$("$python" -c "$version")-venv
  if [[ $("$python" -c 'import sys; print(sys.prefix)') == /usr ]] && command -v apt-get >/dev/null; then
    scripts/system-packages.sh packages "$package" && return
    die "$python has no venv module. Install it with: sudo apt-get install $package"
  fi
  die "$python has no venv and ensurepip modules, and this script does not know how to add them. Install them, or name another Python with \`make setup PYTHON=…\`."
}

# A virtual environment holds absolute paths, and outlives neither a move of the repository nor the removal of its Python.
venv_is_good() {
  [[ -f .venv/.made-in && $(<.venv/.made-in) == "$PWD" ]] || return
  "$bin/python" -c "$new_enough" 2>/dev/null || return
  [[ -z ${PYTHON:-} || $("$PYTHON" -c "$version" 2>/dev/null) == "$("$bin/python" -c "$version")" ]]
}

if ! venv_is_good; then
  python=$(find_python)
  require_venv "$python"
  rm -rf .venv
  step venv "Making .venv with $("$python" --version 2>&1)" "$python" -m venv .venv
  pwd >.venv/.made-in
fi

install_uv() {
  local locked
  locked=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/uv.txt)
  [[ $("$bin/uv" --version 2>/dev/null || true) == "uv $locked"* ]] ||
    step uv "Installing uv $locked" "$bin/python" -m pip install --require-hashes --requirement requirements/uv.txt
}

if [[ ${1:-} == --only-uv ]]; then
  install_uv
  exit 0
fi

# What .venv was last filled from. Contents, not times: a fresh clone or another branch has new times and old contents.
fingerprint=$(sha256sum requirements/uv.txt requirements/dev.txt pyproject.toml)
[[ ! -f .venv/.filled-from || $(<.venv/.filled-from) != "$fingerprint" ]] || exit 0

install_uv
step packages "Installing the locked packages" \
  "$bin/uv" pip sync --python "$bin/python" --require-hashes requirements/uv.txt requirements/dev.txt
# The build backend is one of the locked packages: nothing is fetched here.
step project "Installing osis-document itself, editable" \
  "$bin/uv" pip install --python "$bin/python" --no-deps --no-build-isolation --editable .
echo "$fingerprint" >.venv/.filled-from
