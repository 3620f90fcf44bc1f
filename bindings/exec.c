/* exec.c: task:exec: a program in the same sandbox, without a shell, its output line by line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bindings/host.h"

enum { ARGS = 1024, LINE = 4096 };

typedef struct {
  int fd;
  size_t len;
  char line[LINE];
} stream;

typedef struct {
  pid_t pid; /* 0: none, or waited for */
  int status;
  stream out[2]; /* standard output and error; fd -1: at its end */
} program;

static void close_streams(program *p)
{
  for (int i = 0; i < 2; i++) {
    if (p->out[i].fd >= 0) close(p->out[i].fd);
    p->out[i].fd = -1;
  }
}

static int program_gc(lua_State *L)
{
  program *p = luaL_checkudata(L, 1, "eas.program");
  close_streams(p);
  if (p->pid > 0) {
    kill(-p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
  }
  return 0;
}

/* In the new process. An error number goes through `failed`, which exec closes. */
static _Noreturn void become(char **argv, const char *folder, const char *in, const char *traceparent, const int *out,
                             int failed)
{
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int from = open(in ? in : "/dev/null", O_RDONLY);
  int ok = setpgid(0, 0) == 0 && (from < 0 ? in == NULL : dup2(from, 0) == 0) && dup2(out[0], 1) == 1 &&
           dup2(out[1], 2) == 2 && (folder == NULL || chdir(folder) == 0);
  if (ok) {
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    if (traceparent) setenv("TRACEPARENT", traceparent, 1);
    execvp(argv[0], argv);
  }
  int code = errno;
  if (write(failed, &code, sizeof code) < 0) _exit(126);
  _exit(127);
}

/* Takes the error number of a failed exec; 0: it runs. */
static int exec_result(int fd)
{
  int code = 0;
  ssize_t n;
  do n = read(fd, &code, sizeof code);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof code ? code : 0;
}

static int start(program *p, char **argv, const char *folder, const char *in, const char *traceparent)
{
  int out[2] = { -1, -1 }, err[2] = { -1, -1 }, failed[2] = { -1, -1 }, code = 0;
  if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(failed, O_CLOEXEC) < 0) {
    code = errno;
    goto done;
  }
  p->pid = fork();
  if (p->pid == 0) become(argv, folder, in, traceparent, (int[]){ out[1], err[1] }, failed[1]);
  if (p->pid < 0) {
    code = errno;
    p->pid = 0;
    goto done;
  }
  close(failed[1]);
  failed[1] = -1;
  code = exec_result(failed[0]);
  p->out[0].fd = out[0];
  p->out[1].fd = err[0];
  out[0] = err[0] = -1;
done:
  for (int i = 0; i < 2; i++) {
    if (out[i] >= 0) close(out[i]);
    if (err[i] >= 0) close(err[i]);
    if (failed[i] >= 0) close(failed[i]);
  }
  return code;
}

/* exec_start({program, arguments...}, folder or nil, file for its standard input or nil, TRACEPARENT or nil): a handle. */
static int exec_start(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *folder = luaL_optstring(L, 2, NULL), *in = luaL_optstring(L, 3, NULL);
  const char *traceparent = luaL_optstring(L, 4, NULL);
  char *argv[ARGS + 1] = { 0 };
  size_t n = lua_objlen(L, 1);
  if (n == 0 || n > ARGS) return luaL_error(L, "exec takes a program and at most %d arguments", ARGS - 1);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, 1, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      return luaL_error(L, "exec: argument %d is a %s, not a text", (int)i, luaL_typename(L, -1));
    argv[i] = (char *)(uintptr_t)lua_tostring(L, -1); /* the table keeps it alive */
    lua_pop(L, 1);
  }
  program *p = lua_newuserdata(L, sizeof *p);
  memset(p, 0, sizeof *p);
  p->out[0].fd = p->out[1].fd = -1;
  luaL_getmetatable(L, "eas.program");
  lua_setmetatable(L, -2);

  int code = start(p, argv, folder, in, traceparent);
  if (code != 0) return luaL_error(L, "exec '%s': %s", argv[0], strerror(code));
  return 1;
}

/* Pushes the next whole line of a stream; 0: none yet. Over-long lines are cut into pieces. */
static int push_line(lua_State *L, stream *s, int at_end)
{
  char *end = memchr(s->line, '\n', s->len);
  size_t n = end ? (size_t)(end - s->line) : s->len;
  if (end == NULL && s->len < LINE && !(at_end && s->len > 0)) return 0;
  lua_pushlstring(L, s->line, n);
  size_t used = end ? n + 1 : n;
  memmove(s->line, s->line + used, s->len - used);
  s->len -= used;
  return 1;
}

static void fill(stream *s)
{
  ssize_t n = read(s->fd, s->line + s->len, LINE - s->len);
  if (n > 0) {
    s->len += (size_t)n;
  } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
    close(s->fd);
    s->fd = -1;
  }
}

/* exec_next(handle): 1 or 2 (stream) and a line; or nil and the exit status (128 + signal) at the end; or 0
 * now and then, so that a hook can fire. */
static int exec_next(lua_State *L)
{
  program *p = luaL_checkudata(L, 1, "eas.program");
  for (int i = 0; i < 2; i++) {
    lua_pushinteger(L, i + 1);
    if (push_line(L, &p->out[i], p->out[i].fd < 0)) return 2;
    lua_pop(L, 1);
  }
  if (p->out[0].fd >= 0 || p->out[1].fd >= 0) {
    struct pollfd fds[2] = { { .fd = p->out[0].fd, .events = POLLIN }, { .fd = p->out[1].fd, .events = POLLIN } };
    int n = poll(fds, 2, 100);
    for (int i = 0; n > 0 && i < 2; i++)
      if (fds[i].fd >= 0 && fds[i].revents) fill(&p->out[i]);
    lua_pushinteger(L, 0);
    return 1;
  }
  while (p->pid > 0 && waitpid(p->pid, &p->status, 0) < 0)
    if (errno != EINTR || eas_the_host.stop) break;
  p->pid = 0;
  lua_pushnil(L);
  lua_pushinteger(L, WIFEXITED(p->status) ? WEXITSTATUS(p->status) : 128 + WTERMSIG(p->status));
  return 2;
}

void eas_open_exec(lua_State *L)
{
  static const luaL_Reg functions[] = { { "exec_start", exec_start }, { "exec_next", exec_next }, { NULL, NULL } };
  luaL_newmetatable(L, "eas.program");
  lua_pushcfunction(L, program_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_register(L, NULL, functions);
}
