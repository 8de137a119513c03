#!/usr/bin/env bash
# Runs one of the front end's scripts with the Node.js of .venv.
#
#   scripts/frontend.sh build|lint|test|…   a script of django_client/frontend/package.json
#   scripts/frontend.sh build-to FOLDER     builds there instead of into the app's static files
source "$(dirname "$0")/lib.sh"

scripts/node-packages.sh
export PATH=$bin:$PATH STORYBOOK_DISABLE_TELEMETRY=1
cd django_client/frontend
case $1 in
  build-to) exec node build/build.mjs "$2" ;;
  *) exec npm run --silent "$@" ;;
esac
