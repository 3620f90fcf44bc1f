#!/usr/bin/python3
"""bls_kovacs, fbls and bls's hybrid mode, as `eas search` runs them: CPU seconds of the kernels, whole grids.

    bench/box_bench.py [EAS]     EAS: the binary (default: build/*/bin/eas, the newest)

The hybrid is held against astropy's BoxLeastSquares on the same grid, a sample of its periods in this run. Fortran's eebls and
GERBLS (with downsampling) are no packages of Debian: against them stand recorded CPU seconds of the same machine type, of
curves of the same kind (a planet 0.09 % deep, 200 ppm of noise), irregular ones against those of uniform curves. As the recorded
ones are, ours are medians of three runs of one thread in one process.
"""
import glob, json, os, subprocess, sys, tempfile, time

try:
    import numpy as np
    from astropy.timeseries import BoxLeastSquares
except ImportError as missing:
    sys.exit("box_bench: skipped: %s (apt-get install python3-astropy)" % missing)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DURATIONS = np.linspace(0.05, 0.2, 10)
RECORDED = {  # days, cadence: eebls s, GERBLS s
    (27, 1800): (0.0275, 0.00429), (27, 600): (0.0905, 0.0589), (27, 120): (0.555, 1.45), (80, 1800): (0.718, 0.017),
    (90, 900): (2.11, 0.12), (90, 600): (3.43, 0.296), (240, 900): (42.3, 0.394)}
ROUNDS, SAMPLE = 3, 400


def find_eas():
    found = sys.argv[1:2] or glob.glob(ROOT + "/build/*/bin/eas")
    if not found:
        sys.exit("box_bench: no build/*/bin/eas: build first, or name the binary")
    return max(found, key=os.path.getmtime)


def curve(days, cadence, irregular):
    rng = np.random.default_rng(4242)
    t = np.arange(int(days * 86400 / cadence)) * (cadence / 86400)
    if irregular:
        t = (t + rng.uniform(-0.2, 0.2, len(t)) * cadence / 86400)[rng.random(len(t)) > 0.1]
    in_transit = np.abs((t - 1.3 + 1.55) % 3.1 - 1.55) < 0.06
    return t, 1 - 9e-4 * in_transit + 2e-4 * rng.standard_normal(len(t))


def search(eas, path, method, settings):
    """Median CPU seconds of the kernels."""
    command = [eas, "search"] + ROUNDS * [path] + ["--method", method, "--threads", "1", "--settings", json.dumps(settings),
                                                "--json"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return float(np.median([json.loads(line)["cpu_seconds"] for line in lines]))


def astropy_seconds(t, y):
    """CPU seconds of the whole grid, from a sample of its periods."""
    span = t[-1] - t[0]
    step = 2 * DURATIONS[0] / span ** 2
    n = 1 + int(np.round((2 - 2 / span) / step))
    periods = (1 / (2 - step * np.arange(n)))[::max(1, n // SAMPLE)]
    model = BoxLeastSquares(t, y)
    start = time.process_time()
    model.power(periods, DURATIONS, oversample=10)
    return (time.process_time() - start) / len(periods) * n


def main():
    eas = find_eas()
    with open("/proc/cpuinfo") as info:
        print(next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown machine"))
    print("%-22s %9s %8s %6s | %9s %8s %6s | %9s %8s %6s" % ("case", "astropy s", "hybrid s", "ratio", "eebls* s", "kovacs s",
                                                           "ratio", "gerbls* s", "fbls s", "ratio"))
    for irregular in (False, True):
        for (days, cadence), (eebls, gerbls) in RECORDED.items():
            t, y = curve(days, cadence, irregular)
            with tempfile.TemporaryDirectory() as folder:
                path = folder + "/lc.txt"
                np.savetxt(path, np.column_stack([t * 86400, y, 0 * t, 0 * t + 2e-4]), fmt="%.15g")
                theirs = astropy_seconds(t, y)
                hybrid = search(eas, path, "bls", {"hybrid": True, "weights": "none"})
                kovacs = search(eas, path, "bls_kovacs", {"compat": "peer"})
                fbls = search(eas, path, "fbls", {"compat": "peer"})
            name = "%d d at %d s%s" % (days, cadence, ", irregular" if irregular else "")
            print("%-22s %9.2f %8.3f %6.0f | %9.3f %8.3f %6.1f | %9.3f %8.3f %6.1f" % (
                name, theirs, hybrid, theirs / hybrid, eebls, kovacs, eebls / kovacs, gerbls, fbls, gerbls / fbls), flush=True)
    print("*: recorded, not of this run")


main()
