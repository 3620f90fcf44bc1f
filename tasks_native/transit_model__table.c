/* transit_model__table.c: what is made once for a job: the deficit over the distance, the distance over time. */
#include <string.h>
#include "simd.h"
#include "transit_model_parts.h"

static const double good = 1e-10; /* of the depth */

void transit_basis_of(transit_basis *basis)
{
  enum { N = TRANSIT_TERMS };
  double chebyshev[N][N] = { { 1 }, { 0, 1 } }; /* powers of T_k */
  double at[N][N];                              /* T_k at node j */
  for (int k = 2; k < N; k++)
    for (int i = 0; i < N; i++) chebyshev[k][i] = (i > 0 ? 2 * chebyshev[k - 1][i - 1] : 0) - chebyshev[k - 2][i];
  for (int j = 0; j < N; j++) {
    double x = basis->node[j] = cos(transit_pi * (j + 0.5) / N);
    at[0][j] = 1;
    at[1][j] = x;
    for (int k = 2; k < N; k++) at[k][j] = 2 * x * at[k - 1][j] - at[k - 2][j];
  }
  for (int j = 0; j < N; j++) {
    for (int i = 0; i < N; i++) {
      double sum = chebyshev[0][i] * at[0][j];
      for (int k = 1; k < N; k++) sum += 2 * chebyshev[k][i] * at[k][j];
      basis->power[j][i] = sum / N;
    }
    for (int k = 0; k < 2; k++) basis->power[j][N + k] = 2 * at[N - 2 + k][j] / N;
  }
}

double transit_fit(const transit_basis *basis, const double *value, double *out, size_t stride)
{
  enum { N = TRANSIT_TERMS };
  double sum[N + 2] = { 0 };
  for (int j = 0; j < N; j++)
    for (int k = 0; k < N + 2; k++) sum[k] += basis->power[j][k] * value[j];
  for (size_t k = 0; k < N; k++) out[k * stride] = sum[k];
  return fmax(fabs(sum[N]), fabs(sum[N + 1]));
}

/* Where the nodes of a piece are: v, 0 .. 1. Piece 0 is all below the octaves. */
static double place_of(int piece, double node)
{
  double floor = ldexp(1, -TRANSIT_OCTAVES);
  if (piece == 0) return floor * 0.5 * (node + 1);
  double start = (piece - 1) % 2 == 0 ? 1 : 1.5;
  return ldexp(floor, (piece - 1) / 2) * (start + 0.25 * (node + 1));
}

/* Deficits at the nodes of a region by quadrature, where closed forms lose too many digits: small planets. */
static void by_quadrature(const transit_disc *disc, size_t n, const double *z, double *deficit)
{
  for (size_t i = 0; i < n; i++) deficit[i] = transit_deficit(disc, sqrt(z[i]));
}

static double fill_region(transit_table *table, int region, const transit_disc *disc, const transit_basis *basis,
                          const double *places)
{
  double p = disc->p, z[TRANSIT_NODES], from_low[TRANSIT_NODES], to_high[TRANSIT_NODES], deficit[TRANSIT_NODES];
  double largest = region == 0 ? table->low : region == 1 ? table->middle - table->low : table->high - table->middle;
  if (!(largest > 0)) return 0;
  table->scale[region] = 1 / sqrt(largest);
  for (int i = 0; i < TRANSIT_NODES; i++) { /* the contacts are 4 p apart */
    double v = places[i], away = v * v * largest;
    z[i] = region == 0 ? table->low * (1 - v) * (1 + v) : region == 1 ? table->low + away : table->high - away;
    from_low[i] = region == 2 ? 4 * p - away : away;
    to_high[i] = region == 2 ? away : region == 1 ? 4 * p - away : 4 * p + away;
  }
  if (region == 0 && p >= 1)
    for (int i = 0; i < TRANSIT_NODES; i++) deficit[i] = disc->sign;
  else if (p < 0.006)
    by_quadrature(disc, TRANSIT_NODES, z, deficit);
  else
    transit_nodes(disc, TRANSIT_NODES, z, from_low, to_high, region == 0, deficit);

  double worst = 0;
  for (int piece = 0; piece < TRANSIT_PIECES; piece++)
    worst = fmax(worst, transit_fit(basis, deficit + piece * TRANSIT_TERMS,
                                    &table->coef[0][region * TRANSIT_PIECES + piece], TRANSIT_ROW));
  return worst;
}

