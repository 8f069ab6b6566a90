# Shared by the scripts of this project; sourced, never run.

timings=""
began=$(date +%s)

die() {
    printf 'check: %s\n' "$*" >&2
    exit 64
}

# step NAME COMMAND...: runs the command, prints how long it took, and stops at the first failure.
step() {
    local name=$1 start rc=0
    shift
    start=$(date +%s)
    printf '==> %s\n' "$name"
    "$@" || rc=$?
    local took=$(($(date +%s) - start))
    timings="${timings}$(printf '%5d s  %s' "$took" "$name")
"
    if [ "$rc" -ne 0 ]; then
        printf '==> %s FAILED after %d s (exit %d): %s\n' "$name" "$took" "$rc" "$*" >&2
        report
        exit 1
    fi
}

report() {
    printf '\n%s%5d s  in all\n' "$timings" "$(($(date +%s) - began))"
}
