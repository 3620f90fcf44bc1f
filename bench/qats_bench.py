#!/usr/bin/python3
"""qats kernel against the authors' C++ (QATS 2012, in process): CPU time of one core on the same grid of trials.

    bench/qats_bench.py [NATIVE]     NATIVE: folder of qats.so (default: build/*/lib*/eas/native, the newest)

The authors' program is not shipped: its times are those recorded on a machine of this kind (seconds for the whole grid,
load average 5 to 11 then). Ours are the least of nine runs, all trials of the grid, and the median. The reference path,
timed on a part of each grid, tells how fast this machine is now. EAS_SIMD pins a level.
"""
import ctypes, glob, math, os, random, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = [(27, 1800, 0.0807), (27, 600, 0.627), (27, 120, 10.9), (80, 1800, 0.823), (90, 900, 4.21), (90, 600, 8.85)]
RUNS = 9


class Trial(ctypes.Structure):
    _fields_ = [("width", ctypes.c_uint32), ("step_min", ctypes.c_uint32), ("step_max", ctypes.c_uint32)]


class Peak(ctypes.Structure):
    _fields_ = [("s", ctypes.c_double), ("transits", ctypes.c_uint32), ("last", ctypes.c_uint32)]


class Job(ctypes.Structure):  # eas_qats_job
    _fields_ = [("n", ctypes.c_size_t), ("n_width", ctypes.c_size_t), ("n_trial", ctypes.c_size_t), ("y", ctypes.c_void_p),
                ("width", ctypes.c_void_p), ("trial", ctypes.c_void_p), ("path", ctypes.c_int), ("plan", ctypes.c_void_p),
                ("out", ctypes.c_void_p)]


def find_library():
    if len(sys.argv) > 1:
        return os.path.join(sys.argv[1], "qats.so")
    found = [path for depth in ("lib", "lib/*") for path in glob.glob("%s/build/*/%s/eas/native/qats.so" % (ROOT, depth))]
    if not found:
        sys.exit("qats_bench: no build/*/lib*/eas/native/qats.so: build first, or name the folder")
    return max(found, key=os.path.getmtime)


class Aligned:
    def __init__(self, size):
        self.memory = ctypes.create_string_buffer(size + 64)
        self.at = (ctypes.addressof(self.memory) + 63) // 64 * 64


def sequence(days, cadence):
    """One planet of 0.09 % and 200 ppm of white noise, in units of its scatter."""
    rng, step = random.Random(4242), cadence / 86400
    n = round(days / step)
    y = [rng.gauss(0, 1) - (4.5 if abs((i * step - 1.3 + 2.55) % 5.1 - 2.55) < 0.06 else 0) for i in range(n)]
    mean = sum(y) / n
    sigma = math.sqrt(sum((v - mean) ** 2 for v in y) / n)
    median = sorted(y)[n // 2]
    return (ctypes.c_double * n)(*[(v - median) / sigma for v in y]), step


def spans(lib, days, step):
    ratio, base = 1.00025, 4 / step
    count = ctypes.c_size_t(int(math.log(days / 2 / 4) / math.log(ratio)))
    n = lib.eas_qats_grid(ctypes.c_double(base), ctypes.c_double(ratio), count, None, None)
    lo, hi = (ctypes.c_uint32 * n)(), (ctypes.c_uint32 * n)()
    lib.eas_qats_grid(ctypes.c_double(base), ctypes.c_double(ratio), count, lo, hi)
    return list(zip(lo, hi))


def spent(lib, job, first, last, work):
    start = time.process_time()
    assert lib.eas_qats_run(ctypes.byref(job), ctypes.c_size_t(first), ctypes.c_size_t(last), ctypes.c_void_p(work.at)) == 0
    return time.process_time() - start


def main():
    lib = ctypes.CDLL(find_library())
    for name in ("plan_size", "work_size", "grid"):
        getattr(lib, "eas_qats_" + name).restype = ctypes.c_size_t
    with open("/proc/cpuinfo") as info:
        print(next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown machine"))
    print("load average %.1f, %s" % (os.getloadavg()[0], os.environ.get("EAS_SIMD", "best instructions")))
    print("%-14s %7s %7s %10s %9s %9s %7s %7s %13s" % ("case", "points", "trials", "recorded s", "least s", "median s",
                                                      "ratio", "median", "reference us"))
    for days, cadence, recorded in CASES:
        y, step = sequence(days, cadence)
        pairs = spans(lib, days, step)
        width = (ctypes.c_uint32 * 16)(*[int((0.05 + 0.01 * k) / step) for k in range(16)])
        n = 16 * len(pairs)
        trial, out = (Trial * n)(*[(k, lo, hi) for k in range(16) for lo, hi in pairs]), (Peak * n)()
        address = lambda a: ctypes.cast(a, ctypes.c_void_p)
        job = Job(len(y), 16, n, address(y), address(width), address(trial), 0, None, address(out))
        assert lib.eas_qats_check(ctypes.byref(job)) == 0
        plan = Aligned(lib.eas_qats_plan_size(ctypes.byref(job)))
        job.plan = plan.at
        start = time.process_time()
        assert lib.eas_qats_prepare(ctypes.byref(job)) == 0
        prepared = time.process_time() - start
        work = Aligned(lib.eas_qats_work_size(ctypes.byref(job)))
        times = sorted(prepared + spent(lib, job, 0, n, work) for _ in range(RUNS))
        fast = [(p.s, p.transits) for p in out]
        job.path = 2
        work, some = Aligned(lib.eas_qats_work_size(ctypes.byref(job))), list(range(0, n, n // 200))
        slow = [spent(lib, job, i, i + 1, work) for i in some]
        if any(abs(out[i].s - fast[i][0]) > 2e-6 * out[i].s or out[i].transits != fast[i][1] for i in some):
            sys.exit("qats_bench: the fast path and the definition differ")
        print("%-14s %7d %7d %10.3f %9.4f %9.4f %7.1f %7.1f %13.2f" % (
            "%d d at %d s" % (days, cadence), len(y), n, recorded, times[0], times[RUNS // 2], recorded / times[0],
            recorded / times[RUNS // 2], 1e6 * sum(slow) / len(slow)))


main()
