#!/usr/bin/env python3
"""engine_bench.py: the engine as a whole against its limits, measured in the same run, in turns.

    python3 bench/engine_bench.py [BUILD]      BUILD: a release build with its bench target (default build/release)

Null tasks are counted as ended attempts in the database; a rate is taken between the first start and the last end.
Prints medians of rounds and the ratios; needs python3 only."""
import json, os, re, sqlite3, statistics, subprocess, sys, tempfile, time

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release")
eas, bench = os.path.join(build, "bin/eas"), os.path.join(build, "bench")
ROUNDS, NULLS, SLOTS = 5, 2000, 8  # more children than CPUs: while one is cloned and one is judged, others run


def run(*args, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=True, **more).stdout


def job(folder, name, tasks):
    path = os.path.join(folder, name + ".json")
    with open(path, "w") as f:
        json.dump({"job_name": name, "working_directory": name, "task_list": tasks}, f)
    return path


def rows(data, sql):
    db = sqlite3.connect("file:%s/eas.db?mode=ro" % data, uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def of_type(name):
    return "FROM attempt a JOIN task_type y ON y.id = a.type WHERE y.name = '%s' AND a.state = 'ended'" % name


def loop(n, tasks):
    return {"task": "execution_for_loop", "parameter": "i", "linear_range": [1, n, n], "task_list": tasks}


def null_tasks(folder):
    path = job(folder, "nulls", [loop(NULLS, [{"task": "null", "duration": 0}])])
    children, groups, ended = [], [], []
    for r in range(ROUNDS):
        text = run(os.path.join(bench, "children_bench"), 1, SLOTS)
        children.append(float(text.split()[0]))
        text = run(os.path.join(bench, "db_bench"), "sqlite:%s/group%d.db" % (folder, r), 5000, 32)
        groups.append(float(re.search(r"([\d.]+) tasks/s", text).group(1)))
        data = os.path.join(folder, "nulls%d" % r)
        run(eas, "run", path, "--data", data, "--slots", SLOTS, "--quiet")
        n, first, last = rows(data, "SELECT count(*), min(a.started_at), max(a.ended_at) " + of_type("null"))[0]
        assert n == NULLS, n
        ended.append(n / ((last - first) / 1e6))
    c, g, e = (statistics.median(x) for x in (children, groups, ended))
    print("isolated children, 8 outstanding    %8.0f /s" % c)
    print("group commits of 32 null attempts   %8.0f /s" % g)
    print("null tasks end to end, %d slots      %8.0f /s   (rounds: %s)" % (SLOTS, e, " ".join("%.0f" % x for x in ended)))
    ratio = statistics.median(x / min(a / 2, b) for x, a, b in zip(ended, children, groups))
    print("ratio to min(children / 2, commits) %8.2f     at least 0.60" % ratio)


def start_up(folder):
    path = job(folder, "one", [{"task": "null", "duration": 0}])
    took = []
    for r in range(9):
        data = os.path.join(folder, "one%d" % r)
        began = time.time()
        run(eas, "run", path, "--data", data, "--quiet")
        took.append(rows(data, "SELECT min(a.started_at) " + of_type("null"))[0][0] / 1e3 - began * 1e3)
    print("eas run to first task started       %8.1f ms   less than 100" % statistics.median(took))


def hand_over(folder):
    tasks = [{"task": "null", "duration": 0, "name": "n0"}]
    for i in range(1, 200):
        tasks.append({"task": "null", "duration": 0, "name": "n%d" % i, "requires_metadata_from": ["n%d" % (i - 1)]})
    data = os.path.join(folder, "chain")
    run(eas, "run", job(folder, "chain", tasks), "--data", data, "--quiet")
    waits = sorted(w / 1e3 for (w,) in rows(data, "SELECT a.started_at - a.queued_at " + of_type("null")))
    print("ready to started, idle worker       %8.2f ms median, %.2f ms p99   less than 5, 50" % (statistics.median(waits), waits[int(len(waits) * 0.99)]))


def verify(folder):
    make = {"task": "synthesis_batman", "outputs": {"lightcurve": "lc.fits"}, "specs": {"duration": 240, "sampling_cadence": 900, "noise": 1e-4}}
    data = os.path.join(folder, "verify")
    run(eas, "run", job(folder, "verify", [make, loop(40, [{"task": "verify", "inputs": {"lightcurve": "lc.fits"}}])]), "--data", data, "--slots", 1, "--quiet")
    took = [(w / 1e3, t / 1e3) for w, t in rows(data, "SELECT a.wall_us, a.ended_at - a.started_at " + of_type("verify"))]
    print("verify of 23 040 points, its process %7.2f ms   less than 10" % statistics.median(w for w, _ in took))


def expansion(folder):
    path = job(folder, "wide", [loop(20000, [{"task": "null", "duration": 0}])])
    took = []
    for r in range(3):
        data = os.path.join(folder, "wide%d" % r)
        began = time.time()
        run(eas, "submit", path, "--data", data)
        run(eas, "control", "--once", "--data", data)
        took.append(time.time() - began - 0.4)  # --once looks for 0.2 s before and after whether it may end
        assert rows(data, "SELECT count(*) FROM task WHERE state = 'ready'")[0][0] == 20000
    print("submit and expand to 20 000 leaves  %8.2f s    less than 2" % statistics.median(took))


def idle(folder):
    data = os.path.join(folder, "idle")
    run(eas, "init", "--data", data)
    worker = subprocess.Popen([eas, "worker", "--data", data], stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)

        def status(name):
            text = open("/proc/%d/status" % worker.pid).read()
            return int(re.search(name + r":\s+(\d+)", text).group(1))

        before = status("voluntary_ctxt_switches")
        time.sleep(8)
        print("idle worker                         %8d wake-ups in 8 s, %.1f MB   its lease alone, less than 20 MB"
              % (status("voluntary_ctxt_switches") - before, status("VmRSS") / 1024))
    finally:
        worker.terminate()
        worker.wait()


def main():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print("machine: %s, %d CPUs, load %.1f" % (cpu, os.cpu_count(), os.getloadavg()[0]))
    with tempfile.TemporaryDirectory() as folder:
        for part in (null_tasks, start_up, hand_over, verify, expansion, idle):
            part(folder)


main()
