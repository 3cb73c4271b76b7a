# An installed tree, moved elsewhere, serves users of CMake, of pkg-config and of the static library.
. "$(dirname "$0")/lib.sh"
: "${GRAPHSTILL_BUILD:?the build folder}" "${CMAKE:=cmake}" "${CC:=cc}"
command -v pkg-config >/dev/null || { echo "SKIPPED: no pkg-config"; exit 77; }
"$CMAKE" --install "$GRAPHSTILL_BUILD" --prefix "$PWD/first" >install.txt
mv first moved
lib=$(dirname "$(find moved -name libgraphstill.a)")
[ -n "$lib" ] || fail "no static library was installed"

says_karate() {
    "$@" >out.txt || fail "'$*' does not run"
    grep -q '^34 nodes .*gcn' out.txt || { cat out.txt; fail "'$*' does not know the graph and the layers"; }
}
"$CMAKE" -S "$GRAPHSTILL_SOURCE/tests/cmake/consumer" -B consumer -DCMAKE_PREFIX_PATH="$PWD/moved" \
    -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS="${CFLAGS:-}" >configure.txt
"$CMAKE" --build consumer >build.txt
says_karate consumer/consumer

export PKG_CONFIG_PATH="$PWD/$lib/pkgconfig"
[ "$(pkg-config --modversion graphstill)" = "$("$gs" --version | sed -n 's/^graphstill \([0-9.]*\).*/\1/p')" ] ||
    fail "pkg-config and --version tell different versions"
# shellcheck disable=SC2046,SC2086
"$CC" ${CFLAGS:-} "$GRAPHSTILL_SOURCE/tests/cmake/consumer.c" -o shared $(pkg-config --cflags --libs graphstill)
says_karate env LD_LIBRARY_PATH="$PWD/$lib" ./shared
private=$(sed -n 's/^Libs.private: //p' "$lib/pkgconfig/graphstill.pc")
# shellcheck disable=SC2046,SC2086
"$CC" ${CFLAGS:-} "$GRAPHSTILL_SOURCE/tests/cmake/consumer.c" -o static $(pkg-config --cflags graphstill) \
    "$lib/libgraphstill.a" $private
says_karate ./static

# The shared library shows no names but ours, and the program runs from its new place.
nm -D --defined-only "$lib/libgraphstill.so" | awk '$3 !~ /^gs_/ && $2 != "A" {print $3}' >foreign.txt
[ ! -s foreign.txt ] || [ -n "${CFLAGS:-}" ] || { cat foreign.txt; fail "foreign names are exported"; }
moved/bin/graphstill info karate >info.txt || fail "the installed program does not run"
