# Ctrl-C leaves the last good files and exit code 130; SIGKILL at any epoch and --resume end in the same bytes.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=1500 features=400 >/dev/null
job=(train gcn -g g.h5 -o)
epochs=3000
[ -z "${GS_TEST_QUICK:-}" ] || epochs=800 # under the sanitizers an epoch takes several times as long
rest=(--seeds 0-1 -q epochs=$epochs patience=0 hidden=32 --checkpoint-every 7)
start=$(date +%s%N)
"$gs" "${job[@]}" whole "${rest[@]}"
took=$((($(date +%s%N) - start) / 1000000))
# Sends the signal at a random moment after the first checkpoint; the exit code is in $code. A run that ended before it
# (a machine may be slower while the whole run is timed than later) is tried again, earlier.
interrupt() { # signal
    local most=$((took * 6 / 10)) pid
    for _ in $(seq 8); do
        rm -rf part
        # exec: the signal must reach the program itself, not a shell around it
        (exec "$gs" "${job[@]}" part "${rest[@]}") &
        pid=$!
        # until there is a checkpoint the program has nothing to lose
        for _ in $(seq 600); do
            ls part/seed-*.checkpoint.h5 >/dev/null 2>&1 && break
            sleep 0.05
        done
        sleep "$(awk -v most="$most" -v r=$RANDOM 'BEGIN { printf "%.3f", most * r / 32768 / 1000 }')"
        kill -"$1" $pid 2>/dev/null || true
        code=0
        wait $pid || code=$?
        [ $code -eq 0 ] || return 0
        most=$((most / 2))
    done
    fail "the program ended before SIG$1 could reach it, eight times"
}
for signal in INT INT KILL KILL KILL KILL; do
    interrupt $signal
    if [ $signal = INT ]; then
        [ $code -eq 130 ] || fail "Ctrl-C gave $code, not 130"
        ls part/seed-*.checkpoint.h5 >/dev/null || fail "no checkpoint after Ctrl-C"
    else
        [ $code -eq 137 ] || fail "SIGKILL gave $code, not 137: the program was not killed"
    fi
    [ ! -e part/summary.json ] || fail "the run was finished before SIG$signal"
    for file in part/*.h5; do h5ls "$file" >/dev/null || fail "$file is broken"; done
    "$gs" "${job[@]}" part "${rest[@]}" --resume
    for s in 0 1; do same whole/seed-$s.h5 part/seed-$s.h5 /outputs /params /history; done
    [ -z "$(find part -name '*.checkpoint.h5' -o -name '*.tmp')" ] || fail "something was left behind: $(ls part)"
done
# a file that a killed run was writing is removed by the next
true & gone=$!
wait $gone
touch part/seed-0.checkpoint.h5.$gone.tmp
"$gs" "${job[@]}" part "${rest[@]}" --resume >/dev/null
[ -z "$(find part -name '*.tmp')" ] || fail "a dead run's temporary file stays"
# a checkpoint of another recipe is refused
expect 2 "" "$gs" train gcn -g g.h5 -o part --seeds 0-1 --resume epochs=5
# but for its notes: a run goes on when a recipe was given another description, or a measured number
printf 'description: one\nmodel: gcn\nepochs: 5\n' >noted.yaml
"$gs" train ./noted.yaml -g g.h5 -o noted --seeds 0 -q >/dev/null
printf 'description: another\nmodel: gcn\nepochs: 5\nmeasured: {test_accuracy: 1}\n' >noted.yaml
"$gs" train ./noted.yaml -g g.h5 -o noted --seeds 0-1 -q --resume >/dev/null
grep -q '"description": "another"' noted/summary.json || fail "the summary has the notes of before"
printf 'model: gcn\nepochs: 5\n' >noted.yaml
"$gs" train ./noted.yaml -g g.h5 -o noted --seeds 0-1 -q --resume >/dev/null
grep -q 'description\|"measured"' noted/summary.json && fail "the summary has notes that the recipe has lost"
printf 'model: gcn\nepochs: 6\n' >noted.yaml
expect 2 "holds results of another recipe" "$gs" train ./noted.yaml -g g.h5 -o noted --seeds 0-1 --resume
# a student goes on with the teacher that it had: finished seeds, and one that was interrupted
"$gs" train gcn -g g.h5 -o teacher --seeds 0-1 -q epochs=5 >/dev/null
"$gs" train gcn -g g.h5 -o another --seeds 0-1 -q epochs=6 >/dev/null
"$gs" distill mlp -g g.h5 -t teacher -o student --seeds 0 -q epochs=5 >/dev/null
expect 2 "student/seed-0.h5 was learned from another teacher" "$gs" distill mlp -g g.h5 -t another -o student --seeds 0-1 epochs=5 --resume
expect 2 "was learned from another teacher" "$gs" distill mlp -g g.h5 -t teacher -t another -o student --seeds 0-1 epochs=5 --resume
"$gs" distill mlp -g g.h5 -t teacher -o student --seeds 0-1 -q epochs=5 --resume >/dev/null
"$gs" distill mlp -g g.h5 -t teacher -o cut --seeds 0 epochs=1000000 patience=0 --checkpoint-every 1 -q >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
    [ -e cut/seed-0.checkpoint.h5 ] && break
    sleep 0.05
done
kill -TERM $pid
wait $pid || true
[ -e cut/seed-0.checkpoint.h5 ] || fail "no checkpoint of the student"
expect 2 "It belongs to another teacher" "$gs" distill mlp -g g.h5 -t another -o cut --seeds 0 epochs=1000000 patience=0 --resume
# two programs cannot work in one folder
mkdir held
(
    exec 9<held
    flock -n 9 || fail "the folder cannot be locked"
    expect 2 "Another run works in held; wait for it, or stop it" "$gs" train gcn -g g.h5 -o held --seeds 0 epochs=5
)
[ -z "$(ls held)" ] || fail "something was written into another's folder: $(ls held)"
"$gs" train gcn -g g.h5 -o held --seeds 0 -q epochs=5 >/dev/null