int transit_table_of(transit_table *table, const transit_disc *disc, const transit_basis *basis)
{
  double p = disc->p, worst = 0, places[TRANSIT_NODES];
  if (!(p > 1e-6 && p < 1e3)) return 0;
  *table = (transit_table){ .low = (1 - p) * (1 - p), .high = (1 + p) * (1 + p) };
  table->middle = table->low + 2 * p;
  for (int piece = 0; piece < TRANSIT_PIECES; piece++)
    for (int j = 0; j < TRANSIT_TERMS; j++) places[piece * TRANSIT_TERMS + j] = place_of(piece, basis->node[j]);
  for (int region = 0; region < TRANSIT_REGIONS; region++)
    worst = fmax(worst, fill_region(table, region, disc, basis, places));
  return worst <= good * fmin(p * p, 1);
}

/* z = axis^2 (cos^2 i + sin^2 i sin^2 m), sin^2 m = sum of (-1)^(k+1) 2^(2k-1) m^2k / (2k)!. */
static int circular_path(transit_plan *plan)
{
  double c = plan->orbit.cos_inc, square = plan->orbit.axis * plan->orbit.axis;
  double m = 2 * transit_pi * plan->orbit.after / plan->orbit.period, term = 1, size = 1;
  plan->sine[0] = square * c * c;
  for (int k = 1; k < TRANSIT_SINE_TERMS; k++) {
    term *= (k == 1 ? 2 : -4) / (double)(2 * k * (2 * k - 1));
    size *= m * m;
    plan->sine[k] = square * (1 - c) * (1 + c) * term;
    plan->terms = k + 1;
    if (fabs(term) * size < 1e-19) return 1;
  }
  return 1;
}

static double path_of(transit_plan *plan, const transit_basis *basis, int pieces)
{
  double width = (plan->orbit.before + plan->orbit.after) / pieces, z[TRANSIT_TERMS], worst = 0;
  for (int piece = 0; piece < pieces; piece++) {
    for (int j = 0; j < TRANSIT_TERMS; j++)
      z[j] = transit_square(&plan->orbit, width * (piece + 0.5 * (basis->node[j] + 1)) - plan->orbit.before);
    double size = fmax(1, fmax(z[0], z[TRANSIT_TERMS - 1]));
    worst = fmax(worst, transit_fit(basis, z, &plan->path[0][piece], TRANSIT_ORBIT_PIECES) / size);
  }
  plan->pieces = pieces;
  return worst;
}

static int eccentric_path(transit_plan *plan, const transit_basis *basis)
{
  for (int pieces = 1; pieces <= TRANSIT_ORBIT_PIECES; pieces *= 2)
    if (path_of(plan, basis, pieces) <= 1e-14) return 1;
  return 0;
}

size_t eas_transit_model_plan_size(const eas_transit_model_job *job)
{
  (void)job;
  return sizeof(transit_plan);
}

int eas_transit_model_prepare(eas_transit_model_job *job)
{
  const eas_transit_model_settings *set = &job->set;
  transit_plan *plan = job->plan;
  transit_basis basis;
  if (plan == NULL) return EAS_EARG;
  memset(plan, 0, sizeof *plan);
  plan->simd = eas_simd_level();
  int rc = transit_disc_of(&plan->disc, set->radius_ratio, set->law, set->u1, set->u2);
  if (rc != EAS_OK) return rc;
  transit_orbit_of(&plan->orbit, set, plan->disc.p);
  if (!((1 + plan->disc.p) < set->axis * (1 - set->eccentricity))) return EAS_OK;
  transit_basis_of(&basis);
  if (!transit_table_of(&plan->table, &plan->disc, &basis)) return EAS_OK;
  plan->tabulated = set->eccentricity == 0 ? circular_path(plan) : eccentric_path(plan, &basis);
  return EAS_OK;
}

int eas_transit_model_tabulated(const eas_transit_model_job *job)
{
  const transit_plan *plan = job->plan;
  return plan != NULL && plan->tabulated;
}
