/* raw.h: what registry files say, before names are resolved over all of them. */
#ifndef EAS_REGISTRY_RAW_H
#define EAS_REGISTRY_RAW_H
#include "registry/registry.h"
#include "registry/xml.h"

typedef struct {
  char *name;
  int line;
} eas_raw_ref;

typedef struct { /* a task element: the fields of type that need no other element are set */
  eas_task_type type;
  eas_raw_ref *ref; /* its container elements */
  int n_ref;
} eas_raw_task;

struct eas_registry {
  char **pool; /* every string and list, freed together */
  size_t n_pool;
  eas_container *container;
  int n_container;
  eas_raw_task *raw;
  int n_raw;
  eas_task_type *type; /* resolved, by name */
  const char **names;
};

/* Keeps p, from the heap, for the registry's life. */
void *eas_registry_keep(eas_registry *r, void *p);

/* Adds what one file says; file and pack are kept strings. */
int eas_registry_collect(eas_registry *r, const xmlDoc *doc, const char *file, const char *pack, eas_err *err);

/* The text of a file into r. The path is kept by the caller. */
int eas_registry_add(eas_registry *r, const eas_registry_schema *s, const char *path, const char *pack,
                     const char *text, size_t size, eas_err *err);

/* When all files are in: containers of each type, its scripts in the packs, everything in order. */
int eas_registry_resolve(eas_registry *r, const char *const *packs, eas_err *err);

#endif
