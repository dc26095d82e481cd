#!/usr/bin/env bash
# A real S3 server for the tests, without a container.
#   s3.sh install KIND | start DIR KIND | stop DIR | env DIR          KIND: versitygw, minio
# `start` makes the bucket "tidemark" and prints what `env` prints. Environment:
#   S3_PORT   the port (a free one)        S3_OWNER  a process; the server ends with it
#   S3_TLS    a folder with server.crt and server.key: it speaks https (versitygw)
#   GOBIN     where the servers are kept   (~/.cache/tidemark/bin)
set -euo pipefail

bin=${GOBIN:-${XDG_CACHE_HOME:-$HOME/.cache}/tidemark/bin}
access=tidemarktest secret=tidemarktestsecret

die() { echo "s3.sh: $*" >&2; exit 1; }

package_of() {
    case $1 in
        versitygw) echo github.com/versity/versitygw/cmd/versitygw@v1.8.0 ;;
        minio) echo github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c ;;
        *) die "unknown kind $1: versitygw or minio" ;;
    esac
}

install() {
    local package
    package=$(package_of "$1")
    [ -x "$bin/$1" ] && return
    command -v go >/dev/null || die "go is needed to build $1: install Go 1.21 or newer"
    go version | grep -qE 'go1\.(2[1-9]|[3-9][0-9])' || die "$(go version) is too old to build $1: 1.21 or newer"
    mkdir -p "$bin"
    exec 9>"$bin/.lock"
    flock 9
    [ -x "$bin/$1" ] || GOBIN=$bin go install "$package" >&2 || die "go install $package failed"
    exec 9>&-
}

# The process is ours only if it has our mark in its environment: a stale pid file hits no stranger.
alive() {
    # no pipe: under pipefail its writer may die of SIGPIPE, and a live server look dead
    [ -s "$dir/pid" ] && grep -qzxF "S3_TEST_DIR=$dir" "/proc/$(cat "$dir/pid")/environ" 2>/dev/null
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

print_env() {
    [ -e "$dir/port" ] || die "$dir was never started"
    echo "AWS_ENDPOINT_URL=http${S3_TLS:+s}://127.0.0.1:$(cat "$dir/port") AWS_ACCESS_KEY_ID=$access AWS_SECRET_ACCESS_KEY=$secret AWS_REGION=us-east-1 S3_BUCKET=tidemark"
}

start() {
    local kind=$1 port
    alive && die "$dir is running already"
    install "$kind"
    mkdir -p "$dir/data/tidemark" "$dir/iam"
    port=${S3_PORT:-$(free_port)}
    listens "$port" && die "port $port is taken"
    echo "$port" >"$dir/port"
    local -a command tls=()
    [ -z "${S3_TLS:-}" ] || tls=(--cert "$S3_TLS/server.crt" --key "$S3_TLS/server.key")
    case $kind in
        # without --iam-dir an unknown key gets 404, not 403
        versitygw) command=("$bin/versitygw" --quiet --port "127.0.0.1:$port" --access "$access" --secret "$secret" "${tls[@]}" --iam-dir "$dir/iam" posix "$dir/data") ;;
        minio) command=(env MINIO_ROOT_USER="$access" MINIO_ROOT_PASSWORD="$secret" MINIO_BROWSER=off MINIO_UPDATE=off "$bin/minio" server --quiet --address "127.0.0.1:$port" "$dir/data") ;;
    esac
    rm -f "$dir/pid"
    S3_TEST_DIR=$dir setsid bash -c 'echo $$ >"$S3_TEST_DIR/pid"; exec "$@"' server "${command[@]}" </dev/null >>"$dir/log" 2>&1 &
    if [ -n "${S3_OWNER:-}" ]; then
        (while kill -0 "$S3_OWNER" 2>/dev/null; do sleep 1; done; "$0" stop "$dir") </dev/null >/dev/null 2>&1 &
    fi
    local try
    for ((try = 0; try < 300; try++)); do
        listens "$port" && alive && { print_env; return; }
        # gone, and not only without our mark: in the middle of an exec a process has no environment
        [ -s "$dir/pid" ] && [ ! -e "/proc/$(cat "$dir/pid")" ] && { tail -20 "$dir/log" >&2; die "$kind ended while it started"; }
        sleep 0.05
    done
    stop
    die "$kind is not ready after 15 s"
}

stop() {
    alive || return 0
    local pid try
    pid=$(cat "$dir/pid")
    kill "$pid" || true
    for ((try = 0; try < 100; try++)); do
        alive || { rm -f "$dir/pid"; return 0; }
        sleep 0.05
    done
    kill -KILL "$pid"
    rm -f "$dir/pid"
}

[ $# -ge 2 ] || die "usage: s3.sh install KIND | start DIR KIND | stop DIR | env DIR"
[ "$1" = install ] && { install "$2"; exit; }
dir=$(realpath -m "$2")
case $1 in
    start) [ $# -eq 3 ] || die "start DIR KIND"; start "$3" ;;
    stop) stop ;;
    env) print_env ;;
    *) die "unknown command $1" ;;
esac
