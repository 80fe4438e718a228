#!/usr/bin/env bash
# Creates a minimal Debian 12 in a temporary directory with a clone of this repository, and runs a command there.
#
# Usage: contrib/bare-debian.sh [WHO...] [-- COMMAND...]
#   WHO      root, or user: an ordinary user whose sudo allows apt-get alone; each WHO gets a system of its own
#            without WHO it only checks whether one could be created here: it prints what is missing, exit code 69 or 77
#   COMMAND  is run in the clone [default: contrib/newcomer.sh, which runs the first steps of README]
#
# The system has only debootstrap's minbase and the packages that README requires. It reaches the package registries as
# this machine does: with its sources and settings of apt, pip and npm, its proxies and its certificates. If ../shared
# exists, it is mounted beside the clone, read-only.
#
# Mounts and processes have their own namespaces, which the kernel removes with the command, however it ends. A process
# that the command leaves behind is printed, and is a failure.
set -eu
readonly PACKAGES=(git make python3-venv)    # what README asks for
readonly USER_NAME=newcomer

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit 64
}

fail() {
    echo "bare-debian: $1" >&2
    exit "${2:-1}"
}

# ---- outside: the system is made ----

# The mirror that this machine's apt uses; nothing where it names none, and debootstrap takes its own.
mirror() {
    sources 2>/dev/null | awk '$3 == "bookworm" { print $2; exit }'
}

# Where Debian's packages come from on this machine. Sources of others are left out: their keys are not in a bare system.
sources() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' |
        awk '/ bookworm[^ ]* Debian$/ && !seen[$0]++ { print "deb", $1, $2, "main" }'
}

make_base() {
    local from
    from=$(mirror)
    echo "bare-debian: debootstrap, into $directory"
    debootstrap --variant=minbase bookworm "$directory/base" ${from:+"$from"} >"$directory/log" 2>&1 || {
        tail -n 20 "$directory/log" >&2
        fail "debootstrap failed"
    }
    like_this_machine "$directory/base"
}

# How this machine reaches package registries. No host is named here: all is copied.
like_this_machine() {
    local root=$1 file
    sources >"$root/etc/apt/sources.list.new"
    if [ -s "$root/etc/apt/sources.list.new" ]; then mv "$root/etc/apt/sources.list.new" "$root/etc/apt/sources.list"; fi
    apt-config dump | grep '^Acquire::' | grep -v '""' >"$root/etc/apt/apt.conf.d/99-machine" || true
    for file in /etc/apt/auth.conf.d /etc/hosts /etc/resolv.conf /etc/pip.conf /etc/xdg/pip /etc/npmrc \
        /usr/local/share/ca-certificates /etc/ssl/certs/ca-certificates.crt; do
        [ -e "$file" ] || continue
        mkdir -p "$root$(dirname "$file")"
        cp -rL "$file" "$root$(dirname "$file")/"
    done
    # It does not outlive the command: nothing need be safe from a power cut.
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
    # A package that is installed in a chroot must not start its service.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
}

# The variables of this machine that say how registries are reached, as assignments.
environment() {
    env | grep -E '^([a-z]+_proxy|[A-Z]+_PROXY|PIP_[A-Z_]+|(npm_config|NPM_CONFIG)_[A-Za-z_]+)=' || true
    env | grep -E '^[A-Z_]*(CERT_FILE|CERT_DIR|CA_BUNDLE|CA_CERTS)=' || true
    if command -v npm >/dev/null; then echo "npm_config_registry=$(cd / && npm config get registry)"; fi
}

# ---- inside the namespaces: mounts, accounts, the clone ----

mount_all() {
    local root=$1
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --make-rslave "$root/sys"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
    ln -sf pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
    mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run"
    mkdir -p "$root/run/lock"
    chmod 1777 "$root/run/lock"
}

# Directories of this machine that pip's settings name: packages may lie there.
mount_packages() {
    local root=$1 place
    python3 -m pip config list 2>/dev/null | grep -oE "(/[A-Za-z0-9._-]+)+" | sort -u | while read -r place; do
        place=${place%/simple}    # an index; its files lie beside it
        { [ -d "$place" ] && [ ! -e "$root$place" ]; } || continue
        mkdir -p "$root$place"
        mount --bind "$place" "$root$place"
        mount -o remount,bind,ro "$root$place"
    done
}

