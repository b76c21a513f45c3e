#!/usr/bin/env bash
# Runs the README's two commands on a bare Debian 12 of its own, made by debootstrap, where only
# git, make and ca-certificates were installed. Needs root. Takes the last commit of this repository.
#
#   tools/fresh-check.sh [--cache DIR] [--keep]
#
# --cache DIR   lets it use (and fill) a cache of downloads, in place of an empty one
# --keep        leaves the folder, to look around in
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
cache="" keep=""
while [ $# -gt 0 ]; do
  case $1 in
    --cache) cache=$(realpath "$2"); shift 2 ;;
    --keep) keep=yes; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done
[ "$(id -u)" = 0 ] || { echo "fresh-check: needs root" >&2; exit 1; }
"$repository/tools/setup.sh" test >/dev/null

folder=$(mktemp -d "${TMPDIR:-/var/tmp}/penstock-fresh.XXXXXX")
machine=$folder/machine
finish() { [ -n "$keep" ] && echo "kept: $folder" || rm -rf --one-file-system "$folder"; }
trap finish EXIT

say() { printf 'fresh-check: %s\n' "$*"; }
say "a bare Debian 12 in $machine"
debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$machine" \
  >"$folder/log" 2>&1 || { tail "$folder/log"; exit 1; }

# The way to the network is the host's: names, proxies and its own certificate authorities.
cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
cp -L /etc/hosts "$machine/etc/hosts"
proxy=$(apt-config dump --format '%f "%v";%n' Acquire::http::Proxy Acquire::https::Proxy)
[ -z "$proxy" ] || echo "$proxy" >"$machine/etc/apt/apt.conf.d/90proxy"
if compgen -G "/usr/local/share/ca-certificates/*" >/dev/null; then
  cp -rL /usr/local/share/ca-certificates/. "$machine/usr/local/share/ca-certificates/"
  chroot "$machine" update-ca-certificates >/dev/null 2>&1
fi

git clone --quiet --no-local "$repository" "$machine/opt/penstock"
[ -z "$(git -C "$repository" status --porcelain)" ] ||
  say "note: changes that are not committed are not in this check"
commit=$(git -C "$machine/opt/penstock" rev-parse --short HEAD)

mkdir -p "$machine/cache"
cat >"$machine/check" <<'SCRIPT'
#!/bin/bash
export HOME=/root LC_ALL=C.UTF-8 PENSTOCK_CACHE=/cache
cd /opt/penstock
started=$SECONDS
DEMO_SECONDS=30 make demo; demo=$?
echo "fresh-check: make demo: exit $demo, $((SECONDS - started)) s"
started=$SECONDS
make test; tests=$?
echo "fresh-check: make test: exit $tests, $((SECONDS - started)) s"
[ $demo = 0 ] && [ $tests = 0 ]
SCRIPT
chmod +x "$machine/check"

# Namespaces of its own: mounts are gone and processes are killed when it ends, however it ends.
export machine cache
status=0
# shellcheck disable=SC2016
unshare --mount --pid --fork --kill-child bash -c '
  mount -t proc proc "$machine/proc"
  mount -t sysfs sysfs "$machine/sys"
  mount -t tmpfs tmpfs "$machine/dev/shm" 2>/dev/null
  [ -z "$cache" ] || mount --bind "$cache" "$machine/cache"
  exec chroot "$machine" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} \
    /check' || status=$?
if [ "$status" = 0 ]; then say "passed at $commit"; else say "FAILED at $commit"; fi
exit "$status"
