# Any number of threads gives the same outputs, for every kind of model and at odd widths; also when BLAS is
# told to use another kernel set.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=900 features=300 >/dev/null
job() { # model width folder threads
    local extra=""
    [ "$1" = gat ] && extra="heads=2"
    # shellcheck disable=SC2086
    "$gs" train "$1" -g g.h5 -o "$3" --threads "$4" -q epochs=8 patience=0 hidden="$2" keep=all $extra
}
for core in "" Haswell; do
    [ -z "$core" ] || export OPENBLAS_CORETYPE=$core
    for model in gcn gat mlp; do
        for width in 7 16 64; do
            rm -rf t*
            job $model $width t1 1
            for threads in 2 3 5 8; do
                job $model $width t$threads $threads
                same t1/seed-0.h5 t$threads/seed-0.h5 /outputs /params
                cmp t1/seed-0.h5 t$threads/seed-0.h5 || fail "$model $width: files differ at $threads threads"
            done
        done
    done
done
