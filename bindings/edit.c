/* edit.c: eas.core, the part that reads lines from a person: libedit with history and completion; Ctrl-C drops the line.
 *
 * Only the REPL opens it: the zygote does not link it. */
#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#include "base/buf.h"
#include "bindings/repl.h"

enum { KEPT = 2000, NAMES_MAX = 200, COLUMNS = 100 };

typedef struct {
  EditLine *el;
  History *history;
  char *file; /* NULL: not kept */
  char prompt[128];
  lua_State *L; /* while a line is read */
  int complete; /* registry reference of the function, LUA_NOREF: none */
} editor;

static editor the_editor = { .complete = LUA_NOREF };

static char *prompt_of(EditLine *el)
{
  (void)el;
  return the_editor.prompt;
}

/* One character of the terminal. Signals come only while it is waited for, so that none is missed: edit_line blocks them. */
static int next_character(EditLine *el, wchar_t *out)
{
  mbstate_t state = { 0 };
  sigset_t none;
  char byte;
  sigemptyset(&none);
  for (;;) {
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    int ready = ppoll(&p, 1, NULL, &none);
    if (eas_repl_interrupted || (ready < 0 && errno != EINTR)) return -1;
    if (ready < 0) {
      if (eas_repl_resized) el_resize(el);
      eas_repl_resized = 0;
      continue;
    }
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n <= 0) return (int)n;
    size_t used = mbrtowc(out, &byte, 1, &state);
    if (used == (size_t)-2) continue;
    if (used == (size_t)-1) memset(&state, 0, sizeof state); /* no character of this terminal: left out */
    if (used <= 1) return 1;
  }
}

/* Lists what a word could become, below the line. */
static void show_names(lua_State *L, int names, size_t n)
{
  size_t widest = 0;
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, names, (int)i);
    size_t len = strlen(lua_tostring(L, -1));
    if (len > widest) widest = len;
    lua_pop(L, 1);
  }
  size_t columns = COLUMNS / (widest + 2) ? COLUMNS / (widest + 2) : 1;
  putchar('\n');
  for (size_t i = 1; i <= n && i <= NAMES_MAX; i++) {
    lua_rawgeti(L, names, (int)i);
    if (i == n || i == NAMES_MAX || i % columns == 0)
      puts(lua_tostring(L, -1));
    else
      printf("%-*s", (int)widest + 2, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (n > NAMES_MAX) printf("... %zu more\n", n - NAMES_MAX);
}

static size_t shared_start(lua_State *L, int names, size_t n)
{
  lua_rawgeti(L, names, 1);
  size_t len = strlen(lua_tostring(L, -1));
  for (size_t i = 2; i <= n; i++) {
    lua_rawgeti(L, names, (int)i);
    const char *a = lua_tostring(L, -2), *b = lua_tostring(L, -1);
    size_t k = 0;
    while (k < len && b[k] == a[k]) k++;
    len = k;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return len;
}

static int are_texts(lua_State *L, int list, size_t n)
{
  int all = 1;
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, list, (int)i);
    all &= lua_type(L, -1) == LUA_TSTRING;
    lua_pop(L, 1);
  }
  return all;
}

/* Tab: complete(text before the cursor) gives how many bytes before it the word has, names it could be, and what follows a sole one. */
static unsigned char on_tab(EditLine *el, int key)
{
  (void)key;
  lua_State *L = the_editor.L;
  if (L == NULL || the_editor.complete == LUA_NOREF) return CC_ERROR;
  const LineInfo *line = el_line(el);
  int top = lua_gettop(L), result = CC_ERROR;
  lua_rawgeti(L, LUA_REGISTRYINDEX, the_editor.complete);
  lua_pushlstring(L, line->buffer, (size_t)(line->cursor - line->buffer));
  if (lua_pcall(L, 1, 3, 0) == 0 && lua_isnumber(L, -3) && lua_istable(L, -2)) {
    size_t typed = (size_t)lua_tointeger(L, -3), n = lua_objlen(L, -2);
    int names = lua_gettop(L) - 1;
    if (n > 0 && typed <= (size_t)(line->cursor - line->buffer) && are_texts(L, names, n)) {
      size_t shared = shared_start(L, names, n);
      lua_rawgeti(L, names, 1);
      const char *first = lua_tostring(L, -1), *after = lua_tostring(L, -2);
      if (shared > typed || n == 1) {
        char *more = eas_format("%.*s%s", (int)(shared - typed), first + typed, n == 1 && after ? after : "");
        result = *more == 0 || el_insertstr(el, more) == 0 ? CC_REFRESH : CC_ERROR;
        free(more);
      } else {
        show_names(L, names, n);
        result = CC_REDISPLAY;
      }
    }
  }
  lua_settop(L, top);
  return (unsigned char)result;
}

