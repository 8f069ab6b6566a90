#!/usr/bin/env bash
# Installs what the tests need and is missing: Debian packages and Python wheels, by their ordinary clients.
# Only root may; anybody else is told what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
tier=${1:-normal}

missing=""

# need COMMAND PACKAGE: notes the Debian package when the command is not there.
need() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need cc build-essential
need git git
if [ "$tier" != fast ]; then
    need curl curl
    need promtool prometheus
    need python3 python3
    need h2load nghttp2-client
    need slowhttptest slowhttptest
    need strace strace
    need valgrind valgrind
    need wrk wrk
    python3 -c 'import ensurepip' >/dev/null 2>&1 || missing="$missing python3-venv"
fi
if [ -n "$missing" ]; then
    [ "$(id -u)" -eq 0 ] || die "not installed:$missing; run as root: apt-get install$missing"
    printf '==> installing%s\n' "$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
cargo nextest --version >/dev/null 2>&1 || {
    printf '==> installing cargo-nextest\n'
    cargo install --quiet --locked cargo-nextest
}

if [ "$tier" != fast ]; then
    # Wheels go into a virtual environment of the project's own.
    venv=target/venv
    wheels="moto[server,secretsmanager]==5.2.5 prometheus_client==0.26.0 rotel==0.0.1a15"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    if [ "$(cat "$venv/wheels" 2>/dev/null)" != "$wheels" ]; then
        printf '==> installing wheels: %s\n' "$wheels"
        # shellcheck disable=SC2086
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $wheels
        printf '%s' "$wheels" >"$venv/wheels"
    fi
fi
