#!/usr/bin/python3
"""bls kernel against astropy's BoxLeastSquares: CPU time of one core, the same exact grid, in one run.

    bench/bls_bench.py [NATIVE]     NATIVE: folder of bls.so (default: build/*/lib*/eas/native, the newest)

Slices of both take turns, ours repeated until it has taken as long as theirs: the machine's clock changes within such a
time. Printed are medians of microseconds per trial period, and the median of the slices' ratios. Where a grid is long every
k-th of its periods is tried. Powers must agree to 1e-9, else nothing is printed. EAS_SIMD pins a level.
"""
import ctypes, glob, os, sys, time

try:
    import numpy as np
    from astropy.timeseries import BoxLeastSquares
except ImportError as missing:
    sys.exit("bls_bench: skipped: %s (apt-get install python3-astropy)" % missing)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DURATIONS = np.linspace(0.05, 0.2, 10)
SLICES, PERIODS = 9, 3000
CASES = [(27, 1800), (27, 600), (27, 120), (90, 900), (90, 600), (240, 900)]  # days, s
DOUBLES = ctypes.POINTER(ctypes.c_double)


class Settings(ctypes.Structure):  # eas_bls_settings
    _fields_ = [("duration", DOUBLES), ("n_duration", ctypes.c_size_t), ("oversample", ctypes.c_int),
                ("objective", ctypes.c_int), ("wrap", ctypes.c_int), ("path", ctypes.c_int)]


class Job(ctypes.Structure):  # eas_bls_job
    _fields_ = [("n", ctypes.c_size_t), ("n_period", ctypes.c_size_t), ("time", DOUBLES), ("flux", DOUBLES),
                ("ivar", DOUBLES), ("flux_zero", ctypes.c_double), ("period", DOUBLES), ("set", Settings),
                ("plan", ctypes.c_void_p), ("share", ctypes.c_void_p), ("out", ctypes.c_void_p)]


def find_library():
    if len(sys.argv) > 1:
        return os.path.join(sys.argv[1], "bls.so")
    found = [path for depth in ("lib", "lib/*") for path in glob.glob("%s/build/*/%s/eas/native/bls.so" % (ROOT, depth))]
    if not found:
        sys.exit("bls_bench: no build/*/lib*/eas/native/bls.so: build first, or name the folder")
    return max(found, key=os.path.getmtime)


def aligned(size):
    memory = np.zeros(size + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start:start + size]


class Search:
    """A prepared search; run() is the kernel alone."""

    def __init__(self, lib, t, y, periods):
        self.lib, self.t, self.y, self.periods = lib, t, y, periods
        self.out = np.zeros((len(periods), 6))
        data = lambda a: a.ctypes.data_as(DOUBLES)
        self.job = Job(len(t), len(periods), data(t), data(y), None, float(np.median(y)), data(periods),
                       Settings(data(DURATIONS), len(DURATIONS), 10, 0, 1, 0), None, None, self.out.ctypes.data)
        job = ctypes.byref(self.job)
        assert lib.eas_bls_check(job) == 0
        self.plan = aligned(lib.eas_bls_plan_size(job))
        self.job.plan = self.plan.ctypes.data
        assert lib.eas_bls_prepare(job) == 0
        self.work = aligned(lib.eas_bls_work_size(job))
        self.path = ["", "reference", "fold", "rows", "edges"][lib.eas_bls_path(job)]

    def run(self):
        assert self.lib.eas_bls_run(ctypes.byref(self.job), ctypes.c_size_t(0), ctypes.c_size_t(len(self.periods)),
                                    self.work.ctypes.data_as(ctypes.c_void_p)) == 0
        return self.out[:, 0]


def curve(days, cadence, irregular):
    rng = np.random.default_rng(4242)
    t = np.arange(int(days * 86400 / cadence)) * (cadence / 86400)
    if irregular:
        t = (t + rng.uniform(-0.2, 0.2, len(t)) * cadence / 86400)[rng.random(len(t)) > 0.1]
    in_transit = np.abs((t - 1.3 + 1.55) % 3.1 - 1.55) < 0.06
    return t, 1 - 9e-4 * in_transit + 2e-4 * rng.standard_normal(len(t))


def grid(t):
    span = t[-1] - t[0]
    step = 2 * DURATIONS[0] / span ** 2
    n = 1 + int(np.round((2 - 2 / span) / step))
    periods = 1 / (2 - step * np.arange(n))
    return np.ascontiguousarray(periods[::max(1, n // PERIODS)]), n


def spent(function, least=0):
    """CPU seconds of a call, repeated until `least` are spent; and its result."""
    start, n = time.process_time(), 0
    while True:
        result = function()
        n += 1
        took = time.process_time() - start
        if took >= least:
            return took / n, result


def main():
    lib = ctypes.CDLL(find_library())
    lib.eas_bls_plan_size.restype = lib.eas_bls_work_size.restype = ctypes.c_size_t
    with open("/proc/cpuinfo") as info:
        print(next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown machine"))
    print("%-22s %8s %9s %6s %12s %12s %7s" % ("case", "points", "periods", "path", "astropy us", "kernel us", "ratio"))
    for irregular in (False, True):
        for days, cadence in CASES:
            t, y = curve(days, cadence, irregular)
            periods, n = grid(t)
            model, search = BoxLeastSquares(t, y), Search(lib, t, y, periods)
            theirs, ours = [], []
            for _ in range(SLICES):
                a, result = spent(lambda: model.power(periods, DURATIONS, oversample=10))
                b, power = spent(search.run, a)
                theirs.append(a / len(periods) * 1e6)
                ours.append(b / len(periods) * 1e6)
            off = np.sum(np.abs(power - result.power) > 1e-9 * result.power)
            if off > 0.001 * len(periods):
                sys.exit("bls_bench: %d of %d powers differ" % (off, len(periods)))
            name = "%d d at %d s%s" % (days, cadence, ", irregular" if irregular else "")
            print("%-22s %8d %9d %6s %12.1f %12.2f %7.1f" % (name, len(t), n, search.path, np.median(theirs),
                                                          np.median(ours), np.median(np.divide(theirs, ours))))


main()