# The clone, and beside it what its tests read.
place_clone() {
    local root=$1 home=$2
    git clone --quiet --no-hardlinks "$top" "$root$home/hubbub"
    if [ -d "$top/../shared" ]; then
        mkdir -p "$root$home/shared"
        mount --bind "$top/../shared" "$root$home/shared"
        mount -o remount,bind,ro "$root$home/shared"
    elif [ -r "${HUBBUB_MESSAGES:-}" ]; then
        mkdir -p "$root$home/shared/data"
        cp "$HUBBUB_MESSAGES" "$root$home/shared/data/fedmsg-messages.jsonl"
    fi
    for file in .npmrc .config/pip .pip; do
        [ -e "$HOME/$file" ] || continue
        mkdir -p "$root$home/$(dirname "$file")"
        cp -rL "$HOME/$file" "$root$home/$(dirname "$file")/"
    done
}

make_user() {
    local root=$1
    chroot "$root" apt-get install -y -qq --no-install-recommends sudo >/dev/null
    chroot "$root" useradd --create-home --shell /bin/bash "$USER_NAME"
    echo "$USER_NAME ALL=(root) NOPASSWD: /usr/bin/apt-get" >"$root/etc/sudoers.d/$USER_NAME"
}

# Command lines of all processes but this one and its subshell. The namespace holds no other's.
others() {
    local process command
    for process in /proc/[0-9]*; do
        case ${process#/proc/} in $$ | "$BASHPID") continue ;; esac
        command=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue    # it has ended meanwhile
        [ -z "$command" ] || echo "$command"    # a zombie has none
    done
}

# Some end by themselves, a moment after their parent.
nothing_left() {
    local tries=300 left
    while left=$(others) && [ -n "$left" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
    [ -z "$left" ] || { sed 's/^/bare-debian: left running: /' <<<"$left" >&2; return 1; }
}

inside() {
    local who=$1 root=$2 home=/root as=() status=0
    shift 2
    mount_all "$root"
    mount_packages "$root"
    export DEBIAN_FRONTEND=noninteractive
    chroot "$root" apt-get update -qq >/dev/null
    chroot "$root" apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}" >/dev/null 2>&1
    if [ "$who" = user ]; then
        make_user "$root"
        home=/home/$USER_NAME as=(runuser -u "$USER_NAME" --)
    fi
    place_clone "$root" "$home"
    [ "$who" = root ] || chown -R --no-dereference --from=root "$(stat -c %u:%g "$root$home")" \
        "$root$home/hubbub" $(find "$root$home" -mindepth 1 -maxdepth 1 -name '.*')
    mapfile -t variables < <(environment)
    cd "$root"
    mkdir -p .outside
    pivot_root . .outside
    umount -l /.outside
    cd "$home/hubbub"
    "${as[@]}" env -i HOME="$home" USER="${as:+$USER_NAME}" PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin \
        LANG=C.UTF-8 TERM="${TERM:-dumb}" ${CI:+CI="$CI"} "${variables[@]}" "$@" || status=$?
    nothing_left || [ "$status" != 0 ] || status=1
    return "$status"
}

# ---- the command line ----

top=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --inside ]; then
    shift
    inside "$@"
    exit
fi
people=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in root | user) people+=("$1") ;; *) usage ;; esac
    shift
done
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- contrib/newcomer.sh
[ "$(id -u)" = 0 ] || fail "only root may make a system" 77
command -v debootstrap >/dev/null || fail "debootstrap is not installed (Debian and Ubuntu: apt-get install debootstrap)" 69

[ ${#people[@]} -gt 0 ] || exit 0

directory=$(mktemp -d /var/tmp/bare-debian.XXXXXX)
inner=
clean() {
    # unshare itself heeds no other signal; its end is that of all in its namespaces.
    [ -z "$inner" ] || { kill -KILL "$inner" && wait "$inner"; } 2>/dev/null || true
    rm -rf --one-file-system "$directory"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
make_base
for who in "${people[@]}"; do
    echo "bare-debian: $* as $who"
    cp -a "$directory/base" "$directory/$who"
    setpriv --pdeathsig KILL env --default-signal=INT unshare --mount --pid --fork --kill-child --propagation private -- \
        "$top/contrib/bare-debian.sh" --inside "$who" "$directory/$who" "$@" </dev/null &
    inner=$!
    status=0
    wait "$inner" || status=$?
    inner=
    [ "$status" = 0 ] || fail "$* failed as $who"
    rm -rf --one-file-system "${directory:?}/$who"
done
