/* assets.h: files that a browser fetches beside the pages: style, scripts. Built in. Includes: base/ only. */
#ifndef EAS_WEB_ASSETS_H
#define EAS_WEB_ASSETS_H
#include "base/embed.h"

/* The file at such a path ("/static/live.js") and its content type; NULL: none. */
const eas_embedded *eas_web_asset(const char *path, const char **type);

/* A word that differs when any of them does: part of their address, so that browsers may keep them. */
const char *eas_web_asset_tag(void);

#endif
