#!/usr/bin/env bash
# What checks the files of deploy/ and is in no Python package.
#   deploy_tools.sh fetch       promtool and the Compose Specification's schema, into the cache folder
#   deploy_tools.sh folder      where they are: promtool, compose-spec.json
set -euo pipefail

folder=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/deploy
compose=github.com/compose-spec/compose-go/v2@v2.4.7

die() { echo "deploy_tools.sh: $*" >&2; exit 1; }

# Out of the distribution's package, which would start a server when it is installed.
fetch_promtool() {
    [ -x "$folder/promtool" ] && return
    local work
    work=$(mktemp -d)
    # the package manager's own user must be able to write here
    chmod 755 "$work"
    (cd "$work" && apt-get -q download prometheus >log 2>&1) || { cat "$work/log" >&2; die "prometheus cannot be downloaded"; }
    dpkg-deb --extract "$work"/prometheus_*.deb "$work/files"
    mv "$work/files/usr/bin/promtool" "$folder/promtool"
    rm -rf "$work"
}

fetch_schema() {
    [ -s "$folder/compose-spec.json" ] && return
    local module
    module=$(cd / && GOFLAGS=-mod=mod go mod download -json "$compose" | sed -nE 's/^\t"Dir": "(.*)",?$/\1/p')
    [ -d "$module" ] || die "$compose cannot be fetched"
    cp "$module/schema/compose-spec.json" "$folder/compose-spec.json.new"
    mv "$folder/compose-spec.json.new" "$folder/compose-spec.json"
}

case ${1:-} in
    fetch)
        mkdir -p "$folder"
        exec 9>"$folder/.lock"
        flock 9
        fetch_promtool
        fetch_schema
        ;;
    folder) echo "$folder" ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
