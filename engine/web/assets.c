/* assets.c: see assets.h. */
#include "web/assets.h"

#include <string.h>

#include "base/hash.h"

extern const eas_embedded eas_web_files[];

static const char *type_of(const char *name)
{
  const char *dot = strrchr(name, '.');
  if (dot && strcmp(dot, ".css") == 0) return "text/css; charset=utf-8";
  if (dot && strcmp(dot, ".js") == 0) return "text/javascript; charset=utf-8";
  if (dot && strcmp(dot, ".svg") == 0) return "image/svg+xml";
  return "text/plain; charset=utf-8";
}

const eas_embedded *eas_web_asset(const char *path, const char **type)
{
  if (strncmp(path, "/static/", 8) != 0) return NULL;
  for (const eas_embedded *f = eas_web_files; f->name; f++)
    if (strcmp(f->name, path + 8) == 0) {
      *type = type_of(f->name);
      return f;
    }
  return NULL;
}

const char *eas_web_asset_tag(void)
{
  static char hex[65];
  if (*hex) return hex;
  eas_digest d;
  eas_hasher *h = eas_hasher_new();
  for (const eas_embedded *f = eas_web_files; f->name; f++) eas_hasher_add(h, f->text, f->size);
  eas_hasher_end(h, &d);
  eas_digest_hex(&d, hex);
  hex[12] = 0;
  return hex;
}
