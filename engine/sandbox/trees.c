/* trees.c: which folders and files a child may see. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sandbox/own.h"

/* Of /etc only what programs need to start and to tell the time: no shadow, no keys, no settings of others. */
const char *const eas_system_paths[] = {
  "/usr",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/bin",
  "/sbin",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/alternatives",
  "/etc/localtime",
  "/etc/timezone",
  "/etc/nsswitch.conf",
  "/etc/passwd",
  "/etc/group",
  "/etc/fonts",
  "/etc/mime.types",
  "/etc/python3",
  NULL,
};

static const char *const DEVICES[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom" };

int eas_path_below(const char *path, const char *dir)
{
  size_t n = strlen(dir);
  while (n > 1 && dir[n - 1] == '/') n--;
  if (n == 1 && dir[0] == '/') return path[0] == '/';
  return strncmp(path, dir, n) == 0 && (path[n] == 0 || path[n] == '/');
}

static int have(const eas_trees *t, const char *path, int kind)
{
  for (int i = 0; i < t->n; i++) {
    const eas_tree *one = &t->list[i];
    if (strcmp(one->path, path) == 0) return 1;
    if (kind == EAS_TREE_READ && one->kind == EAS_TREE_READ && eas_path_below(path, one->path)) return 1;
  }
  return 0;
}

static void put(eas_trees *t, const char *path, int kind)
{
  if (have(t, path, kind)) return;
  if (t->n == t->cap) {
    t->cap = t->cap ? 2 * t->cap : 64;
    t->list = eas_realloc(t->list, (size_t)t->cap * sizeof *t->list);
  }
  t->list[t->n++] = (eas_tree){ eas_strdup(path), kind };
}

static int is_link(const char *path)
{
  struct stat st;
  return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* A path is known by its given name and, where links lead elsewhere, by its real one: scripts may print either. */
static void add(eas_trees *t, const char *path, int kind)
{
  char *real = path && path[0] == '/' ? realpath(path, NULL) : NULL;
  if (!real) return;
  char *given = eas_strdup(path);
  for (size_t n = strlen(given); n > 1 && given[n - 1] == '/'; n--) given[n - 1] = 0;
  int shown = have(t, real, kind);
  put(t, real, kind);
  put(t, given, kind == EAS_TREE_READ && shown && is_link(given) ? EAS_TREE_LINK : kind);
  free(given);
  free(real);
}

/* A pack may be a folder of links (a build tree): where they lead must be seen too. */
static void add_links(eas_trees *t, const char *path)
{
  DIR *d = opendir(path);
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) {
    if (e->d_name[0] == '.' || (e->d_type != DT_LNK && e->d_type != DT_UNKNOWN)) continue;
    char *link = eas_format("%s/%s", path, e->d_name);
    char *real = realpath(link, NULL);
    if (real) put(t, real, EAS_TREE_READ);
    free(real);
    free(link);
  }
  closedir(d);
}

static int by_path(const void *a, const void *b)
{
  return strcmp(((const eas_tree *)a)->path, ((const eas_tree *)b)->path);
}

/* Only what some other tree would show has to be covered. */
static void add_hidden(eas_trees *t, const char *data_dir)
{
  char *real = data_dir ? realpath(data_dir, NULL) : NULL;
  int shown = 0;
  for (int i = 0; real && i < t->n; i++)
    if ((t->list[i].kind == EAS_TREE_READ || t->list[i].kind == EAS_TREE_STORE) &&
        eas_path_below(real, t->list[i].path))
      shown = 1;
  if (shown) put(t, real, EAS_TREE_HIDDEN);
  free(real);
}

void eas_trees_of(const eas_zygote_policy *p, eas_trees *out)
{
  memset(out, 0, sizeof *out);
  for (int i = 0; eas_system_paths[i]; i++) add(out, eas_system_paths[i], EAS_TREE_READ);
  for (int i = 0; p->read_only && p->read_only[i]; i++) {
    add(out, p->read_only[i], EAS_TREE_READ);
    add_links(out, p->read_only[i]);
  }
  for (size_t i = 0; i < sizeof DEVICES / sizeof *DEVICES; i++) add(out, DEVICES[i], EAS_TREE_DEVICE);
  if (p->input_root && strcmp(p->input_root, "/") != 0) add(out, p->input_root, EAS_TREE_STORE);
  add_hidden(out, p->data_dir);
  add(out, p->store_root, EAS_TREE_STORE);
  add(out, p->scratch_root, EAS_TREE_SCRATCH);
  qsort(out->list, (size_t)out->n, sizeof *out->list, by_path);
}

void eas_trees_done(eas_trees *t)
{
  for (int i = 0; i < t->n; i++) free(t->list[i].path);
  free(t->list);
  memset(t, 0, sizeof *t);
}
