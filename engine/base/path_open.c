/* path_open.c: why a file that a person named cannot be opened, and what is there instead. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"

enum { NAMES_MAX = 2000, LISTED = 8 };

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder, sorted, a bounded number; -1: it cannot be read. */
static int names_in(const char *folder, const char **names)
{
  int n = 0;
  DIR *d = opendir(folder);
  if (!d) return -1;
  for (struct dirent *e; n < NAMES_MAX && (e = readdir(d));)
    if (e->d_name[0] != '.') names[n++] = eas_strdup(e->d_name);
  closedir(d);
  qsort(names, (size_t)n, sizeof *names, by_name);
  return n;
}

static const char *ending(const char *name)
{
  const char *dot = strrchr(name, '.');
  return dot ? dot : "";
}

/* The nearest name, else those of the same kind, if they are few. */
static void suggest(eas_err *err, const char *path, const char *const *names, int n)
{
  const char *wanted = eas_path_base(path), *near = eas_nearest(wanted, names, (size_t)n);
  int folder = (int)(wanted - path), same = 0;
  if (near) {
    eas_hint(err, "use %.*s%s", folder, path, near);
    return;
  }
  eas_buf list;
  eas_buf_init(&list);
  for (int i = 0; i < n; i++)
    if (*ending(wanted) && strcmp(ending(names[i]), ending(wanted)) == 0)
      eas_buf_printf(&list, "%s%s", same++ ? ", " : "there are ", names[i]);
  if (same > 1 && same <= LISTED) eas_hint(err, "%s", list.data);
  if (same == 1) eas_hint(err, "there is %s", list.data + strlen("there are "));
  eas_buf_done(&list);
}

static int missing(const char *path, eas_err *err)
{
  if (!err) return EAS_ENOENT;
  const char *base = eas_path_base(path);
  char *folder = base == path ? eas_strdup(".") : eas_format("%.*s", (int)(base - path), path);
  const char **names = eas_alloc(NAMES_MAX * sizeof *names);
  int n = names_in(folder, names);
  if (n < 0 && errno == ENOENT && *base) {
    eas_fail(err, EAS_ENOENT, "%s: there is no folder '%s'", path, folder);
  } else {
    eas_fail(err, EAS_ENOENT, "%s: no such file", path);
    if (n > 0) suggest(err, path, names, n);
  }
  for (int i = 0; i < n; i++) free((void *)(uintptr_t)names[i]);
  free((void *)(uintptr_t)names);
  free(folder);
  return EAS_ENOENT;
}

int eas_open_failed(const char *path, int error, eas_err *err)
{
  char why[128];
  if (error == ENOENT) return missing(path, err);
  return eas_fail(err, EAS_EIO, "%s: %s", path, eas_why(error, why, sizeof why));
}
