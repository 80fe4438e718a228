#!/usr/bin/env bash
# Installs missing Debian packages without questions. If it can't, it prints which to install, and exits with 0: tests
# that need them are skipped. Usage: contrib/install-servers.sh PACKAGE...
# If another program holds apt's lock, it waits, and retries every HUBBUB_APT_PAUSE seconds [default: 5].
# No service is started: the tests start their own. A policy-rc.d forbids it meanwhile, unless the machine has one.
set -u
readonly WAIT=900 PAUSE=${HUBBUB_APT_PAUSE:-5}    # seconds
readonly POLICY=/usr/sbin/policy-rc.d
# By hooks of apt-get, because sudo may allow apt-get alone.
readonly FORBID="if [ ! -e $POLICY ]; then printf '#!/bin/sh\\n# by install-servers.sh\\nexit 101\\n' >$POLICY; chmod 755 $POLICY; fi"
readonly ALLOW="if grep -qs '^# by install-servers.sh' $POLICY; then rm $POLICY; fi"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# apt-get itself waits only for dpkg's lock, not for those of its lists and archives.
apt() {
    local said began=$SECONDS told=
    until said=$("${as_root[@]}" apt-get -o DPkg::Lock::Timeout=$WAIT "$@" 2>&1 >/dev/null </dev/null); do
        if ! grep -qE 'Could not get lock|Unable to (acquire|lock)' <<<"$said" || [ $((SECONDS - began)) -gt $WAIT ]; then
            echo "$said" >&2
            return 1
        fi
        [ -n "$told" ] || echo "another program holds apt's lock; waiting for it"
        told=1
        sleep "$PAUSE"
    done
}

if ! command -v apt-get >/dev/null; then
    echo "no apt-get here; the system tests need what Debian calls: $*"
    exit 0
fi
missing=()
for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=()
elif sudo -n apt-get --version >/dev/null 2>&1; then    # sudo may allow apt-get alone
    as_root=(sudo -n)
else
    echo "some system tests will skip; to run them: sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 0
fi
apt update -qq || true
apt -o DPkg::Pre-Invoke::="$FORBID" -o DPkg::Post-Invoke::="$ALLOW" install -y -qq --no-install-recommends "${missing[@]}" ||
    echo "apt-get could not install ${missing[*]}; some system tests will skip"
[ ! -d /run/systemd/system ] || echo "services of ${missing[*]} start when the machine next does; to prevent it: systemctl disable ..."
