/* host.h: what the parts of the bindings share: the Lua state and the attempt that is running in it.
 *
 * The bindings are the only C that includes lua.h. Lua sees them as the module eas.core, which
 * only the engine's own Lua (eas.*) may require; scripts see what that makes of it. */
#ifndef EAS_BINDINGS_HOST_H
#define EAS_BINDINGS_HOST_H
#include <lua.h>
#include <lauxlib.h>
#include <signal.h>
#include "base/err.h"
#include "worker/runner.h"

typedef struct {
  lua_State *L;
  const eas_run *run;                 /* the attempt of this child; NULL in the zygote and the command line */
  size_t used, limit;                 /* bytes of the Lua heap; limit 0: none */
  char *arena, *arena_at, *arena_end; /* fresh pages of this child, for its first small blocks */
  volatile sig_atomic_t stop;         /* 1: the hook of eas_host_interrupt is armed */
  char why[256];                      /* its message */
} eas_host;

extern eas_host eas_the_host;

/* Fills the table that the core calls scripts by. */
extern const eas_runner eas_lua_runner;

/* A new state with the libraries, eas.core and share/eas/lua as the only path. On success L is in
 * eas_the_host. Fails: EAS_ENOMEM, EAS_EIO. */
int eas_host_open(const char *share, eas_err *err);
void eas_host_close(void);

/* Registers the functions of one part into the table on top of the stack. */
void eas_open_task(lua_State *L);
void eas_open_request(lua_State *L);
void eas_open_exec(lua_State *L);
void eas_open_lc(lua_State *L);
void eas_open_pool(lua_State *L);

/* 1 when the running attempt was asked to stop. */
int eas_host_cancelled(void);

/* runner.h; stack.c */
void eas_host_stack(void *arg, int fd);
void eas_host_interrupt(void *arg, const char *why);

/* runner.h; front.c: the command line's ways in. */
int eas_host_script(void *arg, const char *share, const char *const *packs, int argc, char **argv);
char *eas_host_job(void *arg, const char *path, eas_err *err);
int eas_host_search(void *arg, const char *share, const char *const *packs, const char *request_json);
char *eas_host_view(void *arg, const char *name, const char *request_json, size_t *n, eas_err *err);

/* runner.h; web.c: pages of the dashboard. */
int eas_host_web_open(void *arg, const char *share, eas_ask_fn *ask, void *ask_arg, eas_err *err);
int eas_host_web(void *arg, const json_t *request, eas_page *out, eas_err *err);

/* Pushes eas.host.NAME; host.c. Fails: EAS_EBUG when there is no such function. */
int eas_host_push(const char *name, eas_err *err);
void eas_host_push_packs(const char *const *packs);
/* The error value on top of the stack as a borrowed text; never NULL. */
const char *eas_host_error(lua_State *L);

#endif
