#!/usr/bin/env bash
# What building and testing through cargo promises. Run by .ci/run, since a cargo inside `cargo test` would wait for it.
set -euo pipefail
cd "$(dirname "$0")/.."
module=daemon/tracegist/_engine.abi3.so
purpose=tests/test_made_by_build_sh.py
scratch=$(mktemp -d)
trap 'rm -rf "$purpose" "$scratch"' EXIT

fail() {
    echo "build.sh: $1" >&2
    if [ -e "$scratch/said" ]; then cat "$scratch/said" >&2; fi
    exit 1
}

# Runs the command, its output in $scratch/said; true if it ended as $1 says.
ends() {
    local wanted=$1 status=0
    shift
    "$@" >"$scratch/said" 2>&1 || status=$?
    [ "$status" -eq "$wanted" ]
}

said() { grep -qF -- "$1" "$scratch/said"; }

build() { ends 0 cargo build --release --locked || fail "cargo build --release failed"; }

build
start=$(date +%s%N)
build
took=$((($(date +%s%N) - start) / 1000000))
[ $took -lt 1000 ] || fail "a build with nothing to do took $took ms"

touch daemon/tracegist/__init__.py
build
! said Compiling || fail "an edit of Python alone rebuilt something"

rm $module
build
[ -e $module ] || fail "a deleted native module stayed away"
build
! said Compiling || fail "the native module that came back made cargo build again"

ends 0 cargo run --quiet --release --locked -- --version || fail "cargo run failed"
[ "$(wc -l <"$scratch/said")" -eq 1 ] || fail "cargo run says more than the program it runs"
root=$PWD
(cd "$scratch" && ends 0 "$root/target/release/tracegist" --help) || fail "the launcher needs a certain folder"
ends 2 target/release/tracegist no-such-verb || fail "the exit code of the program did not pass through"

python_tests() { cargo test --locked --test python -- "$@"; }
printf 'def test_made__fails() -> None:\n    print("a word before")\n    assert 6 * 7 == 54\n' >$purpose
ends 101 python_tests test_made__ || fail "a Python test failed, and cargo test did not"
{ said 'test_made__fails ... FAILED' && said 'assert (6 * 7) == 54' && said 'a word before'; } || fail "a failure is not shown"
printf 'import no_such_module\n' >$purpose
ends 101 python_tests || fail "a test file could not be imported, and cargo test did not fail"
said "No module named 'no_such_module'" || fail "an import that failed is not shown"
rm $purpose
ends 0 python_tests no_such_test || fail "a filter that fits no test failed"
ends 101 python_tests --skip test_ || fail "a run without a filter found no test, and did not fail"
ends 0 python_tests --list || fail "--list failed"
said 'tests/test_config.py::test_config__named_file_missing__is_an_error: test' || fail "--list shows no test"

# The wheel, in an environment of its own, where neither cargo nor the sources are.
ends 0 target/venv/bin/python -m maturin build --release --locked --target-dir target/python --out "$scratch" || fail "no wheel"
sed -E '/^ +--hash/d; s/ *\\$//' requirements.lock >"$scratch/constraints"
target/venv/bin/python -m venv "$scratch/venv"
ends 0 "$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$scratch/constraints" "$scratch"/tracegist-*-cp311-abi3-*.whl || fail "the wheel does not install"
printf '2026-01-01T00:00:00Z ERROR payment: upstream timed out\n' >"$scratch/app.log"
installed() { (cd "$scratch" && env -i PATH=/nowhere HOME="$scratch" venv/bin/tracegist "$@"); }
ends 0 installed --help || fail "the installed command does not run"
ends 0 installed summarize app.log --budget 500 || fail "the installed command does not summarize"
said 'upstream timed out' || fail "the installed command did not see the log"
printf '{"jsonrpc":"2.0","id":1,"method":"ping"}\n' | ends 0 installed mcp app.log || fail "the installed command speaks no MCP"
said '"id":1' || fail "the installed command does not answer over MCP"

echo "build.sh: all as promised; a build with nothing to do takes $took ms"
