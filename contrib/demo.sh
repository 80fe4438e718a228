#!/usr/bin/env bash
# Runs the hub on its shipped configuration with a visible stream of sample messages, until Ctrl-C.
# Usage: contrib/demo.sh BIN [RATE]     BIN: where the hubbub command is; RATE: messages per second
set -u
set -m    # each in a process group of its own, so that Ctrl-C reaches this script alone, which stops them in order
bin=${1:?the directory of the hubbub command} rate=${2:-20}
cd "$(dirname "$0")/.." || exit 1

"$bin/hubbub" check -c hub.conf >/dev/null || exit
"$bin/hubbub" run -c hub.conf &
hub=$!
feed=
stop() {
    trap '' INT TERM
    [ -n "$feed" ] && kill "$feed" 2>/dev/null && wait "$feed" 2>/dev/null
    kill "$hub" 2>/dev/null
    wait "$hub"
    exit $?
}
trap stop INT TERM

until "$bin/hubbub" status -c hub.conf >/dev/null 2>&1; do
    kill -0 "$hub" 2>/dev/null || { wait "$hub"; exit $?; }
    sleep 0.2
done
cat <<EOF

  The hub runs, and hears $rate sample messages a second. Its page, where you may also act:
    $("$bin/hubbub" web -c hub.conf)
  In another terminal:
    $bin/hubbub top                               the same on a terminal; watch 'slow' fall behind
    $bin/hubbub status                            once, as a table
    $bin/hubbub tail 'org.example.demo.git.#'     messages as they come
    $bin/hubbub archive search --since 1h         what the archive holds
    $bin/hubbub publish org.example.demo.hello '{"agent": "you"}'
  The configuration is hub.conf, the state is in state/. Ctrl-C stops all.

EOF
"$bin/hubbub" feed -c hub.conf contrib/samples.jsonl --loop --fresh --rate "$rate" --quiet &
feed=$!
wait "$hub"
stop
