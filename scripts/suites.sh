#!/usr/bin/env bash
# Runs third-party conformance suites, found in a directory that the caller names, against examples/conformance.
#
# DIR may hold: trace-context/ (github w3c/trace-context), h1spec/ (github uNetworking/h1spec), h2spec (the binary).
# slowhttptest is taken from PATH. h1spec runs under `deno`, from PATH or DIR. What is not found is said.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
dir=$(realpath "$1")
[ -d "$dir" ] || die "$1 is not a directory"

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cargo build --release --quiet -p conformance
binary=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/conformance
port=$(free_port)
admin=$(free_port)
log=$(mktemp)
"$binary" --port "$port" --admin-port "$admin" --pre-stop 0s --log-level warn >"$log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do
    curl -sf "http://127.0.0.1:$port/readyz" >/dev/null && break
    sleep 0.1
done

if [ -f "$dir/trace-context/test/test.py" ]; then
    printf '==> W3C trace-context, level 2, strict\n'
    harness=$(free_port)
    (cd "$dir/trace-context/test" && HARNESS_HOST=127.0.0.1 HARNESS_PORT="$harness" HARNESS_TIMEOUT=5 SPEC_LEVEL=2 STRICT_LEVEL=2 \
        "${SUITES_PYTHON:-python3}" test.py "http://127.0.0.1:$port/test") 2>&1 | grep -E '^(FAIL|ERROR|Ran|OK|FAILED)' || true
else
    printf '==> no trace-context/test/test.py in %s\n' "$dir"
fi

deno=$(command -v deno || ls "$dir/deno" 2>/dev/null || true)
if [ -f "$dir/h1spec/http_test.ts" ] && [ -n "$deno" ]; then
    printf '==> h1spec\n'
    "$deno" run --allow-net "$dir/h1spec/http_test.ts" 127.0.0.1 "$port" 2>&1 | grep -E '❌|tests passed' || true
else
    printf '==> no h1spec/http_test.ts in %s, or no deno\n' "$dir"
fi

h2spec=""
for f in "$dir/h2spec" "$dir/h2spec/h2spec"; do
    if [ -f "$f" ] && [ -x "$f" ]; then h2spec=$f; fi
done
if [ -n "$h2spec" ]; then
    printf '==> h2spec\n'
    "$h2spec" -h 127.0.0.1 -p "$port" 2>&1 | grep -E '×|tests,' | sort -u || true
else
    printf '==> no h2spec binary in %s\n' "$dir"
fi

if command -v slowhttptest >/dev/null; then
    for mode in H B; do
        printf '==> slowhttptest -%s, 300 connections\n' "$mode"
        slowhttptest "-$mode" -c 300 -r 300 -i 5 -l 60 -p 3 -s 8192 -u "http://127.0.0.1:$port/" 2>&1 |
            sed 's/\x1b\[[0-9;]*m//g' | grep -E 'closed:|Exit status|End' | tail -3 || true
    done
else
    printf '==> no slowhttptest: apt-get install slowhttptest\n'
fi
