#!/usr/bin/env bash
# Keeps the node_modules of the front end equal to its lock. Node.js itself comes from .venv.
source "$(dirname "$0")/lib.sh"

folder=django_client/frontend
fingerprint=$(sha256sum "$folder/package-lock.json"; "$bin/node" --version)
[[ ! -f $folder/node_modules/.filled-from || $(<"$folder/node_modules/.filled-from") != "$fingerprint" ]] || exit 0

PATH=$bin:$PATH step node-packages "Installing the front end's packages" \
  npm clean-install --ignore-scripts --no-audit --no-fund --prefix "$folder"
echo "$fingerprint" >"$folder/node_modules/.filled-from"
