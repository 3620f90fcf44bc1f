/* random.c: random.* from a seed and a count of draws, so that a re-run draws the same.
 *
 * SplitMix64 as a counter: draw k of seed s is a pure function of (s, k). */
#include <math.h>
#include <string.h>
#include "expr/ex.h"

enum { RANDOM, UNIFORM, RANDINT, GAUSS, CHOICE, N_RANDOM };

static const char *const names[N_RANDOM] = { "random", "uniform", "randint", "gauss", "choice" };
static const struct {
  int least, most;
} counts[N_RANDOM] = { { 0, 0 }, { 2, 2 }, { 2, 2 }, { 0, 2 }, { 1, 1 } };

const char *const *eas_ex_random_names(size_t *n)
{
  *n = N_RANDOM;
  return names;
}

int eas_ex_random(const char *name, size_t n)
{
  for (int i = 0; i < N_RANDOM; i++)
    if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0) return i;
  return -1;
}

/* Uniform between 0 and 1, never 0. */
static double draw(eas_ex *x)
{
  uint64_t z = x->scope->seed + ++x->scope->draws * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  z ^= z >> 31;
  return ((double)(z >> 11) + 0.5) * 0x1p-53;
}

static int64_t draw_below(eas_ex *x, int64_t n)
{
  int64_t i = (int64_t)(draw(x) * (double)n);
  return i < n ? i : n - 1; /* the product may round up */
}

static int randint(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, eas_ex_value *out)
{
  double low = eas_ex_real(&a[0]), high = eas_ex_real(&a[1]);
  if (low != floor(low) || high != floor(high))
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "randint takes two whole numbers");
  if (low > high) return eas_ex_fail_at(x, EAS_EINVAL, nd, "randint: the first number is above the second");
  if (fabs(low) > 0x1p52 || fabs(high) > 0x1p52)
    return eas_ex_fail_at(x, EAS_ELIMIT, nd, "randint: a number is beyond 2^52");
  *out = eas_ex_int((int64_t)low + draw_below(x, (int64_t)(high - low) + 1));
  return 0;
}

static double gauss(eas_ex *x, double mean, double sigma)
{
  double u1 = draw(x), u2 = draw(x);
  return mean + sigma * sqrt(-2 * log(u1)) * cos(2 * 3.14159265358979323846 * u2);
}

static int choice(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, eas_ex_value *out)
{
  if (a->type != EX_LIST && a->type != EX_TUPLE)
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "choice takes a list, found %s", eas_ex_type_name(a));
  if (a->n == 0) return eas_ex_fail_at(x, EAS_EINVAL, nd, "choice: the list is empty");
  *out = a->u.item[draw_below(x, (int64_t)a->n)];
  return 0;
}

int eas_ex_draw(eas_ex *x, const eas_ex_node *nd, const eas_ex_value *a, int n, eas_ex_value *out)
{
  int op = nd->op;
  if (n < counts[op].least || n > counts[op].most)
    return eas_ex_fail_at(x, EAS_EINVAL, nd, "random.%s takes %d arguments, found %d", names[op], counts[op].most, n);
  if (op == CHOICE) return choice(x, nd, a, out);
  for (int i = 0; i < n; i++)
    if (!eas_ex_is_number(&a[i]) || !isfinite(eas_ex_real(&a[i])))
      return eas_ex_fail_at(x, EAS_EINVAL, nd, "random.%s takes finite numbers, found %s", names[op],
                            eas_ex_type_name(&a[i]));
  if (op == RANDINT) return randint(x, nd, a, out);
  double first = n > 0 ? eas_ex_real(&a[0]) : 0, second = n > 1 ? eas_ex_real(&a[1]) : 1;
  if (op == RANDOM)
    *out = eas_ex_float(draw(x));
  else if (op == UNIFORM)
    *out = eas_ex_float(first + (second - first) * draw(x));
  else
    *out = eas_ex_float(gauss(x, first, second));
  return 0;
}
