/* zygote.c: the process that attempts are cloned from, as a program of its own: what it does not map, no clone copies.
 *
 * `eas --zygote` becomes it where it is there (main.c). FITS is read by the static library: a child has no
 * network, so its network driver finds none here, and the shared libraries of one stay outside. */
#include <stdlib.h>
#include "bindings/host.h"
#include "worker/zygote.h"

typedef struct curl_handle curl_handle;
int curl_global_init(long flags);
void curl_global_cleanup(void);
curl_handle *curl_easy_init(void);
int curl_easy_setopt(curl_handle *h, int option, ...);
int curl_easy_perform(curl_handle *h);
void curl_easy_cleanup(curl_handle *h);

enum { FAILED_INIT = 2 }; /* CURLE_FAILED_INIT */

int curl_global_init(long flags)
{
  (void)flags;
  return FAILED_INIT;
}

void curl_global_cleanup(void)
{
}

curl_handle *curl_easy_init(void)
{
  return NULL;
}

int curl_easy_setopt(curl_handle *h, int option, ...)
{
  (void)h;
  (void)option;
  return FAILED_INIT;
}

int curl_easy_perform(curl_handle *h)
{
  (void)h;
  return FAILED_INIT;
}

void curl_easy_cleanup(curl_handle *h)
{
  (void)h;
}

int main(int argc, char **argv)
{
  return argc == 3 ? eas_zygote_main(atoi(argv[2]), &eas_lua_runner) : 2;
}
