#!/usr/bin/env bash
# `make demo`: says what it will download, brings it, builds, and shows the flow (demo.py).
#
#   SOURCE=mysql       replicates from MySQL 9.7 in place of MariaDB
#   DEMO_SECONDS=30    runs that long, compares both sides row for row, and exits 0 or 1
set -euo pipefail
cd "$(dirname "$0")/.."
source_kind=${SOURCE:-mariadb}
case $source_kind in
  mariadb | mysql) ;;
  *) echo "SOURCE is mariadb (default) or mysql, not $source_kind" >&2; exit 2 ;;
esac

cache=${PENSTOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/penstock}
plan=$(SOURCE=$source_kind tools/setup.sh plan demo)
echo "This demo starts a private $source_kind with a small shop, a ClickHouse and penstock on 127.0.0.1,"
echo "and replicates the shop live. Nothing is installed as a service."
if [ -n "$plan" ]; then
  printf 'It will first download and install:\n%s\n' "$plan"
else
  echo "Everything it needs to download is there ($cache)."
fi
echo "It builds into $PWD/build/release and keeps its data in $PWD/build/demo."
echo
SOURCE=$source_kind tools/setup.sh demo
make --no-print-directory build
export PENSTOCK_BUILD=${PENSTOCK_BUILD:-build/release}
exec /usr/bin/python3 demo/demo.py "$source_kind"
