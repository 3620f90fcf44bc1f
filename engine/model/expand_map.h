/* expand_map.h: text -> number, and what the files of expansion and check share of small things. */
#ifndef EAS_MODEL_EXPAND_MAP_H
#define EAS_MODEL_EXPAND_MAP_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  char **key; /* [cap]; NULL: free */
  int64_t *value;
  size_t n, cap;
} eas_map;

void eas_map_done(eas_map *m);
void eas_map_set(eas_map *m, const char *key, int64_t value);
int eas_map_get(const eas_map *m, const char *key, int64_t *value); /* 1: there */

#endif
