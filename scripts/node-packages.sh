#!/usr/bin/env bash
# Keeps the node_modules of a folder equal to its lock. Node.js itself comes from .venv.
#
#   scripts/node-packages.sh [FOLDER]   the front end's by default
source "$(dirname "$0")/lib.sh"

folder=${1:-django_client/frontend}
fingerprint=$(sha256sum "$folder/package-lock.json"; "$bin/node" --version)
[[ ! -f $folder/node_modules/.filled-from || $(<"$folder/node_modules/.filled-from") != "$fingerprint" ]] || exit 0

PATH=$bin:$PATH step "node-packages-$(basename "$folder")" "Installing the packages of $folder" \
  npm clean-install --ignore-scripts --no-audit --no-fund --prefix "$folder"
echo "$fingerprint" >"$folder/node_modules/.filled-from"
