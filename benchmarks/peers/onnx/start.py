"""Time from starting a program to its first answer, in turn: start.py NAME=COMMAND … . One line of
JSON; the first command is ours, `ratio` is a peer's median over it."""

import json
import os
import shlex
import statistics
import sys
import time

ROUNDS = 21
env = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
nowhere = os.open(os.devnull, os.O_RDWR)
silent = [(os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]


def seconds(command):
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, env, file_actions=silent)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"start.py: {shlex.join(command)} fails")
    return time.perf_counter() - started


names, commands = zip(*(word.split("=", 1) for word in sys.argv[1:]))
commands = [shlex.split(c) for c in commands]
times = [[] for _ in commands]
for k in range(ROUNDS + 1):
    for own, command in zip(times, commands):
        took = 1e3 * seconds(command)
        if k > 0:  # the first one reads the files from disk
            own.append(took)
ours = statistics.median(times[0])
for name, own in list(zip(names, times))[1:]:
    line = {"bench": "start", "form": "program start to first answer", "runs": ROUNDS}
    line |= {"median_ms": round(ours, 1), "min_ms": round(min(times[0]), 1)}
    line |= {"max_ms": round(max(times[0]), 1), "peer": name}
    line |= {"peer_median_ms": round(statistics.median(own), 1)}
    line |= {"ratio": round(statistics.median(own) / ours, 2)}
    print(json.dumps(line))
