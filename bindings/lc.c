/* lc.c: light curves for eas.lc: reading, writing, copies. Columns are reached as plain memory by eas.array views. */
#include "lightcurve/lc.h"
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "bindings/host.h"

static eas_lc *check_lc(lua_State *L, int i)
{
  eas_lc **lc = luaL_checkudata(L, i, "eas.lc");
  luaL_argcheck(L, *lc != NULL, i, "a light curve that is open expected");
  return *lc;
}

/* Made before the light curve, so that nothing is lost when memory for it is out. */
static eas_lc **push_slot(lua_State *L)
{
  eas_lc **slot = lua_newuserdata(L, sizeof *slot);
  *slot = NULL;
  luaL_getmetatable(L, "eas.lc");
  lua_setmetatable(L, -2);
  return slot;
}

/* nil, text, hint */
static int push_failure(lua_State *L, const eas_err *err)
{
  lua_pushnil(L);
  lua_pushstring(L, err->text);
  lua_pushstring(L, err->hint);
  return 3;
}

static int lc_gc(lua_State *L)
{
  eas_lc **lc = luaL_checkudata(L, 1, "eas.lc");
  eas_lc_free(*lc);
  *lc = NULL;
  return 0;
}

static const char *option(lua_State *L, const char *name)
{
  if (!lua_istable(L, 2)) return NULL;
  lua_getfield(L, 2, name);
  const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL; /* the table keeps it alive */
  lua_pop(L, 1);
  return value;
}

/* lc_read(path, {flux, quality, columns} or nil): handle, or nil, text, hint */
static int lc_read(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  eas_lc_options options = { .flux = option(L, "flux"),
                             .quality = option(L, "quality"),
                             .columns = option(L, "columns") };
  eas_lc **slot = push_slot(L);
  eas_err err = { 0 };
  return eas_lc_read(slot, path, &options, &err) < 0 ? push_failure(L, &err) : 1;
}

static int lc_new(lua_State *L)
{
  lua_Number n = luaL_checknumber(L, 1);
  luaL_argcheck(L, n >= 0 && n < 1e12, 1, "a number of samples expected");
  eas_lc **slot = push_slot(L);
  eas_err err = { 0 };
  return eas_lc_new(slot, (size_t)n, &err) < 0 ? push_failure(L, &err) : 1;
}

/* lc_write(handle, path, metadata as JSON): true, or nil, text, hint */
static int lc_write(lua_State *L)
{
  eas_lc *lc = check_lc(L, 1);
  const char *path = luaL_checkstring(L, 2);
  size_t n;
  const char *text = luaL_checklstring(L, 3, &n);
  eas_err err = { 0 };
  json_t *metadata = eas_json_parse(text, n, "metadata", &err);
  if (metadata == NULL) return push_failure(L, &err);
  json_decref(lc->metadata);
  lc->metadata = metadata;
  if (eas_lc_write(lc, path, &err) < 0) return push_failure(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int lc_metadata(lua_State *L)
{
  char *text = json_dumps(check_lc(L, 1)->metadata, JSON_COMPACT | JSON_ENCODE_ANY);
  lua_pushstring(L, text ? text : "{}");
  free(text);
  return 1;
}

/* The address of eas_lc_columns, as a text of its 8 bytes: ffi.copy takes it from there. */
static int lc_columns(lua_State *L)
{
  const eas_lc_columns *columns = &check_lc(L, 1)->c;
  lua_pushlstring(L, (const char *)&columns, sizeof columns);
  return 1;
}

static int lc_truncate(lua_State *L)
{
  const eas_lc *lc = check_lc(L, 1);
  double duration = luaL_checknumber(L, 2);
  eas_lc **slot = push_slot(L);
  eas_err err = { 0 };
  return eas_lc_truncate(slot, lc, duration, &err) < 0 ? push_failure(L, &err) : 1;
}

static int lc_clean(lua_State *L)
{
  const eas_lc *lc = check_lc(L, 1);
  eas_lc **slot = push_slot(L);
  eas_err err = { 0 };
  return eas_lc_clean(slot, lc, &err) < 0 ? push_failure(L, &err) : 1;
}

void eas_open_lc(lua_State *L)
{
  static const luaL_Reg functions[] = { { "lc_read", lc_read },       { "lc_new", lc_new },
                                        { "lc_write", lc_write },     { "lc_metadata", lc_metadata },
                                        { "lc_columns", lc_columns }, { "lc_truncate", lc_truncate },
                                        { "lc_clean", lc_clean },     { NULL, NULL } };
  luaL_newmetatable(L, "eas.lc");
  lua_pushcfunction(L, lc_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_register(L, NULL, functions);
}
