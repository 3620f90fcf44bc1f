/* runner.h: the hook by which the core runs scripts without knowing Lua (after sysbench's lua_ops).
 *
 * bindings/main.c hands a filled table to eas_cli_main. In the zygote `load` runs once (state, libraries, bytecode of
 * scripts and kernels' bindings); in each child `run` runs once and returns, or the process dies trying.
 * A no-op runner (bench, capacity tests) fills the same table. */
#ifndef EAS_WORKER_RUNNER_H
#define EAS_WORKER_RUNNER_H
#include <jansson.h>
#include <stddef.h>
#include "base/err.h"
#include "worker/event.h"

typedef struct {
  int fd;                /* event pipe (event.h) */
  eas_shared_page *page; /* mapped, never NULL */
  const char *scratch;   /* current folder; outputs go to scratch/out */
  const char *request;   /* packed (base/pack.h), below */
  size_t request_len;
} eas_run;

/* Request, as JSON would show it; what is empty is not there: {"role": "task"|"qc", "type", "script": absolute path, "attempt", "task", "job", "number",
 *  "job_name", "task_name", "working_directory", "traceparent" (base/trace.h), "description": {..evaluated..}, "metadata": {..}, "requested_metadata": {..},
 *  "seed": int (53 bits), "threads": n, "memory_bytes": n,
 *  "inputs": {kind: {"path","filename","metadata","directory","version","size"}}, "outputs": {kind: {"filename"}}, "external": {"files": [{"name","path"}], "outside": n} or {"error","hint"} (types that read the input folder),
 *  "debug": {"pipe": name in scratch, "line": n or 0, "gdb": whether it waits for gdb} (under eas shell only),
 *  QC only: "ending", "error": {"message","trace"}, "log": last lines [{level,text}], "made": {kind: {"path","filename","metadata","size"}},
 *  "result": {metadata the task set}, "wall_seconds"} */
/* What `eas repl` and `eas shell` are given, and whom they ask: ask() answers `what` (engine/cli/front.c) with JSON text that
 * is the caller's, or NULL and err. */
typedef struct {
  const char *request; /* JSON: {"kind": "repl"|"shell", "color", "utf8", "width", "threads", "history", ...} */
  void *arg;
  char *(*ask)(void *arg, const char *what, const char *json, eas_err *err);
} eas_front;

/* What a page asks for by name: {"value": ...} or {"error": {code, message, hint}}, the caller's; args is borrowed. */
typedef json_t *eas_ask_fn(void *arg, const char *name, const json_t *args);

typedef struct {
  json_t *head;
  char *body;
  size_t size;
} eas_page;

typedef struct {
  const char *version; /* of the interpreter, for doctor; NULL: none */
  void *arg;
  /* Zygote, once: share/eas folder, packs (NULL-terminated). A script that does not load is remembered, not fatal. */
  int (*load)(void *arg, const char *share, const char *const *packs, eas_err *err);
  /* Child: runs the script, writes events, EAS_EV_END last. Returns 0, or < 0 when EAS_EV_ERROR was sent. */
  int (*run)(void *arg, const eas_run *run);
  /* Called from a fatal signal handler (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) or a hard time-out: writes the Lua stack
   * to fd as plain text. Must only walk; it sits behind a sigsetjmp. */
  void (*stack)(void *arg, int fd);
  /* Soft time-out (SIGUSR1 handler): arm a hook that raises a Lua error with traceback. Async-signal-safe. */
  void (*interrupt)(void *arg, const char *why);
  /* CLI: `eas lua FILE args`, a Lua job file to JSON. */
  int (*script)(void *arg, const char *share, const char *const *packs, int argc, char **argv);
  char *(*job)(void *arg, const char *path, eas_err *err);
  /* CLI: `eas search` — runs lib/search_cli.lua: method, files, settings JSON, json flag... as one JSON request; prints. Exit status. */
  int (*search)(void *arg, const char *share, const char *const *packs, const char *request_json);
  /* Pages and pictures: what eas.view.NAME (bindings/lua/eas/view/NAME.lua) makes of a request, as text of *n bytes that the
   * caller frees: "report", "map", "fold". One thread. EAS_EFORMAT: why it could not, with a traceback. */
  char *(*view)(void *arg, const char *name, const char *request_json, size_t *n, eas_err *err);
  /* CLI: `eas repl`, `eas shell`: the prompt. NULL in the zygote. Exit status. */
  int (*repl)(void *arg, const char *share, const char *const *packs, const eas_front *front);
  /* CLI: `eas web`: makes the pages ready; they ask by `ask` for what they show. */
  int (*web_open)(void *arg, const char *share, eas_ask_fn *ask, void *ask_arg, eas_err *err);
  /* Answers a request ({method, path, query, headers, body}): head is {status, type, headers, ...}, body its bytes; both the
   * caller's. A page that fails gives EAS_EBUG. */
  int (*web)(void *arg, const json_t *request, eas_page *out, eas_err *err);
} eas_runner;

#endif
