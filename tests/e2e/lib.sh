# Sourced by the end-to-end tests: a folder of their own, data by name, assertions.
set -euo pipefail
: "${GRAPHSTILL:?the program}" "${GRAPHSTILL_SOURCE:?the source tree}"
unset GRAPHSTILL_MODELS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
gs="$GRAPHSTILL"
data=${GRAPHSTILL_DATA:-$GRAPHSTILL_SOURCE/../shared/data}

need_data() {
    if [ ! -e "$data/$1" ]; then
        echo "SKIPPED: data set '$1' is not at $data (set GRAPHSTILL_DATA)"
        exit 77
    fi
}
# The first python3 that has h5py; Debian's own is the usual one.
need_h5py() {
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import h5py' 2>/dev/null && return
    done
    echo "SKIPPED: no python3 with h5py (Debian: python3-h5py)"
    exit 77
}
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
# expect CODE WORDS command…: the exit code, and that standard error holds the words in one short message.
expect() {
    local code=$1 words=$2 got=0
    shift 2
    "$@" >out.txt 2>err.txt || got=$?
    [ "$got" -eq "$code" ] || { cat err.txt >&2; fail "'$*' gave $got, not $code"; }
    [ -z "$words" ] || grep -q -- "$words" err.txt || { cat err.txt >&2; fail "'$*' does not say '$words'"; }
    [ "$code" -eq 0 ] || [ "$(wc -l <err.txt)" -le 2 ] || { cat err.txt >&2; fail "'$*' says too much"; }
}
# same A B group…: these groups of two files are equal, byte by byte.
same() {
    local a=$1 b=$2
    shift 2
    for group in "$@"; do
        h5diff -q "$a" "$b" "$group" "$group" || fail "$a and $b differ in $group"
    done
}
