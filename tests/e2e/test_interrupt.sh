# Ctrl-C leaves the last good files and exit code 130; SIGKILL at any epoch and --resume end in the same bytes.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=1500 features=400 >/dev/null
run() { "$gs" train gcn -g g.h5 -o "$1" --seeds 0-1 -q epochs=600 hidden=32 --checkpoint-every 7 "${@:2}"; }
run whole
for signal in INT KILL KILL KILL; do
    rm -rf part
    run part &
    pid=$!
    sleep "0.$((RANDOM % 6 + 2))"
    kill -$signal $pid 2>/dev/null || true
    code=0
    wait $pid || code=$?
    if [ $signal = INT ]; then
        [ $code -eq 130 ] || [ $code -eq 0 ] || fail "Ctrl-C gave $code"
        [ $code -eq 0 ] || ls part/seed-*.checkpoint.h5 >/dev/null || fail "no checkpoint after Ctrl-C"
    fi
    for file in part/*.h5; do [ ! -e "$file" ] || h5ls "$file" >/dev/null || fail "$file is broken"; done
    run part --resume
    for s in 0 1; do same whole/seed-$s.h5 part/seed-$s.h5 /outputs /params /history; done
    [ -z "$(find part -name '*.checkpoint.h5')" ] || fail "a checkpoint was left behind"
done
# a checkpoint of another recipe is refused
run part --resume >/dev/null
expect 2 "" "$gs" train gcn -g g.h5 -o part --seeds 0-1 --resume epochs=5
