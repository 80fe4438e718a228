#!/usr/bin/env bash
# Installs Debian packages that are missing; asks nothing. Where it can't, it says what to install, and is content:
# the tests that need them skip, naming them. Usage: contrib/install-servers.sh PACKAGE...
# Where another program holds apt's lock, it waits for that, and looks every HUBBUB_APT_PAUSE seconds [default: 5].
set -u
readonly WAIT=900 PAUSE=${HUBBUB_APT_PAUSE:-5}    # seconds
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# apt-get waits by itself for dpkg's lock alone, not for those of its lists and its archives.
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
apt install -y -qq --no-install-recommends "${missing[@]}" ||
    echo "apt-get could not install ${missing[*]}; some system tests will skip"
