/* ingest_bench.c: reading light curves against what the machine allows, in interleaved slices of one run.
 *
 *   ingest_bench [ROWS [ROUNDS [FOLDER]]]     500000 rows, 9 rounds, /tmp
 *
 * text.gz: eas_lc_read against bare gunzip of the same file by zlib, for the prototype's format and for a table of days with
 * 9 and 10 decimals. FITS: eas_lc_read against cfitsio by row chunks of the same four columns, and against a plain sum over
 * the mapped file. Medians of wall time; CPU time beside it (gzip is inflated by a thread of its own, so that the two
 * differ; on a busy machine they agree). Ends 1 if a ratio is over its limit. */
#include <fcntl.h>
#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "lightcurve/lc.h"

enum { ROUNDS_MAX = 99 };

typedef struct {
  double cpu[ROUNDS_MAX], wall[ROUNDS_MAX];
} series;

static double sink; /* what is summed, so that no read is optimised away */

static double now(clockid_t id)
{
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
  fprintf(stderr, "ingest_bench: %s\n", what);
  exit(2);
}

static void read_ours(const char *path, size_t rows)
{
  eas_lc *lc;
  eas_err err;
  if (eas_lc_read(&lc, path, NULL, &err) < 0) die(err.text);
  if (lc->c.n_rows != rows) die("not all rows were read"); /* counts rows: a fast failure is no speed */
  sink += lc->c.flux[rows / 2];
  eas_lc_free(lc);
}

static void gunzip(const char *path, size_t rows)
{
  static unsigned char in[128 << 10], out[256 << 10];
  z_stream z = { 0 };
  FILE *f = fopen(path, "rb");
  size_t lines = 0;
  int rc = Z_OK;
  if (!f || inflateInit2(&z, 15 + 16) != Z_OK) die("gunzip");
  while (rc == Z_OK) {
    if (z.avail_in == 0) {
      z.next_in = in;
      z.avail_in = (uInt)fread(in, 1, sizeof in, f);
    }
    z.next_out = out;
    z.avail_out = sizeof out;
    rc = inflate(&z, Z_NO_FLUSH);
    lines += sizeof out - z.avail_out;
  }
  if (rc != Z_STREAM_END || lines < rows) die("gunzip");
  inflateEnd(&z);
  fclose(f);
}

static void cfitsio(const char *path, size_t rows)
{
  fitsfile *f;
  int status = 0, none, type;
  long chunk;
  LONGLONG n = 0;
  double *column[3];
  fits_open_diskfile(&f, path, READONLY, &status);
  fits_movabs_hdu(f, 2, &type, &status);
  fits_get_num_rowsll(f, &n, &status);
  fits_get_rowsize(f, &chunk, &status);
  if (status || (size_t)n != rows) die("cfitsio");
  for (int k = 0; k < 3; k++)
    if (!(column[k] = malloc(rows * sizeof **column))) die("no memory");
  int *flag = malloc(rows * sizeof *flag);
  if (!flag) die("no memory");
  for (LONGLONG at = 0; at < n; at += chunk) {
    LONGLONG m = n - at < chunk ? n - at : chunk;
    for (int k = 0; k < 3; k++) fits_read_col(f, TDOUBLE, k + 1, at + 1, 1, m, NULL, column[k] + at, &none, &status);
    fits_read_col(f, TINT, 4, at + 1, 1, m, NULL, flag + at, &none, &status);
  }
  if (status) die("cfitsio");
  sink += column[1][rows / 2];
  for (int k = 0; k < 3; k++) free(column[k]);
  free(flag);
  fits_close_file(f, &status);
}

static void mapped_sum(const char *path, size_t rows)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) != 0 || (size_t)st.st_size < rows) die("open");
  const unsigned char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) die("mmap");
  uint64_t sum = 0;
  for (size_t i = 0; i + 8 <= (size_t)st.st_size; i += 8) {
    uint64_t v;
    memcpy(&v, p + i, 8);
    sum += v;
  }
  sink += (double)sum;
  munmap((void *)(uintptr_t)p, (size_t)st.st_size);
  close(fd);
}

