#!/usr/bin/env bash
# Builds the OpenTelemetry Collector that benchmarks compare with, into target/collector. Takes some minutes, and Go.
set -euo pipefail
cd "$(dirname "$0")"
target=$(realpath -m ../../../target/collector)
if ! command -v go >/dev/null; then
    echo "Go is not at hand: the comparison with the collector is left out (https://go.dev/doc/install)" >&2
    exit 0
fi
mkdir -p "$target"
# One package at a time, and politely: it is a lot to compile.
GOFLAGS="-p=${JOBS:-1} -mod=readonly ${GOFLAGS:-}" nice -n 10 go build -trimpath -o "$target/collector" .
"$target/collector" --version
