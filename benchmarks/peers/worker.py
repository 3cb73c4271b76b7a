"""One form of one work, timed on request: worker.py FRAMEWORK FORM GRAPH WORK-AS-JSON.
Without a form: prints the forms that there are. Reads lines `run N` and answers with JSON."""
import gc
import importlib
import json
import os
import resource
import sys
import time


def main():
    framework, form, path, work = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    import torch
    torch.set_num_threads(work["threads"])
    torch.manual_seed(1)
    forms = importlib.import_module(framework).forms(work)
    version = torch.__version__
    if framework == "pyg":
        import torch_geometric
        version = f"{torch_geometric.__version__}, torch {version}"
    if framework == "dgl_forms":
        import dgl
        version = f"{dgl.__version__}, torch {version}"
    if form == "":
        print(json.dumps({"forms": sorted(forms), "version": version}), flush=True)
        return
    from data import Graph
    run = forms[form](Graph(path))
    for _ in range(work["warm"]):
        run.epoch()
    gc.collect()
    gc.disable()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        if not line.startswith("run"):
            break
        ms = []
        for _ in range(int(line.split()[1])):
            started = time.perf_counter()
            run.epoch()
            ms.append(1e3 * (time.perf_counter() - started))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "peak_rss_mb": peak}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DGLBACKEND", "pytorch")
    main()
