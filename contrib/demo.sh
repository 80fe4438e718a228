#!/usr/bin/env bash
# Runs the hub on its shipped configuration with a stream of sample messages, until Ctrl-C.
# Usage: contrib/demo.sh BIN [RATE]     BIN: directory of the hubbub command; RATE: messages per second in a burst
#
# The output of the hub and its consumers goes to state/demo.log, so that the link to the page stays on the screen.
set -u

# The parent may ignore these signals, as a shell does for background jobs; bash could not trap them then.
if [ -z "${HUBBUB_DEMO-}" ]; then
    export HUBBUB_DEMO=1
    exec env --default-signal=INT,TERM setpriv --pdeathsig TERM "$0" "$@"
fi

set -m    # each in a process group of its own, so that Ctrl-C reaches this script alone, which stops them in order
cd "$(dirname "$0")/.." || exit 1
bin=${1:?the directory of the hubbub command} rate=${2:-20} samples=contrib/samples.jsonl
quiet=$(( rate < 5 ? 1 : rate / 5 ))
mkdir -p state
log=state/demo.log burst=state/burst.jsonl
: >"$log"
children=()

# Each process ends with this script, even if that is killed.
start() { setpriv --pdeathsig TERM "$@" >>"$log" 2>&1 & children+=($!); }

stop() {
    trap '' INT TERM HUP
    [ ${#children[@]} -gt 1 ] && kill "${children[@]:1}" 2>/dev/null && wait "${children[@]:1}" 2>/dev/null
    kill "${children[0]}" 2>/dev/null
    wait "${children[0]}"
    code=$?
    grep -a 'service: consumer' "$log" | sed 's/.*service:/ /; s/ *action=.*//'
    exit $code
}

"$bin/hubbub" check -c hub.conf >/dev/null || exit
trap stop INT TERM HUP
start "$bin/hubbub" run -c hub.conf
until "$bin/hubbub" status -c hub.conf >/dev/null 2>&1; do
    kill -0 "${children[0]}" 2>/dev/null || { cat "$log"; wait "${children[0]}"; exit $?; }
    sleep 0.2
done

# Few messages, with bursts: 'slow' falls behind, and catches up.
for _ in {1..12}; do cat "$samples"; done >"$burst"
start "$bin/hubbub" feed -c hub.conf "$samples" --loop --fresh --rate "$quiet" --quiet
bursts='with="setpriv --pdeathsig TERM"
while :; do $with "$0" feed -c hub.conf "$1" --fresh --rate "$2" --quiet; $with sleep 60; done'
start bash -c "$bursts" "$bin/hubbub" "$burst" "$rate"

cat <<END

  The hub runs, and hears $quiet sample messages a second, in a burst $rate.
  Its page (the link is good once, for a minute; 'hubbub web' makes another):
    $("$bin/hubbub" web -c hub.conf 2>/dev/null | head -n 1)

  In another terminal, in this directory, with PATH=$bin:\$PATH
    hubbub top                    watch 'slow' fall behind and catch up
    hubbub status                 once, as a table
    hubbub dead list              what 'mirror' could not handle, and why
    hubbub dead retry mirror --error Connection --canary 1
    hubbub replay log --since 5m  all messages are kept for a day
    hubbub tail 'org.example.demo.git.#' --json
    hubbub trace ID               what became of it; tail has ids
    hubbub archive search --since 1h
    hubbub publish org.example.demo.hello '{"agent": "you"}'
    tail -f $log        what 'log' prints, and the hub's log

  hub.conf is the configuration, state/ has the rest. Ctrl-C stops all.
END
wait "${children[0]}"
stop
