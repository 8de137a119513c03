#!/usr/bin/env bash
# Installs the Debian packages that are missing, where that is possible without a question; otherwise says what will not work.
#
#   scripts/system-packages.sh demo          LibreOffice, with what it needs to run locked up
#   scripts/system-packages.sh all           the same, and the servers and tools of the tests
#   scripts/system-packages.sh packages P…   those packages
source "$(dirname "$0")/lib.sh"

# The full packages: the -nogui ones lack files that loading documents with comments needs, and more conversions fail.
office=(libreoffice-writer libreoffice-core fonts-liberation fonts-dejavu-core bubblewrap)
# The tests start servers of their own with these, on free ports, in folders of their own; strace makes the disk fail;
# Chromium opens the pages.
services=(redis-server postgresql poppler-utils strace chromium)

case $1 in
  demo) wanted=("${office[@]}") ;;
  all) wanted=("${office[@]}" "${services[@]}") ;;
  packages) wanted=("${@:2}") ;;
esac

is_there() {
  if command -v dpkg-query >/dev/null; then
    [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
    return
  fi
  case $1 in # another system: go by the commands
    libreoffice-*) command -v soffice >/dev/null ;;
    bubblewrap) command -v bwrap >/dev/null ;;
    redis-server) command -v redis-server >/dev/null ;;
    postgresql) command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
    poppler-utils) command -v pdftotext >/dev/null ;;
    strace | chromium) command -v "$1" >/dev/null ;;
  esac
}

missing=()
for package in "${wanted[@]}"; do
  is_there "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0

if command -v apt-get >/dev/null; then
  if ((EUID == 0)); then
    as_root=()
    can_install=yes
  elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
    can_install=yes
  fi
fi
if [[ -n ${can_install:-} ]]; then
  step apt "Installing ${missing[*]}" ${as_root[@]+"${as_root[@]}"} bash scripts/apt-install.sh "${missing[@]}"
  exit 0
fi

say "These packages are missing and cannot be installed from here without a password: ${missing[*]}"
say "To install them: sudo apt-get install --no-install-recommends ${missing[*]}"
case $1 in
  packages) exit 1 ;;
  demo)
    command -v soffice >/dev/null || die "the demo converts office documents: it needs LibreOffice."
    say "The demo goes on without them."
    ;;
  all)
    [[ -z ${CI:-} ]] || die "in CI nothing is skipped."
    say "Tests that need them are skipped, and say so."
    ;;
esac
