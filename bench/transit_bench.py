#!/usr/bin/python3
"""transit_model kernel: CPU time of one core per sample, against batman as recorded.

    bench/transit_bench.py [NATIVE]     NATIVE: folder of transit_model.so (default: build/*/lib*/eas/native, the newest)

batman 2.5 is not in Debian, so its figures (ns per sample, one thread, a shared Xeon with AVX-512 at 2.5 GHz) stand
below: `curve` is light_curve() alone, with the distances made before; `all` is TransitModel() and light_curve(), which
is what a new orbit costs. Ours always makes its tables anew and computes the distances. EAS_SIMD pins a level.
"""
import ctypes, glob, os, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROUNDS = 15
# name, samples, half width in days, period, axis, eccentricity, batman's curve and all, ns
CASES = [
    ("in transit", 10 ** 4, 0.02, 1, 15, 0, 51.6, 84.1),
    ("in transit", 10 ** 5, 0.02, 1, 15, 0, 51.6, 84.1),
    ("in transit, e = 0.3", 10 ** 4, 0.014, 1, 15, 0.3, None, 139.6),
    ("in transit, e = 0.3", 10 ** 5, 0.014, 1, 15, 0.3, None, 139.6),
    ("mostly out, times", 10 ** 5, 50, 10, 19.5, 0, 7.05, 37.1),
    ("mostly out, times, e = 0.3", 10 ** 5, 50, 10, 19.5, 0.3, None, 194.7),
    ("mostly out, steps", 10 ** 5, 50, 10, 19.5, 0, 7.05, 37.1),
    ("365 d in 730 d at 25 s", 2522880, 365, 365, 215, 0, None, None),
]


class Settings(ctypes.Structure):  # eas_transit_model_settings
    _fields_ = [(name, ctypes.c_double) for name in ("t0", "period", "radius_ratio", "axis", "inclination", "eccentricity",
                                                     "omega", "u1", "u2", "exposure")] + \
               [(name, ctypes.c_int) for name in ("law", "supersample", "sampling", "every_sample")]


class Job(ctypes.Structure):  # eas_transit_model_job
    _fields_ = [("n", ctypes.c_size_t), ("time", ctypes.c_void_p), ("start", ctypes.c_double), ("step", ctypes.c_double),
                ("set", Settings), ("deficit", ctypes.c_void_p), ("distance", ctypes.c_void_p), ("plan", ctypes.c_void_p)]


def find_library():
    if len(sys.argv) > 1:
        return os.path.join(sys.argv[1], "transit_model.so")
    found = [path for depth in ("lib", "lib/*")
             for path in glob.glob("%s/build/*/%s/eas/native/transit_model.so" % (ROOT, depth))]
    if not found:
        sys.exit("transit_bench: no build/*/lib*/eas/native/transit_model.so: build first, or name the folder")
    return max(found, key=os.path.getmtime)


def memory(size):
    block = ctypes.create_string_buffer(size + 64)
    return block, ctypes.addressof(block) + -ctypes.addressof(block) % 64


def measure(lib, case):
    _, n, half, period, axis, e, _, _ = case
    times = (ctypes.c_double * n)(*(-half + 2 * half * i / (n - 1) for i in range(n)))
    deficit = (ctypes.c_double * n)()
    job = Job(n, ctypes.addressof(times), -half, 2 * half / (n - 1),
              Settings(0, period, 0.1, axis, 89, e, 90, 0.1, 0.3, 0, 2, 1, 0, 0), ctypes.addressof(deficit), None, None)
    if "times" not in case[0] and "transit" not in case[0]:
        job.time = None
    ref = ctypes.byref(job)
    assert lib.eas_transit_model_check(ref) == 0
    plan, job.plan = memory(lib.eas_transit_model_plan_size(ref))
    scratch, work = memory(lib.eas_transit_model_work_size(ref))
    both, runs = [], []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        assert lib.eas_transit_model_prepare(ref) == 0
        made = time.process_time_ns()
        assert lib.eas_transit_model_run(ref, ctypes.c_size_t(0), ctypes.c_size_t(n), ctypes.c_void_p(work)) == 0
        end = time.process_time_ns()
        both.append((end - start) / n)
        runs.append((end - made) / n)
    job.plan = None
    part = ctypes.c_size_t(min(n, 10 ** 4))
    exact = (ctypes.c_double * n)()
    job.deficit = ctypes.addressof(exact)
    start = time.process_time_ns()
    assert lib.eas_transit_model_run(ref, ctypes.c_size_t(0), part, ctypes.c_void_p(work)) == 0
    slow = (time.process_time_ns() - start) / part.value
    worst = max(abs(exact[i] - deficit[i]) for i in range(part.value))
    if not worst < 1e-11:
        sys.exit("transit_bench: %s: tables are off by %g" % (case[0], worst))
    assert plan and scratch
    return sorted(both)[ROUNDS // 2], sorted(runs)[ROUNDS // 2], slow


def ratio(theirs, ours):
    return "%6.1f" % (theirs / ours) if theirs else "     -"


def main():
    lib = ctypes.CDLL(find_library())
    lib.eas_transit_model_plan_size.restype = lib.eas_transit_model_work_size.restype = ctypes.c_size_t
    with open("/proc/cpuinfo") as info:
        print(next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown machine"))
    print("%-28s %8s %9s %9s %11s %8s %8s" % ("case", "samples", "ns, all", "ns, run", "quadrature", "curve", "all"))
    for case in CASES:
        both, run, slow = measure(lib, case)
        print("%-28s %8d %9.2f %9.2f %11.1f %8s %8s" % (case[0], case[1], both, run, slow, ratio(case[6], both),
                                                       ratio(case[7], both)))


main()
