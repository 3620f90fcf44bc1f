/* repl.c: eas repl and eas shell: asks the core for Lua, and lets Ctrl-C stop what runs. As the user, unsandboxed.
 *
 * Ctrl-C arms the hook of a soft time-out, and kernels look at the same flag between chunks. A loop that is compiled
 * code sees neither: what is typed is therefore not compiled (eas.repl), and the third Ctrl-C ends the program. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/path.h"
#include "bindings/repl.h"

volatile sig_atomic_t eas_repl_interrupted, eas_repl_resized, eas_repl_editing;
static volatile sig_atomic_t running, presses;
static const eas_front *the_front;

static void say(const char *text)
{
  if (eas_write_all(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void on_interrupt(int signo)
{
  (void)signo;
  if (!running || eas_repl_editing) {
    eas_repl_interrupted = 1;
    return;
  }
  presses++;
  if (presses == 1) eas_host_interrupt(NULL, "interrupted");
  if (presses == 2) say("\nnot yet: compiled code or C runs; Ctrl-C again ends eas\n");
  if (presses >= 3) _exit(130);
}

static void on_resize(int signo)
{
  (void)signo;
  eas_repl_resized = 1;
}

static void handle(int signo, void (*fn)(int))
{
  struct sigaction a = { .sa_handler = fn }; /* without SA_RESTART: a read is to end */
  sigaction(signo, &a, NULL);
}

/* guard(handler, f, ...): as xpcall; Ctrl-C raises "interrupted" in it. */
static int guard(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  presses = 0;
  running = 1;
  int rc = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  running = 0;
  lua_sethook(L, NULL, 0, 0);
  eas_the_host.stop = 0;
  lua_pushboolean(L, rc == 0);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* resume(): Ctrl-C was dealt with; the next one counts again. Returns whether there was one. */
static int resume(lua_State *L)
{
  lua_pushboolean(L, presses > 0);
  presses = 0;
  lua_sethook(L, NULL, 0, 0);
  eas_the_host.stop = 0;
  return 1;
}

/* interrupts(): how often Ctrl-C was pressed since guard or resume, for who waits in C. */
static int interrupts(lua_State *L)
{
  lua_pushinteger(L, presses);
  return 1;
}

/* ask(what, json): the core's answer as JSON text; or nil, why, what to do. */
static int ask(lua_State *L)
{
  const char *what = luaL_checkstring(L, 1), *json = luaL_optstring(L, 2, "{}");
  eas_err err = { 0 };
  if (the_front == NULL) return luaL_error(L, "there is no engine to ask here");
  char *text = the_front->ask(the_front->arg, what, json, &err);
  if (text == NULL) {
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    lua_pushstring(L, err.hint);
    return 3;
  }
  lua_pushstring(L, text);
  free(text);
  return 1;
}

/* system(command): as the shell has it, Ctrl-C being the command's; its exit status. */
static int run_system(lua_State *L)
{
  const char *command = luaL_checkstring(L, 1);
  int status = system(command);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 1;
}

static void open_functions(lua_State *L)
{
  static const luaL_Reg functions[] = { { "guard", guard }, { "resume", resume },     { "interrupts", interrupts },
                                        { "ask", ask },     { "system", run_system }, { NULL, NULL } };
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_getfield(L, -1, "eas.core");
  luaL_register(L, NULL, functions);
  eas_open_edit(L);
  lua_pop(L, 3);
}

int eas_host_repl(void *arg, const char *share, const char *const *packs, const eas_front *front)
{
  eas_err err = { 0 };
  (void)arg;
  if (eas_lua_runner.load(NULL, share, packs, &err) < 0 || eas_host_push("repl", &err) < 0) {
    fprintf(stderr, "eas: %s\n", err.text);
    return 2;
  }
  lua_State *L = eas_the_host.L;
  struct termios before;
  int on_terminal = tcgetattr(STDIN_FILENO, &before) == 0, status = 1;
  the_front = front;
  open_functions(L);
  handle(SIGINT, on_interrupt);
  handle(SIGWINCH, on_resize);
  lua_pushstring(L, front->request);
  if (lua_pcall(L, 1, 1, 0) != 0)
    fprintf(stderr, "eas: %s\n", eas_host_error(L));
  else
    status = lua_isnumber(L, -1) ? (int)lua_tointeger(L, -1) : 0;
  lua_pop(L, 1);
  signal(SIGINT, SIG_DFL);
  signal(SIGWINCH, SIG_DFL);
  eas_edit_close();
  if (on_terminal) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
  the_front = NULL;
  fflush(stdout);
  return status;
}
