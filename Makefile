# The two commands of the README are `make demo` and `make test`; each brings what it needs.
# Things downloaded go to PENSTOCK_CACHE (default: the user's cache folder), never in here.
PYTHON := /usr/bin/python3

.PHONY: help build test demo bench soak fuzz lint deb clean libchdb fresh-check

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

build:  ## the release binary, at build/release/penstock
	@tools/setup.sh packages
	@cmake --preset release >/dev/null
	@cmake --build build/release --target penstock penstock-clickhouse

demo:  ## a shop in MariaDB replicated live into ClickHouse (SOURCE=mysql, DEMO_SECONDS=30)
	@demo/run.sh

test:  ## all tests: unit, static and on real servers
	@tools/setup.sh test
	@$(PYTHON) tests/run.py

soak:  ## the system tests with many more rounds (PENSTOCK_ROUNDS, default 30)
	@tools/setup.sh test
	@PENSTOCK_ROUNDS=$${PENSTOCK_ROUNDS:-30} $(PYTHON) tests/run.py system

fuzz:  ## every decoder fuzzed (PENSTOCK_FUZZ_SECONDS each, default 600)
	@tools/setup.sh test
	@PENSTOCK_FUZZ_SECONDS=$${PENSTOCK_FUZZ_SECONDS:-600} $(PYTHON) tools/fuzz.py

lint:  ## clang-format, clang-tidy and thread-safety analysis, cached by content
	@tools/setup.sh test
	@$(PYTHON) tools/lint.py

bench: build  ## the benchmark with its gates (BENCH_ROWS, default 2000000)
	@tools/setup.sh test
	@cmake --preset release -DPENSTOCK_BENCH=ON >/dev/null
	@cmake --build build/release --target types_bench
	@$(PYTHON) bench/run.py

libchdb:  ## the embedded ClickHouse's library, into the cache
	@tools/setup.sh libchdb

fresh-check:  ## both README commands on a bare Debian 12 made by debootstrap (root)
	@tools/fresh-check.sh

deb: build  ## a Debian package, in build/release
	@cd build/release && cpack -G DEB

clean:  ## removes build/ (the cache stays)
	rm -rf build
