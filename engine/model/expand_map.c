#include "model/expand_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void eas_map_done(eas_map *m)
{
  for (size_t i = 0; i < m->cap; i++) free(m->key[i]);
  free(m->key);
  free(m->value);
  *m = (eas_map){ 0 };
}

static size_t slot_of(const eas_map *m, const char *key)
{
  uint64_t h = 14695981039346656037u; /* FNV-1a */
  for (const char *s = key; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  size_t i = (size_t)(h ^ (h >> 29)) & (m->cap - 1);
  while (m->key[i] && strcmp(m->key[i], key) != 0) i = (i + 1) & (m->cap - 1);
  return i;
}

static void grow(eas_map *m)
{
  eas_map old = *m;
  m->cap = old.cap ? 2 * old.cap : 64;
  m->key = eas_alloc(m->cap * sizeof *m->key);
  m->value = eas_alloc(m->cap * sizeof *m->value);
  for (size_t i = 0; i < old.cap; i++) {
    if (!old.key[i]) continue;
    size_t to = slot_of(m, old.key[i]);
    m->key[to] = old.key[i];
    m->value[to] = old.value[i];
  }
  free(old.key);
  free(old.value);
}

void eas_map_set(eas_map *m, const char *key, int64_t value)
{
  if (2 * m->n >= m->cap) grow(m);
  size_t i = slot_of(m, key);
  if (!m->key[i]) {
    m->key[i] = eas_strdup(key);
    m->n++;
  }
  m->value[i] = value;
}

int eas_map_get(const eas_map *m, const char *key, int64_t *value)
{
  if (!m->cap) return 0;
  size_t i = slot_of(m, key);
  if (!m->key[i]) return 0;
  *value = m->value[i];
  return 1;
}
