#!/usr/bin/env bash
# Runs the first steps of README in a fresh clone: 'make run' until messages flow, then Ctrl-C; 'make test'; 'make docs'.
# Usage: contrib/newcomer.sh [TESTS...]
#   TESTS    files and directories of the tests that 'make test' runs [default: all]
set -eu
set -m    # 'make run' in a process group of its own, which gets the Ctrl-C, as from a terminal
cd "$(dirname "$0")/.."
WAIT=1200    # seconds until messages must flow; pip's downloads are in it

env --default-signal=INT make run >run.log 2>&1 &    # a script may be started with SIGINT ignored
make=$!
flows() { .venv/bin/hubbub status --json 2>/dev/null | grep -Eq '"finished": *[1-9]'; }
until flows; do
    kill -0 "$make" 2>/dev/null && [ "$SECONDS" -lt "$WAIT" ] || {
        cat run.log
        kill -TERM -- "-$make" 2>/dev/null || true
        echo "newcomer: after $SECONDS s, 'make run' shows no message that was finished" >&2
        exit 1
    }
    sleep 0.5
done
kill -INT -- "-$make"
wait "$make" || true    # make itself says that it was interrupted
if .venv/bin/hubbub status >/dev/null 2>&1; then
    echo "newcomer: the hub still runs after Ctrl-C" >&2
    exit 1
fi
echo "newcomer: make run showed its first messages within $SECONDS s, and ended on Ctrl-C"
rm run.log

make test TESTS="$*"
make docs
