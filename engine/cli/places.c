/* places.c: see places.h. */
#include "cli/places.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"

extern char **environ;

/* Where a pack has kernels for this build, as eas.native looks for them. */
static const char *const KERNELS[] = {
#if defined(__SANITIZE_ADDRESS__)
  "native/asan",
#endif
  "native"
};

enum { MODULE_MAX = 512 };

/* The program that children are: the zygote, else this one. Caller frees. */
static char *program_file(void)
{
  char exe[PATH_MAX];
  char *path = eas_format("%s/../../libexec/eas-zygote", eas_home_share());
  ssize_t n = eas_path_exists(path) ? -1 : readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n < 0) return path;
  free(path);
  exe[n] = 0;
  return eas_strdup(exe);
}

/* The file of a module: a kernel of ours or of a pack, or this program. NULL: none, or changed since. Caller frees. The
 * traceback of an attempt is a text of the task's: it names a module by its name alone; a path is for what was run just now. */
static char *module_file(const eas_cli *c, const char *module, int64_t at_us)
{
  struct stat st;
  if (strchr(module, '/') && (*module != '/' || at_us)) return NULL;
  char *path = *module == '/' ? eas_strdup(module) : eas_format("%s/%s", eas_home_native(), module);
  for (int i = 0; stat(path, &st) != 0 && c->packs && c->packs[i]; i++)
    for (size_t k = 0; stat(path, &st) != 0 && k < sizeof KERNELS / sizeof *KERNELS; k++) {
      free(path);
      path = eas_format("%s/%s/%s", c->packs[i], KERNELS[k], module);
    }
  if (stat(path, &st) != 0 && strcmp(module, "eas") == 0) {
    free(path);
    path = program_file();
  }
  int64_t changed = stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000000 : INT64_MAX;
  if (at_us == 0 || changed <= at_us) return path;
  free(path);
  return NULL;
}

int eas_place_spawn(const char *file, uint64_t offset, pid_t *pid)
{
  char address[32];
  int fds[2];
  snprintf(address, sizeof address, "0x%" PRIx64, offset);
  char *argv[] = { (char *)(uintptr_t) "addr2line", (char *)(uintptr_t) "-e", (char *)(uintptr_t)file, address, NULL };
  if (pipe2(fds, O_CLOEXEC) != 0) return -1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  int failed = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(fds[1]);
  if (!failed) return fds[0];
  close(fds[0]);
  return -1;
}

char *eas_place_answer(char *line)
{
  line[strcspn(line, " \n")] = 0; /* "x.c:7 (discriminator 2)" */
  const char *number = strrchr(line, ':');
  if (!number || number[1] < '1' || number[1] > '9') return NULL; /* "??:0" */
  return eas_strdup(eas_path_base(line));
}

static char *ask_now(void *arg, const char *file, uint64_t offset)
{
  char line[1024] = "";
  int status = -1;
  pid_t pid;
  (void)arg;
  int fd = eas_place_spawn(file, offset, &pid);
  FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
  if (in && !fgets(line, sizeof line, in)) *line = 0;
  if (in) fclose(in);
  if (fd < 0 || waitpid(pid, &status, 0) < 0 || status != 0) return NULL;
  return eas_place_answer(line);
}

/* Where text reads "MODULE+0xHEX": the length of it, its module and offset; else 0. */
static size_t place_at(const char *text, char module[MODULE_MAX], uint64_t *offset)
{
  size_t n = strcspn(text, "+ ()\n");
  char *end;
  if (n == 0 || n >= MODULE_MAX || strncmp(text + n, "+0x", 3) != 0) return 0;
  memcpy(module, text, n);
  module[n] = 0;
  *offset = strtoull(text + n + 1, &end, 16);
  return (size_t)(end - text);
}

char *eas_places_text(const eas_cli *c, const char *text, int64_t at_us)
{
  return eas_places_by(c, text, at_us, ask_now, NULL);
}

char *eas_places_by(const eas_cli *c, const char *text, int64_t at_us, eas_place_fn *ask, void *arg)
{
  eas_buf out;
  int n_places = 0;
  eas_buf_init(&out);
  for (const char *p = text; *p;) {
    char module[MODULE_MAX];
    uint64_t offset;
    int begins = p == text || strchr(" (\n", p[-1]);
    size_t n = begins ? place_at(p, module, &offset) : 0;
    if (n == 0) {
      eas_buf_char(&out, *p++);
      continue;
    }
    char *file = module_file(c, module, at_us), *line = file ? ask(arg, file, offset - (n_places > 0)) : NULL;
    eas_buf_add(&out, p, n);
    if (line) eas_buf_printf(&out, ", %s", line);
    free(line);
    free(file);
    n_places++;
    p += n;
  }
  return eas_buf_take(&out);
}
