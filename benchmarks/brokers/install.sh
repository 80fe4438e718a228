#!/usr/bin/env bash
# Installs the brokers' servers, and does not have them started: the benchmark starts its own.
# Usage: benchmarks/brokers/install.sh PACKAGE...
set -u
policy=/usr/sbin/policy-rc.d
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if [ ! -e $policy ] && printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null 2>&1; then
    trap '"${as_root[@]}" rm -f $policy' EXIT
    "${as_root[@]}" chmod 755 $policy
fi
"$(dirname "$0")/../../contrib/install-servers.sh" "$@"
[ -d /run/systemd/system ] && echo "systemd starts them when the machine next does; if you don't want that: systemctl disable ..."
exit 0
