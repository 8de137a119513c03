#!/usr/bin/env bash
# Installs Debian packages as root, without starting the services that they bring, now or at the next boot.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
readonly policy=/usr/sbin/policy-rc.d

# invoke-rc.d asks this program before it starts anything; 101 means "do not". Where a machine's own already says so it stays.
if [[ $("$policy" redis-server start >/dev/null 2>&1 || echo $?) != 101 ]]; then
  kept=
  if [[ -e $policy ]]; then
    kept=$(mktemp "$policy.kept-XXXXXX")
    mv "$policy" "$kept"
  fi
  # shellcheck disable=SC2064 # the value of now is meant
  trap "rm -f '$policy'; [[ -z '$kept' ]] || mv '$kept' '$policy'" EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

apt-get --quiet update
apt-get --quiet --yes --no-install-recommends -o DPkg::Lock::Timeout=120 install "$@"

if command -v systemctl >/dev/null; then
  for package in "$@"; do
    case $package in
      redis-server | postgresql) systemctl disable --quiet "$package" || true ;;
    esac
  done
fi
