# The two commands: make demo, make test. Everything else is for those who work on it.
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
GENERATOR := $(shell command -v ninja >/dev/null 2>&1 && echo "-G Ninja")

.PHONY: all demo test bench format check-format install asan tsan coverage clean deps help

all: deps
	@cmake -S . -B $(BUILD) $(if $(wildcard $(BUILD)/CMakeCache.txt),,$(GENERATOR)) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@cmake --build $(BUILD) -j $(JOBS)

deps:
	@tools/install-deps

demo: all
	$(BUILD)/graphstill demo -o graphstill-demo

test: all
	@tools/run-tests $(BUILD)

bench: all
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BUILD)/graphstill bench epoch
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BUILD)/graphstill bench kernels
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BUILD)/graphstill bench inference

asan tsan coverage:
	@tools/install-deps
	@cmake --preset $@ $(GENERATOR) >/dev/null
	@cmake --build build-$@ -j $(JOBS)
	@GS_TEST_QUICK=1 tools/run-tests build-$@

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

check-format:
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror

install: all
	@cmake --install $(BUILD)

clean:
	rm -rf build build-* graphstill-demo

help:
	@echo "make demo     install what is missing, build, run the main job on built-in data"
	@echo "make test     the same, and run every test"
	@echo "make          build into build/; the program is build/graphstill"
	@echo "make bench, asan, tsan, coverage, format, check-format, install (PREFIX=, DESTDIR=), clean"
