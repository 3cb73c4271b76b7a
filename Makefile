# The two commands: make demo, make test. Everything else is for those who work on it.
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# Looked up when it is used: install-deps may have brought ninja a moment ago. A build folder keeps its own.
GENERATOR = $(shell test -e "$(1)/CMakeCache.txt" || ! command -v ninja >/dev/null 2>&1 || echo -G Ninja)
SOURCES = $(shell find src tests benchmarks -name '*.[ch]' 2>/dev/null)
# These choose OpenBLAS's kernels; a benchmark measures what the library chooses itself.
UNSET := env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE

.PHONY: all deps demo test bench format check-format install asan tsan coverage clean help

all: deps
	@mkdir -p "$(BUILD)"
	@cmake -S . -B "$(BUILD)" $(call GENERATOR,$(BUILD)) "-DCMAKE_INSTALL_PREFIX=$(PREFIX)" \
	    >"$(BUILD)/configure.log" 2>&1 || { cat "$(BUILD)/configure.log"; exit 1; }
	@cmake --build "$(BUILD)" -j $(JOBS)

deps:
	@tools/install-deps

demo: all
	"$(BUILD)/graphstill" demo -o graphstill-demo

test: all
	@tools/run-tests "$(BUILD)"

bench: all
	@$(UNSET) "$(BUILD)/graphstill" bench epoch
	@$(UNSET) "$(BUILD)/graphstill" bench kernels
	@$(UNSET) "$(BUILD)/graphstill" bench inference

# The presets of these names, in build-<name>, with fewer rounds of what is random.
asan tsan coverage: deps
	@cmake --preset $@ $(call GENERATOR,build-$@) >/dev/null
	@cmake --build build-$@ -j $(JOBS)
	@GS_TEST_QUICK=1 tools/run-tests build-$@
	@[ $@ != coverage ] || tools/show-coverage build-coverage

format:
	@clang-format -i $(SOURCES)

check-format:
	@clang-format --dry-run --Werror $(SOURCES)

install: all
	@cmake --install "$(BUILD)"

clean:
	rm -rf "$(BUILD)" build-asan build-tsan build-coverage build-dev build-release graphstill-demo

help:
	@echo "make demo     install what is missing, build, run the main job on built-in data"
	@echo "make test     the same, and run every test"
	@echo "make          build into build/; the program is build/graphstill"
	@echo "make bench    measure epochs, kernels and inference"
	@echo "make install  PREFIX=/usr/local DESTDIR="
	@echo "make asan, tsan, coverage (tests under sanitizers or gcov), format, check-format, clean"
	@echo "JOBS=N compiles N files, TEST_JOBS=N runs N tests at a time; BUILD=DIR builds elsewhere"