static void bind_keys(EditLine *el)
{
  static const char *const keys[][2] = {
    { "^I", "eas-complete" },       { "^R", "em-inc-search-prev" }, { "\\e[3~", "ed-delete-next-char" },
    { "\\e[H", "ed-move-to-beg" },  { "\\e[F", "ed-move-to-end" },  { "\\e[1~", "ed-move-to-beg" },
    { "\\e[4~", "ed-move-to-end" }, { "\\eOH", "ed-move-to-beg" },  { "\\eOF", "ed-move-to-end" },
    { "\\e[1;5C", "em-next-word" }, { "\\e[1;5D", "ed-prev-word" }, { "^W", "ed-delete-prev-word" },
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
}

static void read_history(editor *e)
{
  HistEvent event;
  e->history = history_init();
  if (e->history == NULL) return;
  history(e->history, &event, H_SETSIZE, KEPT);
  history(e->history, &event, H_SETUNIQUE, 1);
  if (e->file) history(e->history, &event, H_LOAD, e->file);
  el_set(e->el, EL_HIST, history, e->history);
}

/* edit_open(file or nil, complete): true, or nil when there is no terminal to edit on. */
static int edit_open(lua_State *L)
{
  const char *file = luaL_optstring(L, 1, NULL);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  editor *e = &the_editor;
  if (e->el != NULL || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return 0;
  e->el = el_init("eas", stdin, stdout, stderr);
  if (e->el == NULL) return 0;
  el_set(e->el, EL_PROMPT, prompt_of);
  el_set(e->el, EL_EDITOR, "emacs");
  el_set(e->el, EL_GETCFN, next_character);
  el_set(e->el, EL_ADDFN, "eas-complete", "completes names", on_tab);
  bind_keys(e->el);
  el_source(e->el, NULL); /* ~/.editrc */
  e->file = eas_strdup(file);
  read_history(e);
  lua_pushvalue(L, 2);
  e->complete = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 1);
  return 1;
}

/* edit_line(prompt): the line without its end; or nil and "end" or "interrupt". */
static int edit_line(lua_State *L)
{
  editor *e = &the_editor;
  const char *prompt = luaL_checkstring(L, 1);
  if (e->el == NULL) return luaL_error(L, "edit_open was not called");
  snprintf(e->prompt, sizeof e->prompt, "%s", prompt);
  e->L = L;
  eas_repl_interrupted = 0;
  eas_repl_editing = 1;
  void (*before)(int) = signal(SIGTSTP, SIG_IGN); /* the terminal is not as a shell expects it */
  sigset_t ours, others;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGWINCH);
  sigprocmask(SIG_BLOCK, &ours, &others);
  int n = 0;
  el_set(e->el, EL_PREP_TERM, 1); /* before the prompt is seen: what is typed then is ours */
  const char *line = el_gets(e->el, &n);
  sigprocmask(SIG_SETMASK, &others, NULL);
  signal(SIGTSTP, before);
  e->L = NULL;
  eas_repl_editing = 0;
  int interrupted = eas_repl_interrupted;
  eas_repl_interrupted = 0;
  if (line == NULL || n <= 0) {
    putchar('\n');
    lua_pushnil(L);
    lua_pushstring(L, interrupted ? "interrupt" : "end");
    return 2;
  }
  lua_pushlstring(L, line, strcspn(line, "\n"));
  return 1;
}

/* edit_add(entry): to the history, and its file. */
static int edit_add(lua_State *L)
{
  editor *e = &the_editor;
  const char *entry = luaL_checkstring(L, 1);
  HistEvent event;
  if (e->history == NULL) return 0;
  history(e->history, &event, H_ENTER, entry);
  if (e->file == NULL) return 0;
  mode_t mask = umask(077); /* what people type is theirs */
  history(e->history, &event, H_SAVE, e->file);
  umask(mask);
  return 0;
}

void eas_edit_close(void)
{
  editor *e = &the_editor;
  if (e->history != NULL) history_end(e->history);
  if (e->el != NULL) el_end(e->el);
  free(e->file);
  *e = (editor){ .complete = LUA_NOREF };
}

void eas_open_edit(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "edit_open", edit_open }, { "edit_line", edit_line }, { "edit_add", edit_add }, { NULL, NULL }
  };
  luaL_register(L, NULL, functions);
}
