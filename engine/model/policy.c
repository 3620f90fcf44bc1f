/* policy.c: see policy.h. */
#include "model/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/hash.h"
#include "base/json.h"

static const int64_t longest_us = 600 * INT64_C(1000000), most_delay_us = 86400 * INT64_C(1000000);

enum { MOST = 1000 };

/* A number of seconds, or a text such as "2 s". */
static int duration(const json_t *v, int64_t *us)
{
  if (json_is_number(v)) {
    double s = json_number_value(v);
    if (!(s >= 0 && s <= 86400)) return -1;
    *us = (int64_t)(s * 1e6);
    return 0;
  }
  int64_t got;
  if (!json_is_string(v) || eas_conf_parse_duration(json_string_value(v), &got) < 0) return -1;
  if (got > most_delay_us) return -1;
  *us = got;
  return 0;
}

static int kinds_of(const json_t *list, unsigned *out)
{
  size_t i;
  json_t *v;
  *out = 0;
  if (!json_is_array(list)) return -1;
  json_array_foreach(list, i, v)
  {
    unsigned bit = json_is_string(v) ? eas_retry_kind(json_string_value(v)) : 0;
    if (!bit) return -1;
    *out |= bit;
  }
  return 0;
}

static int whole(const json_t *v)
{
  json_int_t n = json_is_integer(v) ? json_integer_value(v) : 0;
  return n >= 1 && n <= MOST ? (int)n : 0;
}

void eas_policy_of(const eas_task_type *type, const json_t *retry, eas_policy *out)
{
  *out = type ? (eas_policy){ type->max_attempts, type->max_losses, type->retry, type->retry_delay_ms * 1000 }
              : (eas_policy){ 1, EAS_MAX_LOSSES, EAS_RETRY_DEFAULT, EAS_RETRY_DELAY_MS * 1000 };
  if (!json_is_object(retry)) return;
  const int attempts = whole(json_object_get(retry, "max_attempts")),
            losses = whole(json_object_get(retry, "max_losses"));
  unsigned kinds;
  int64_t us;
  if (attempts) out->max_attempts = attempts;
  if (losses) out->max_losses = losses;
  if (kinds_of(json_object_get(retry, "endings"), &kinds) == 0) out->kinds = kinds;
  if (duration(json_object_get(retry, "delay"), &us) == 0) out->delay_us = us;
}

int64_t eas_policy_delay(const eas_policy *p, int n)
{
  int64_t us = p->delay_us, limit = us > longest_us ? us : longest_us;
  for (int i = 1; i < n && us < limit; i++) us *= 2;
  if (us > limit) us = limit;
  uint32_t noise;
  eas_random_bytes(&noise, sizeof noise);
  return us + us / 512 * (noise % 256);
}

unsigned eas_policy_kind(const char *ending, int qc)
{
  if (strcmp(ending, "ok") == 0) return qc ? EAS_RETRY_QC : 0;
  return eas_retry_kind(ending);
}

char *eas_policy_check(const json_t *retry, const char **field)
{
  static const char *const names[] = { "max_attempts", "max_losses", "endings", "delay" };
  const char *key;
  json_t *v;
  unsigned kinds;
  int64_t us;
  *field = "";
  if (!json_is_object(retry)) return eas_strdup("an object is wanted");
  json_object_foreach((json_t *)(uintptr_t)retry, key, v)
  {
    *field = key;
    if (strcmp(key, "max_attempts") == 0 || strcmp(key, "max_losses") == 0) {
      if (!whole(v)) return eas_format("a whole number from 1 to %d is wanted", MOST);
    } else if (strcmp(key, "endings") == 0) {
      if (kinds_of(v, &kinds) < 0) return eas_format("a list of endings is wanted, of %s", eas_retry_kinds());
    } else if (strcmp(key, "delay") == 0) {
      if (duration(v, &us) < 0) return eas_strdup("seconds, or a text such as \"2 s\", at most a day, is wanted");
    } else {
      const char *near = eas_nearest(key, names, sizeof names / sizeof *names);
      return near ? eas_format("unknown field '%s'; use %s", key, near)
                  : eas_format("unknown field '%s'; fields are max_attempts, max_losses, endings, delay", key);
    }
  }
  return NULL;
}
