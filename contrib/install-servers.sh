#!/usr/bin/env bash
# Installs Debian packages that are missing; asks nothing. Where it can't, it says what to install, and is content:
# the tests that need them skip, naming them. Usage: contrib/install-servers.sh PACKAGE...
set -u
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
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    echo "some system tests will skip; to run them: sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq || true
if ! "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "apt-get could not install ${missing[*]}; some system tests will skip"
fi
