#!/usr/bin/env bash
# Runs the quickstart as a newcomer would, tries every curl line that it prints, and ends it with Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

free_ports() {
    python3 -c '
import socket
sockets = [socket.socket() for _ in range(8)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))'
}

cargo build --quiet -p quickstart
binary=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/debug/quickstart
out=$(mktemp)
trap 'kill -9 "$quickstart" 2>/dev/null || true; rm -f "$out"' EXIT
read -r -a ports <<<"$(free_ports)"
"$binary" --port "${ports[0]}" --admin-port "${ports[1]}" \
    --orders-1-port "${ports[2]}" --orders-2-port "${ports[3]}" --orders-3-port "${ports[4]}" \
    --orders-1-admin-port "${ports[5]}" --orders-2-admin-port "${ports[6]}" --orders-3-admin-port "${ports[7]}" >"$out" &
quickstart=$!
for _ in $(seq 200); do
    curl -sf "http://127.0.0.1:${ports[0]}/readyz" >/dev/null && break
    kill -0 "$quickstart" || { cat "$out"; exit 1; }
    sleep 0.05
done
tried=0
while read -r line; do
    answer=$(eval "$line --silent --show-error --fail --max-time 5")
    printf '%s\n  %s\n' "$line" "$(head -c 200 <<<"$answer" | head -1)"
    tried=$((tried + 1))
done < <(grep -E '^ *curl ' "$out")
[ "$tried" -ge 4 ] || { printf 'only %d curl lines were printed\n' "$tried" >&2; exit 1; }
kill -INT "$quickstart"
rc=0
wait "$quickstart" || rc=$?
[ "$rc" -eq 0 ] || { printf 'the quickstart ended with %d\n' "$rc" >&2; exit 1; }
