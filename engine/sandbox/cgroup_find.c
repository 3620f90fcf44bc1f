/* cgroup_find.c: where this process may make groups for its slots: cgroup v1, or v2 where it is delegated. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "sandbox/own.h"

static int has_word(const char *list, const char *word, const char *separators)
{
  size_t n = strlen(word);
  while (*list) {
    size_t len = strcspn(list, separators);
    if (len == n && strncmp(list, word, n) == 0) return 1;
    list += len + (list[len] != 0);
  }
  return 0;
}

/* This process's path in the hierarchy of a v1 controller, or of v2 (controller ""). */
static int own_path(const char *controller, char *out, size_t size)
{
  char line[4096];
  FILE *f = fopen("/proc/self/cgroup", "re");
  int found = 0;
  while (f && !found && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    char *list = strchr(line, ':');
    char *path = list ? strchr(list + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    list++;
    if (controller[0] ? !has_word(list, controller, ",") : (list[0] || line[0] != '0' || line[1])) continue;
    found = snprintf(out, size, "%s", path) < (int)size;
  }
  if (f) fclose(f);
  return found;
}

/* Mount point and mounted root of a hierarchy. */
static int mounted(const char *controller, char *point, char *root, size_t size)
{
  char line[4096], type[64], options[512];
  FILE *f = fopen("/proc/self/mountinfo", "re");
  int found = 0;
  while (f && !found && fgets(line, sizeof line, f)) {
    char *tail = strstr(line, " - ");
    char at[1024], from[1024];
    if (!tail || sscanf(line, "%*s %*s %*s %1023s %1023s", from, at) != 2) continue;
    if (sscanf(tail, " - %63s %*s %511s", type, options) != 2) continue;
    found = controller[0] ? strcmp(type, "cgroup") == 0 && has_word(options, controller, ",")
                          : strcmp(type, "cgroup2") == 0;
    if (found) found = snprintf(point, size, "%s", at) < (int)size && snprintf(root, size, "%s", from) < (int)size;
  }
  if (f) fclose(f);
  return found;
}

static int own_folder(const char *controller, char *out, size_t size)
{
  char path[1024], point[1024], root[1024];
  if (!own_path(controller, path, sizeof path) || !mounted(controller, point, root, sizeof point)) return 0;
  const char *rest = path;
  if (strcmp(root, "/") != 0 && eas_path_below(path, root)) rest = path + strlen(root);
  if (strcmp(rest, "/") == 0) rest = "";
  struct stat st;
  return snprintf(out, size, "%s%s", point, rest) < (int)size && stat(out, &st) == 0;
}

static int put(const char *folder, const char *file, const char *value)
{
  char *path = eas_format("%s/%s", folder, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  int rc = fd < 0 ? -errno : 0;
  if (rc == 0 && write(fd, value, strlen(value)) < 0) rc = -errno;
  if (fd >= 0) close(fd);
  free(path);
  return rc;
}

int eas_cgroup_try(const char *folder, const char *file, const char *value)
{
  char *group = eas_format("%s/eas.%d.probe", folder, (int)getpid());
  int rc = mkdir(group, 0755) < 0 ? -errno : 0;
  if (rc == 0) {
    rc = put(group, file, value);
    if (rmdir(group) < 0 && rc == 0) rc = -errno;
  }
  free(group);
  return rc;
}

/* 1: no process but this one is in the group, so that it may move to a sub-group. */
static int alone(const char *folder)
{
  eas_buf text;
  eas_buf_init(&text);
  char *path = eas_format("%s/cgroup.procs", folder);
  int yes = eas_file_read(path, 4096, &text, NULL) == 0 && text.data;
  for (char *p = text.data; yes && *p;) {
    if (strtol(p, &p, 10) != getpid()) yes = 0;
    while (*p == '\n') p++;
  }
  free(path);
  eas_buf_done(&text);
  return yes;
}

static int controls(const char *folder, const char *controller)
{
  eas_buf text;
  eas_buf_init(&text);
  char *path = eas_format("%s/cgroup.subtree_control", folder);
  int yes = eas_file_read(path, 4096, &text, NULL) == 0 && text.data && has_word(text.data, controller, " \n");
  free(path);
  eas_buf_done(&text);
  return yes;
}

/* v2 gives controllers to sub-groups only of a group without processes of its own. */
static int enable(const char *folder, const char *controller)
{
  if (controls(folder, controller)) return 0;
  char *word = eas_format("+%s", controller);
  int rc = put(folder, "cgroup.subtree_control", word);
  if (rc == -EBUSY && alone(folder)) {
    char *leaf = eas_format("%s/eas.worker", folder);
    char *pid = eas_format("%d", (int)getpid());
    if (mkdir(leaf, 0755) < 0 && errno != EEXIST)
      rc = -errno;
    else
      rc = put(leaf, "cgroup.procs", pid);
    if (rc == 0) rc = put(folder, "cgroup.subtree_control", word);
    free(leaf);
    free(pid);
  }
  free(word);
  return rc;
}

typedef struct {
  unsigned bit;
  const char *controller, *file_1, *value_1, *file_2, *value_2;
} kind;
static const kind KINDS[] = {
  { EAS_LAYER_CGROUP_MEMORY, "memory", "memory.limit_in_bytes", "1073741824", "memory.max", "1073741824" },
  { EAS_LAYER_CGROUP_PIDS, "pids", "pids.max", "64", "pids.max", "64" },
  { EAS_LAYER_CGROUP_CPU, "cpu", "cpu.cfs_quota_us", "100000", "cpu.max", "100000 100000" },
};

static char *place_of(eas_probe *out, unsigned bit)
{
  return bit == EAS_LAYER_CGROUP_MEMORY ? out->cgroup
         : bit == EAS_LAYER_CGROUP_PIDS ? out->cgroup_pids
                                        : out->cgroup_cpu;
}

static void find_one(eas_probe *out, const kind *k)
{
  char *place = place_of(out, k->bit);
  int version = 1, rc;
  if (own_folder(k->controller, place, sizeof out->cgroup)) {
    rc = eas_cgroup_try(place, k->file_1, k->value_1);
  } else if (own_folder("", place, sizeof out->cgroup)) {
    version = 2;
    rc = enable(place, k->controller);
    if (rc == 0) rc = eas_cgroup_try(place, k->file_2, k->value_2);
  } else {
    eas_layer_reason(out, k->bit, "no cgroup hierarchy is mounted");
    place[0] = 0;
    return;
  }
  if (rc == 0) {
    out->layers |= k->bit;
    out->cgroup_version = version;
    return;
  }
  if (rc == -EBUSY)
    eas_layer_reason(out, k->bit, "other processes are in %.80s; give the worker a group of its own", place);
  else if (rc == -ENOENT && version == 2)
    eas_layer_reason(out, k->bit, "no %s controller in %.100s", k->controller, place);
  else
    eas_layer_reason(out, k->bit, "make a group in %.100s: %s", place, strerror(-rc));
  place[0] = 0;
}

/* The three may be of different hierarchies in v1; mixing v1 and v2 is left out: what is found second must match. */
void eas_cgroup_find(eas_probe *out)
{
  out->cgroup_version = 0;
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
    int before = out->cgroup_version;
    find_one(out, &KINDS[i]);
    if (before && out->cgroup_version != before) {
      out->cgroup_version = before;
      out->layers &= ~KINDS[i].bit;
      place_of(out, KINDS[i].bit)[0] = 0;
      eas_layer_reason(out, KINDS[i].bit, "this controller is in the other version of cgroups");
    }
  }
}