static void slice(series *s, int round, void (*fn)(const char *, size_t), const char *path, size_t rows)
{
  double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
  fn(path, rows);
  s->cpu[round] = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  s->wall[round] = now(CLOCK_MONOTONIC) - wall;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *x, int n)
{
  qsort(x, (size_t)n, sizeof *x, by_size);
  return x[n / 2];
}

/* Prints a comparison; 1 if it is over the limit (0: none is set). */
static int report(const char *what, series *ours, const char *against, series *bound, int rounds, double limit)
{
  double a = median(ours->wall, rounds), b = median(bound->wall, rounds);
  double cpu = median(ours->cpu, rounds) / median(bound->cpu, rounds);
  printf("%-14s %8.1f ms   %-22s %8.1f ms   ratio %.2f (CPU %.2f)", what, a * 1e3, against, b * 1e3, a / b, cpu);
  if (limit > 0) printf("   limit %.2f %s", limit, a / b <= limit ? "ok" : "OVER");
  printf("\n");
  return limit > 0 && a / b > limit;
}

static void write_table(const char *path, const eas_lc_columns *c)
{
  gzFile f = gzopen(path, "wb6");
  if (!f) die("gzopen");
  gzprintf(f, "# time[days] flux flux_err\n");
  for (size_t i = 0; i < c->n; i++)
    if (gzprintf(f, "%.9f %.10f %.10f\n", c->time[i], c->flux[i], c->flux_err[i]) <= 0) die("gzprintf");
  if (gzclose(f) != Z_OK) die("gzclose");
}

static void make_files(const char *gz, const char *table, const char *fits, size_t rows)
{
  eas_lc *lc;
  eas_err err;
  if (eas_lc_new(&lc, rows, &err) < 0) die(err.text);
  srand48(1);
  for (size_t i = 0; i < rows; i++) {
    lc->c.time[i] = (double)i * 25 / 86400;
    lc->c.flux[i] = 1 + 1e-4 * (drand48() - 0.5);
    lc->c.flux_err[i] = 1e-4 * (1 + drand48());
  }
  if (eas_lc_write(lc, gz, &err) < 0 || eas_lc_write(lc, fits, &err) < 0) die(err.text);
  write_table(table, &lc->c);
  eas_lc_free(lc);
}

int main(int argc, char **argv)
{
  size_t rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 500000;
  int rounds = argc > 2 ? atoi(argv[2]) : 9;
  char gz[512], table[512], fits[512];
  static series text, plain, days, plain_days, ours, chunks, sum;
  if (rows < 1 || rounds < 1 || rounds > ROUNDS_MAX) die("usage: ingest_bench [ROWS [ROUNDS [FOLDER]]]");
  snprintf(gz, sizeof gz, "%s/ingest_bench_%ld.txt.gz", argc > 3 ? argv[3] : "/tmp", (long)getpid());
  snprintf(fits, sizeof fits, "%s/ingest_bench_%ld.fits", argc > 3 ? argv[3] : "/tmp", (long)getpid());
  snprintf(table, sizeof table, "%s/ingest_bench_%ld_days.txt.gz", argc > 3 ? argv[3] : "/tmp", (long)getpid());
  make_files(gz, table, fits, rows);
  for (int i = -1; i < rounds; i++) { /* the first turn warms the page cache and is written over */
    int k = i < 0 ? 0 : i;
    slice(&plain, k, gunzip, gz, rows);
    slice(&text, k, read_ours, gz, rows);
    slice(&plain_days, k, gunzip, table, rows);
    slice(&days, k, read_ours, table, rows);
    slice(&chunks, k, cfitsio, fits, rows);
    slice(&ours, k, read_ours, fits, rows);
    slice(&sum, k, mapped_sum, fits, rows);
  }
  unlink(gz);
  unlink(table);
  unlink(fits);
  printf("%zu rows, %d rounds, medians (checksum %g)\n", rows, rounds, fmod(sink, 1000));
  int over = report("prototype.gz", &text, "gunzip by zlib", &plain, rounds, 1.4);
  over |= report("days.txt.gz", &days, "gunzip by zlib", &plain_days, rounds, 1.4);
  over |= report("FITS", &ours, "cfitsio by row chunks", &chunks, rounds, 1.2);
  report("FITS", &ours, "sum over mapped file", &sum, rounds, 0);
  return over;
}
