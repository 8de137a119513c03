#!/usr/bin/env bash
# Writes protos/baseline.binpb, the contract that callers rely on: `make check` refuses a change that breaks them.
# Without comments and positions, so that only what is on the wire counts.
source "$(dirname "$0")/lib.sh"

step baseline "Writing protos/baseline.binpb" "$bin/buf" build --exclude-source-info --output protos/baseline.binpb
digest=$(sha256sum protos/baseline.binpb | cut -d ' ' -f 1)
if ! grep --quiet "Contract baseline: sha256 $digest" CHANGELOG.md; then
  say "Say in CHANGELOG.md, under Unreleased, what changed for callers, with this line below it:"
  say "  Contract baseline: sha256 $digest"
fi
