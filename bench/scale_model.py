#!/usr/bin/env python3
"""How far one PostgreSQL carries: a simulation of workers that claim and commit, driven by measured costs.

  scale_model.py [--task SECONDS] [--slots N] [--cores N] [--group N] [--flush MS] [--shards N] [--json]

Events, not formulas: each worker ends tasks at its slots' rate, collects them as engine/worker/finish.c does (3 ms, 30 ms while
there is enough to do, at most a group), and sends a group to the database. That has `cores` to work on groups, and one step in each
group that no other commit of the same job and type may share: the counters' row, held until the log is on disk. A worker with a
group under way goes on running, but claims nothing before its answer: the slots that end meanwhile wait.

Measured with workers and a control of their own processes (docs/scale.md): the server's CPU for a group, its claim and its commit, is
FIXED + n * EACH; expansion is in EACH. scale_bench, one process without a loop around it, takes three quarters of that.
"""
import argparse
import heapq
import json
import random

FIXED, EACH = 3050e-6, 495e-6   # server's CPU: 680 us a task in groups of 8.2, 482 us in groups of 17.5, and 187 us to expand it
HOLD = 100e-6                   # from the lock of the counters to the end of the statement
CHILDREN = 2.1e-3               # worker's CPU for a null task and its QC, each an isolated child (docs/performance.md)
BYTES = 1923                    # of the database, a null task of a loop: 4 rows and their indexes
FILE_BYTES = 392                # of an SQLite file of the same (eas archive)
WAIT, BUSY_WAIT = 3e-3, 30e-3


class Database:
    """cores for the work, one turn at a time for what is shared, by shard."""

    def __init__(self, cores, flush, shards, rng):
        self.cores = [0.0] * cores
        heapq.heapify(self.cores)
        self.turn = [0.0] * shards
        self.flush, self.rng, self.busy = flush, rng, 0.0

    def commit(self, now, n):
        work = (FIXED + n * EACH) * self.rng.uniform(0.8, 1.2)
        begin = max(now, heapq.heappop(self.cores))
        ready = begin + work
        heapq.heappush(self.cores, ready)
        self.busy += work
        shard = self.rng.randrange(len(self.turn))
        self.turn[shard] = max(ready, self.turn[shard]) + HOLD + self.flush
        return self.turn[shard]


def simulate(workers, o, events):
    """Tasks a second, mean group, share of the database's CPU, share of the slots that wait."""
    rng = random.Random(1)
    db = Database(o.cores, o.flush * 1e-3, o.shards, rng)
    task = o.task + CHILDREN
    stopped = [0] * workers             # slots that wait for a claim
    held = [0] * workers                # results not sent yet
    due = [None] * workers              # when they are to be sent
    sent, groups, tasks, now, waiting = [False] * workers, 0, 0, 0.0, 0.0
    heap = [(rng.expovariate(1 / task), w, "end", 0) for w in range(workers) for _ in range(o.slots)]
    heapq.heapify(heap)
    running = workers * o.slots
    warm, start, tasks0, busy0 = events // 4, 0.0, 0, 0.0

    def send(w, at):
        nonlocal groups
        n = min(held[w], o.group)
        held[w] -= n
        sent[w] = True
        groups += 1
        heapq.heappush(heap, (db.commit(at, n), w, "done", n))

    for step in range(events):
        at, w, what, n = heapq.heappop(heap)
        waiting += (workers * o.slots - running) * (at - now)
        now = at
        if step == warm:
            start, tasks0, busy0, waiting, groups = now, tasks, db.busy, 0.0, 0
        if what == "end":
            held[w] += 1
            if sent[w]:
                stopped[w] += 1
                running -= 1
            else:
                heapq.heappush(heap, (now + rng.expovariate(1 / task), w, "end", 0))
            if not sent[w] and held[w] >= o.group:
                send(w, now)
            elif due[w] is None and not sent[w]:
                due[w] = now + (BUSY_WAIT if held[w] > o.slots // 2 else WAIT)
                heapq.heappush(heap, (due[w], w, "due", 0))
        elif what == "due":
            due[w] = None
            if held[w] and not sent[w]:
                send(w, now)
        else:
            tasks += n
            sent[w] = False
            running += stopped[w]
            for _ in range(stopped[w]):
                heapq.heappush(heap, (now + rng.expovariate(1 / task), w, "end", 0))
            stopped[w] = 0
            if held[w]:
                send(w, now)
    span = now - start
    done = tasks - tasks0
    return {"workers": workers, "rate": done / span, "group": done / max(groups, 1), "database": (db.busy - busy0) / span / o.cores,
            "idle": waiting / span / (workers * o.slots), "ideal": workers * o.slots / task}


def words(seconds):
    for unit, name in ((86400 * 365, "years"), (86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--task", type=float, default=60, help="seconds that a task runs (default 60)")
    p.add_argument("--slots", type=int, default=8, help="of a worker")
    p.add_argument("--cores", type=int, default=16, help="of the database's machine")
    p.add_argument("--group", type=int, default=32, help="results in a commit at most")
    p.add_argument("--flush", type=float, default=0.5, help="ms until the log is on disk")
    p.add_argument("--shards", type=int, default=1, help="jobs or types under way at once: rows of counters")
    p.add_argument("--json", action="store_true")
    o = p.parse_args()
    if o.task < 0 or min(o.slots, o.cores, o.group, o.shards) < 1 or o.flush < 0:
        p.error("times must not be negative, counts at least 1")
    rows = [simulate(w, o, max(6 * w * o.slots, 40000)) for w in (10, 100, 1000, 10000)]
    if o.json:
        print(json.dumps(rows))
        return
    print(f"tasks of {o.task:g} s, {o.slots} slots a worker, {o.cores} cores, groups of {o.group}, {o.flush:g} ms to disk, {o.shards} shards")
    print("workers   tasks/s   of ideal   group   database   10^7 tasks   10^9 tasks")
    for r in rows:
        print(f"{r['workers']:7}  {r['rate']:8.0f}  {100 * r['rate'] / r['ideal']:8.0f} %  {r['group']:6.1f}  {min(100, 100 * r['database']):7.0f} %"
              f"  {words(1e7 / r['rate']):>11}  {words(1e9 / r['rate']):>11}")
    print(f"rows: {1e7 * BYTES / 1e9:.0f} GB and {1e9 * BYTES / 1e12:.1f} TB in PostgreSQL; archived {1e7 * FILE_BYTES / 1e9:.0f} GB and {1e9 * FILE_BYTES / 1e9:.0f} GB")


if __name__ == "__main__":
    main()
