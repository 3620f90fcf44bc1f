#!/usr/bin/python3
"""tls kernel against the recorded times of transitleastsquares 1.0.31: CPU seconds of one core for a whole default search.

    bench/tls_bench.py [NATIVE] [--quick] [--threads]
        NATIVE: folder of tls.so (default: build/*/lib*/eas/native, the newest)

The peer is not installed here: its CPU seconds are those recorded for the same curves (27 d at 10 min and so on, 0.09 %
deep transit, 200 ppm of noise) on a machine of the same kind; where none was recorded, its own scaling law
2.98e-4 n^0.86 days^1.11 stands in, marked ~. Ours is the smallest of three runs: other programs only add to it. Long
searches are sampled: runs of 32 neighbouring periods, evenly spread. EAS_SIMD pins the instructions.
--threads: two threads against one, as wall time of the same periods, cut into chunks as the pool does.
"""
import ctypes, glob, os, sys, threading, time

try:
    import numpy as np
except ImportError as missing:
    sys.exit("tls_bench: skipped: %s (apt-get install python3-numpy)" % missing)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORDED = {(27, 600): 13.5, (27, 120): 54.6, (80, 1800): 47.1, (90, 900): 105, (90, 600): 154, (240, 900): 686}
CASES = [(27, 600), (27, 120), (80, 1800), (90, 900), (240, 900), (730, 600)]  # days, s
RUN, MOST = 32, 6000  # neighbouring periods; sampled where there are more
DOUBLES = ctypes.POINTER(ctypes.c_double)
SIZE, DOUBLE, INT = ctypes.c_size_t, ctypes.c_double, ctypes.c_int


def structure(name, fields):
    return type(name, (ctypes.Structure,), {"_fields_": fields})


Star = structure("Star", [(n, DOUBLE) for n in "r m r_min m_min r_max m_max".split()])
Grid = structure("Grid", [(n, DOUBLE) for n in "span r m period_min period_max oversampling n_transits_min".split()])
Settings = structure("Settings", [("star", Star), ("depth_min", DOUBLE), ("margin", DOUBLE), ("peer", INT), ("path", INT)])
Job = structure("Job", [("n", SIZE), ("n_period", SIZE), ("n_duration", SIZE)] +
                [(n, DOUBLES) for n in "time flux ivar period duration model".split()] +
                [("set", Settings), ("plan", ctypes.c_void_p), ("out", ctypes.c_void_p)])


def find_library():
    given = [a for a in sys.argv[1:] if not a.startswith("--")]
    if given:
        return os.path.join(given[0], "tls.so")
    found = [path for depth in ("lib", "lib/*") for path in glob.glob("%s/build/*/%s/eas/native/tls.so" % (ROOT, depth))]
    if not found:
        sys.exit("tls_bench: no build/*/lib*/eas/native/tls.so: build first, or name the folder")
    return max(found, key=os.path.getmtime)


def data(a):
    return a.ctypes.data_as(DOUBLES)


def aligned(size):
    memory = np.zeros(size + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start:start + size]


