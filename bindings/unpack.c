/* unpack.c: eas.core, packed values (base/pack.h) as Lua values: what a request is told in. null is nil. */
#include <stdint.h>
#include <string.h>
#include "base/pack.h"
#include "bindings/host.h"

typedef struct {
  const char *at, *end;
  int depth;
} source;

enum { DEEPEST = 200 };

static const char *take(lua_State *L, source *s, size_t n)
{
  if (n > (size_t)(s->end - s->at)) luaL_error(L, "the request is cut short");
  const char *p = s->at;
  s->at += n;
  return p;
}

static uint32_t take_size(lua_State *L, source *s)
{
  uint32_t n;
  memcpy(&n, take(L, s, sizeof n), sizeof n);
  return n;
}

static void push_text(lua_State *L, source *s)
{
  uint32_t n = take_size(L, s);
  lua_pushlstring(L, take(L, s, n), n);
}

static void push_value(lua_State *L, source *s);

/* The sizes are hints: no table is made larger than what can be in the bytes that are left. */
static int hint(const source *s, uint32_t n)
{
  size_t most = (size_t)(s->end - s->at);
  return (int)(n < most ? n : most);
}

static void push_list(lua_State *L, source *s)
{
  uint32_t n = take_size(L, s);
  lua_createtable(L, hint(s, n), 0);
  for (uint32_t i = 0; i < n; i++) {
    push_value(L, s);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

static void push_object(lua_State *L, source *s)
{
  uint32_t n = take_size(L, s);
  lua_createtable(L, 0, hint(s, n));
  for (uint32_t i = 0; i < n; i++) {
    push_text(L, s);
    push_value(L, s);
    lua_rawset(L, -3);
  }
}

static void push_nested(lua_State *L, source *s, void (*push)(lua_State *, source *))
{
  if (++s->depth > DEEPEST) luaL_error(L, "the request is nested more than %d deep", (int)DEEPEST);
  luaL_checkstack(L, 4, "the request");
  push(L, s);
  s->depth--;
}

static void push_value(lua_State *L, source *s)
{
  int64_t whole;
  double real;
  char kind = *take(L, s, 1);
  switch (kind) {
  case EAS_PACK_NULL: lua_pushnil(L); break;
  case EAS_PACK_TRUE:
  case EAS_PACK_FALSE: lua_pushboolean(L, kind == EAS_PACK_TRUE); break;
  case EAS_PACK_INT:
    memcpy(&whole, take(L, s, sizeof whole), sizeof whole);
    lua_pushnumber(L, (lua_Number)whole);
    break;
  case EAS_PACK_REAL:
    memcpy(&real, take(L, s, sizeof real), sizeof real);
    lua_pushnumber(L, real);
    break;
  case EAS_PACK_STRING: push_text(L, s); break;
  case EAS_PACK_LIST: push_nested(L, s, push_list); break;
  case EAS_PACK_OBJECT: push_nested(L, s, push_object); break;
  default: luaL_error(L, "the request has a value of unknown kind %d", (int)kind);
  }
}

/* request(): what this attempt was told. */
static int request(lua_State *L)
{
  const eas_run *run = eas_the_host.run;
  if (run == NULL) return luaL_error(L, "no attempt is running");
  source s = { run->request, run->request + run->request_len, 0 };
  push_value(L, &s);
  return 1;
}

void eas_open_request(lua_State *L)
{
  static const luaL_Reg functions[] = { { "request", request }, { NULL, NULL } };
  luaL_register(L, NULL, functions);
}
