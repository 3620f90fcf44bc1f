/* expand_glob.c: the files of a `files:` loop. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "model/expand_plan.h"

/* Characters that mean something to glob() in the folder's own name are taken literally. */
static char *escaped(const char *folder)
{
  eas_buf b;
  eas_buf_init(&b);
  for (const char *s = folder; *s; s++) {
    if (strchr("*?[]\\", *s)) eas_buf_char(&b, '\\');
    eas_buf_char(&b, *s);
  }
  return eas_buf_take(&b);
}

static int is_file(const char *name)
{
  struct stat st;
  return stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

json_t *eas_plan_glob(const char *folder, const char *pattern, eas_err *err)
{
  if (eas_path_check_relative(pattern, err) < 0) {
    eas_hint(err, "a pattern inside the input folder, such as \"tess/*.fits\"");
    return NULL;
  }
  char root[PATH_MAX];
  if (!realpath(folder, root)) {
    eas_fail(err, EAS_EIO, "open '%s': %s", folder, strerror(errno));
    eas_hint(err, "the input folder is input_path, EAS_INPUT_PATH");
    return NULL;
  }
  char *start = escaped(root), *full = eas_format("%s/%s", start, pattern);
  size_t skip = strcmp(root, "/") == 0 ? 1 : strlen(root) + 1;
  glob_t found;
  json_t *out = NULL;
  int rc = glob(full, GLOB_NOSORT, NULL, &found);
  if (rc == 0 || rc == GLOB_NOMATCH) {
    out = json_array();
    if (rc == 0) /* glob() would sort by the locale */
      qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
    for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
      if (is_file(found.gl_pathv[i])) json_array_append_new(out, json_string(found.gl_pathv[i] + skip));
  } else {
    eas_fail(err, EAS_EIO, "'%s' in %s: cannot be read", pattern, folder);
  }
  if (rc == 0) globfree(&found);
  free(full);
  free(start);
  return out;
}
