# Whatever is wrong is named in one sentence, with the right exit code, and leaves no output behind.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=300 features=50 >/dev/null
expect 2 "There is no command 'trian'; the nearest is 'train'" "$gs" trian
expect 2 "the nearest is --seeds" "$gs" train gcn -g g.h5 -o r --seds 0
expect 2 "'train' needs -g" "$gs" train gcn -o r
expect 2 "the nearest is 'hidden'" "$gs" train gcn -g g.h5 -o r hiden=3
expect 2 "gcn" "$gs" train gcm -g g.h5 -o r
expect 2 "epochs" "$gs" train gcn -g g.h5 -o r epochs=many
expect 2 "--seeds\|seeds" "$gs" train gcn -g g.h5 -o r --seeds 3-1
expect 2 "--threads" "$gs" train gcn -g g.h5 -o r --threads none
expect 4 "nowhere.h5" "$gs" train gcn -g nowhere.h5 -o r
expect 4 "nothing-here" "$gs" import nothing-here -o x.h5
expect 4 "There is no teacher" "$gs" distill -g g.h5 -t no-teacher -o r
expect 2 "batch_size" "$gs" train gcn -g g.h5 -o r batch_size=10
expect 2 "no split 'pubic'" "$gs" train gcn -g g.h5 -o r split=pubic
[ ! -e r ] && [ ! -e x.h5 ] || fail "an output was left behind"
printf 'model: gcn\ndropuot: 0.3\n' >bad.yaml
expect 2 "dropout" "$gs" train bad.yaml -g g.h5 -o r
printf 'model: [gcn\n' >bad.yaml
expect 2 "bad.yaml" "$gs" train bad.yaml -g g.h5 -o r
whole=$(stat -c %s g.h5)
for size in 0 10 100 1000 $((whole / 2)) $((whole - 100)) $((whole - 1)); do
    head -c $size g.h5 >cut.h5
    expect 3 "cut.h5" "$gs" train gcn -g cut.h5 -o r
done
head -c 3000 /dev/urandom >noise.h5
expect 3 "noise.h5" "$gs" info noise.h5
mkdir pickles
printf 'cos\nsystem\n(S"touch owned"\ntR.' >pickles/ind.x.allx
for part in x y tx ty ally graph test.index; do cp pickles/ind.x.allx pickles/ind.x.$part; done
expect 3 "os.system" "$gs" import pickles -o x.h5
[ ! -e owned ] || fail "a pickle was run"
printf 'id,f,label\n1,2,a\n2,3\n' >nodes.csv
printf '1,2\n' >edges.csv
expect 3 "line 3" "$gs" import nodes.csv edges.csv -o x.h5
printf 'id,f,label\n1,2,a\n2,3,b\n' >nodes.csv
printf '1,2\n1,7\n' >edges.csv
expect 3 "'7'" "$gs" import nodes.csv edges.csv -o x.h5
[ ! -e r ] && [ ! -e x.h5 ] || fail "an output was left behind"
[ -z "$(find . -name '*.tmp')" ] || fail "a temporary file was left behind"
printf 'id,label\n1,a\n2,b\n' >nodes.csv
printf '1,2\n' >edges.csv
expect 0 "" "$gs" import nodes.csv edges.csv -o bare.h5
expect 3 "no node features" "$gs" train gcn -g bare.h5 -o r split=random train_fraction=0.5 val_fraction=0
printf '0.5,0.5\n%.0s' $(seq 300) >two.csv
expect 3 "classes" "$gs" distill -g g.h5 -t two.csv --teacher-kind probs -o r
[ ! -e r ] || fail "an output was left behind"
expect 5 "max-memory\|memory" "$gs" train gcn -g g.h5 -o r --max-memory 100K
expect 5 "Training needs about .* MB.*memory=low" "$gs" train gcn -g g.h5 -o r --max-memory 6M hidden=2048
[ ! -e r ] || fail "an output was left behind"
expect 2 "Only 'bench epoch'" "$gs" bench kernels -g g.h5 hidden=3
expect 2 "inference" "$gs" bench inferense
expect 0 "" "$gs" --version
expect 0 "" "$gs" train --help
grep -q 'Usage: graphstill train' out.txt || fail "no help"
for command in import generate info train distill eval predict compare list demo bench; do
    expect 0 "" "$gs" $command --help
    grep -q "Usage: graphstill $command" out.txt || fail "no help for $command"
done
# a teacher that lacks a seed is seen before any student is trained; so are numbers that are no probabilities
"$gs" train gcn -g karate -o lone-teacher -q epochs=1 split=random train_fraction=0.3 >/dev/null
expect 3 "has no seed 1" "$gs" distill mlp -g karate -t lone-teacher -o lone --seeds 0-1
[ ! -e lone ] || fail "a refused student left a folder"
awk 'BEGIN { for (i = 0; i < 34; i++) printf "%d,-1\n", i % 3 }' >scores.csv
expect 3 "their kind is logits" "$gs" distill mlp -g karate -t scores.csv --teacher-kind probs -o scored
[ ! -e scored ] || fail "a refused student left a folder"