class Search:
    """A prepared search in the conventions of the peer."""

    def __init__(self, lib, t, y):
        self.lib, self.t, self.y = lib, t, y
        grid = Grid(t[-1] - t[0], 1, 1, 0, np.inf, 3, 2)
        self.periods = np.zeros(lib.eas_tls_grid(ctypes.byref(grid), None))
        lib.eas_tls_grid(ctypes.byref(grid), data(self.periods))
        self.durations, self.model = np.zeros(4096), np.zeros(10000)
        n = lib.eas_tls_durations(DOUBLE(self.periods[0]), DOUBLE(self.periods[-1]), DOUBLE(1.1), data(self.durations))
        lib.eas_tls_peer_model(*[DOUBLE(x) for x in (12.9, 0.03, 23.1, 89.21, 0.4804, 0.1867)], data(self.model))
        self.out = np.zeros(24 * len(self.periods), dtype=np.uint8)
        star = Star(1, 1, 0.13, 0.1, 3.5, 1)
        self.job = Job(len(t), len(self.periods), n, data(t), data(y), None, data(self.periods), data(self.durations),
                       data(self.model), Settings(star, 1e-5, 0.01, 1, 0), None, self.out.ctypes.data)
        job = ctypes.byref(self.job)
        assert lib.eas_tls_check(job) == 0
        self.plan = aligned(lib.eas_tls_plan_size(job))
        self.job.plan = self.plan.ctypes.data
        assert lib.eas_tls_prepare(job) == 0
        self.path = ["", "reference", "sort", "uniform"][lib.eas_tls_path(job)]

    def work(self):
        return aligned(self.lib.eas_tls_work_size(ctypes.byref(self.job)))

    def run(self, i0, i1, work):
        assert self.lib.eas_tls_run(ctypes.byref(self.job), SIZE(i0), SIZE(i1), ctypes.c_void_p(work.ctypes.data)) == 0

    def parts(self):
        """Runs of neighbouring periods, and what their time is multiplied by."""
        n = len(self.periods)
        step = RUN * max(1, -(-n // MOST))
        parts = [(i, min(n, i + RUN)) for i in range(0, n, step)]
        return parts, n / sum(b - a for a, b in parts)


def curve(days, cadence, irregular):
    rng = np.random.default_rng(4242)
    t = np.arange(1, int(days * 86400 / cadence)) * (cadence / 86400)
    if irregular:
        t = (t + rng.uniform(-0.2, 0.2, len(t)) * cadence / 86400)[rng.random(len(t)) > 0.1]
    in_transit = np.abs((t - 1.3 + 1.55) % 3.1 - 1.55) < 0.06
    y = 1 - 9e-4 * in_transit + 2e-4 * rng.standard_normal(len(t))
    return np.ascontiguousarray(t), y / np.mean(y)


def seconds(search):
    parts, factor = search.parts()
    work, best = search.work(), np.inf
    for _ in range(3):
        start = time.process_time()
        for a, b in parts:
            search.run(a, b, work)
        best = min(best, (time.process_time() - start) * factor)
    return best


def wall(search, threads):
    parts, _ = search.parts()
    lock, best = threading.Lock(), np.inf

    def worker(queue):
        work = search.work()
        while True:
            with lock:
                if not queue:
                    return
                a, b = queue.pop()
            search.run(a, b, work)

    for _ in range(3):
        queue, start = list(parts), time.perf_counter()
        all_threads = [threading.Thread(target=worker, args=(queue,)) for _ in range(threads)]
        for t in all_threads:
            t.start()
        for t in all_threads:
            t.join()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    lib = ctypes.CDLL(find_library())
    for name in ("grid", "durations", "plan_size", "work_size"):
        getattr(lib, "eas_tls_" + name).restype = SIZE
    with open("/proc/cpuinfo") as info:
        print(next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown machine"))
    print("load average %.1f; instructions: %s" % (os.getloadavg()[0], os.environ.get("EAS_SIMD", "the best there are")))
    cases = CASES[:4] if "--quick" in sys.argv else CASES
    if "--threads" in sys.argv:
        for days, cadence in cases[2:4]:
            search = Search(lib, *curve(days, cadence, False))
            print("%d d at %d s: two threads %.2f x one" % (days, cadence, wall(search, 1) / wall(search, 2)))
        return
    print("%-24s %8s %8s %8s %10s %10s %9s %7s" % ("case", "points", "periods", "path", "peer s", "ours s", "ns/point", "ratio"))
    for irregular in (False, True):
        for days, cadence in cases:
            t, y = curve(days, cadence, irregular)
            search = Search(lib, t, y)
            ours, recorded = seconds(search), RECORDED.get((days, cadence)) if not irregular else None
            peer = recorded or 2.98e-4 * len(t) ** 0.86 * (t[-1] - t[0]) ** 1.11
            print("%-24s %8d %8d %8s %10s %10.3f %9.2f %7.1f" % (
                "%d d at %d s%s" % (days, cadence, ", irregular" if irregular else ""), len(t), len(search.periods), search.path,
                ("%.4g" if recorded else "~%.4g") % peer, ours, ours / len(t) / len(search.periods) * 1e9, peer / ours), flush=True)


main()
