# The file name is the registration: what is malformed is refused by name, and a layer from outside the
# tree joins the registry.
. "$(dirname "$0")/lib.sh"
: "${CMAKE:=cmake}"
mkdir -p own mine/layers
configure() {
    "$CMAKE" -S "$GRAPHSTILL_SOURCE/tests/cmake/registry" -B registry -DFOLDER="$PWD/own" "$@" >log.txt 2>&1
}
refused() { # words, text of own/a.c
    printf '%b\n' "$2" >own/a.c
    ! configure || fail "own/a.c with '$2' is accepted"
    tr -s '\n ' ' ' <log.txt >line.txt
    grep -q "own/a.c $1" line.txt || { cat log.txt; fail "'$2' is not refused by name"; }
}
good='const gs_layer gs_layer_a = {0};'
refused "must define 'const gs_layer gs_layer_a'" 'int x;'
refused "must define 'const gs_layer gs_layer_a'" 'const gs_layer gs_layer_other = {0};'
refused "must define 'const gs_layer gs_layer_a'" 'static const gs_layer gs_layer_a = {0};'
refused "must define 'const gs_layer gs_layer_a'" 'const gs_layer gs_layer_ab = {0};'
refused "must define one descriptor, but it defines 2" "$good\nconst gs_layer gs_layer_b = {0};"
refused "must define one descriptor, but it defines 2" "$good\ngs_layer second;"
refused "must define one descriptor, but it defines 2" "const gs_method gs_method_a = {0};\n$good"
refused "must define one descriptor, but it defines 3" "$good\nconst gs_layer x[2] = {{0}};\ngs_command y = {0};"

# Empty folders are legal; names are sorted; the outside joins; a second of one name does not.
rm own/a.c
configure || { cat log.txt; fail "an empty folder is refused"; }
grep -qF 'gs_layers[] = {NULL};' registry/generated/layer_registry.c || fail "the empty table is not empty"
echo "$good" >own/a.c
echo 'const gs_layer gs_layer_c = {0};' >own/c.c
echo 'const gs_layer gs_layer_b = {0};' >mine/layers/b.c
configure -DGRAPHSTILL_PLUGINS="$PWD/mine" || { cat log.txt; fail "good layers are refused"; }
grep -qF '{&gs_layer_a, &gs_layer_b, &gs_layer_c, NULL}' registry/generated/layer_registry.c ||
    { cat registry/generated/layer_registry.c; fail "the table is wrong"; }
mv mine/layers/b.c mine/layers/a.c
echo "$good" >mine/layers/a.c
! configure || fail "two layers of one name are accepted"
! configure -DGRAPHSTILL_PLUGINS="$PWD/absent" || fail "an absent folder of plug-ins is accepted"
grep -q 'there is no folder' log.txt || fail "an absent folder is not named"
