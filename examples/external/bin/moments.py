#!/usr/bin/python3
"""Moments of a light curve's flux: a program that knows nothing of the engine. moments.py FILE SCALE"""
import math
import sys

scale = float(sys.argv[2])
with open(sys.argv[1]) as lines:
    flux = [float(line.split()[1]) for line in lines if line.strip() and not line.startswith("#")]
if len(flux) < 3:
    sys.exit("moments: %d samples, at least 3 are needed" % len(flux))
mean = math.fsum(flux) / len(flux)
std = math.sqrt(math.fsum((x - mean) ** 2 for x in flux) / len(flux))
skewness = math.fsum((x - mean) ** 3 for x in flux) / len(flux) / std ** 3 if std > 0 else 0.0
print("mean %.17g" % (mean * scale))
print("std %.17g" % (std * scale))
print("skewness %.17g" % skewness)
with open("histogram.txt", "w") as out:
    out.write("# from to count\n")
    low, step = min(flux), (max(flux) - min(flux)) / 10 or 1.0
    for k in range(10):
        count = sum(1 for x in flux if min(int((x - low) / step), 9) == k)
        out.write("%.9g %.9g %d\n" % (low + k * step, low + (k + 1) * step, count))
