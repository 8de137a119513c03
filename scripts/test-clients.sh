#!/usr/bin/env bash
# The clients in other languages: builds them, and has each do what tests/conformance says.
#
#   scripts/test-clients.sh                    every language; without its tool chain one is skipped, which fails where CI is set
#   scripts/test-clients.sh build              builds them all
#   scripts/test-clients.sh build LANGUAGE     builds one; ends with status 3 and a reason if its tool chain is not there
source "$(dirname "$0")/lib.sh"

languages=(go typescript java)
readonly absent=3

# What a language's tools are, as commands.
tools_of() {
  case $1 in
    go) echo go ;;
    typescript) echo "$bin/node" "$bin/npm" ;;
    java) echo java mvn ;;
    *) die "there is no client for $1; there are ${languages[*]}" ;;
  esac
}

require_tools() {
  local tool
  for tool in $(tools_of "$1"); do
    if ! command -v "$tool" >/dev/null; then
      say "$tool is not installed: the client for $1 cannot be built" >&2
      exit $absent
    fi
  done
}

go_is_formatted() {
  local differing
  differing=$(gofmt -d stubs/go) && [[ -z $differing ]] || { say "$differing"; return 1; }
}

build_go() {
  step client-go-format "Looking at the format of the client for Go" go_is_formatted
  step client-go-vet "Checking the client for Go" go -C stubs/go vet ./...
  step client-go "Building the client for Go" go -C stubs/go build -buildvcs=false -o "$PWD/var/clients/go/" ./cmd/conformance
}

build_typescript() {
  scripts/node-packages.sh stubs/typescript
  PATH=$bin:$PATH step client-typescript "Building the client for TypeScript" npm run build --prefix stubs/typescript
}

build_java() {
  step client-java "Building the client for Java" mvn --quiet --batch-mode --file stubs/java/pom.xml package
}

# What a client is made of: built again is only what has changed.
made_of() {
  find "stubs/$1" protos scripts/test-clients.sh buf*.yaml -type f \
    -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/gen/*' -not -path '*/target/*' -print0 |
    sort -z | xargs -0 sha256sum
}

driver_of() {
  case $1 in
    go) echo var/clients/go/conformance ;;
    typescript) echo stubs/typescript/dist/conformance/driver.js ;;
    java) echo stubs/java/target/conformance.jar ;;
  esac
}

build() {
  local language=$1 stamp=var/clients/$1.built-from now
  require_tools "$language"
  mkdir -p var/clients
  exec 9>"var/clients/$language.lock"
  flock 9
  now=$(made_of "$language" | sha256sum)
  if [[ ! -f $(driver_of "$language") || ! -f $stamp || $(<"$stamp") != "$now" ]]; then
    "build_$language"
    echo "$now" >"$stamp"
  fi
}

# Builds what can be built here; `built` has the languages.
build_all() {
  local language status
  built=(python)
  for language in "${languages[@]}"; do
    status=0
    (build "$language") || status=$?
    case $status in
      0) built+=("$language") ;;
      "$absent") [[ -z ${CI:-} ]] || die "in CI nothing is skipped." ;;
      *) exit "$status" ;;
    esac
  done
}

case ${1:-} in
  build)
    if [[ -n ${2:-} ]]; then build "$2"; else build_all; fi
    ;;
  '')
    build_all
    "$bin/pytest" tests/conformance -n auto --dist loadgroup -k "$(printf '%s- or ' "${built[@]}")page"
    ;;
  *) die "usage: scripts/test-clients.sh [build LANGUAGE]" ;;
esac
