#!/usr/bin/env bash
# Prepares the repository. Quick and silent where nothing is left to do.
#
#   scripts/setup.sh python   the virtual environment .venv with everything that is locked in requirements/
#   scripts/setup.sh demo     the same, and LibreOffice
#   scripts/setup.sh all      the same, the servers and the browser that the tests start, and the front end's packages
source "$(dirname "$0")/lib.sh"

case ${1:-} in
  python | demo | all) ;;
  *) die "usage: scripts/setup.sh python|demo|all" ;;
esac

scripts/python-environment.sh
[[ $1 == python ]] || scripts/system-packages.sh "$1"
[[ $1 != all ]] || scripts/node-packages.sh
