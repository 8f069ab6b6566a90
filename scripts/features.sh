#!/usr/bin/env bash
# Prints the features of one package, `default` and those that others turn on (`_…`) left out.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == sys.argv[1]:
        print(*(f for f in package["features"] if f != "default" and not f.startswith("_")))
' "$1"
