/* s3_list.c: what is in a bucket, page by page; and elements of answers in XML. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/s3_private.h"

enum { PARSE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA };

static xmlDoc *parse(const eas_buf *xml)
{
  return xml->len ? xmlReadMemory(xml->data, (int)xml->len, NULL, NULL, PARSE) : NULL;
}

static const xmlNode *child(const xmlNode *parent, const char *name)
{
  for (const xmlNode *n = parent ? parent->children : NULL; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0) return n;
  return NULL;
}

static void text_of(const xmlNode *node, char *out, size_t size)
{
  xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
  snprintf(out, size, "%s", text ? (const char *)text : "");
  xmlFree(text);
}

void eas_s3_element(const eas_buf *xml, const char *name, char *out, size_t size)
{
  xmlDoc *doc = parse(xml);
  text_of(child(doc ? xmlDocGetRootElement(doc) : NULL, name), out, size);
  if (doc) xmlFreeDoc(doc);
}

static int64_t parse_time(const char *text)
{
  struct tm tm = { 0 };
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
  return rest ? (int64_t)timegm(&tm) * 1000000 : -1;
}

void eas_s3_encode(eas_buf *out, const char *text)
{
  for (const unsigned char *p = (const unsigned char *)text; *p; p++)
    if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", *p))
      eas_buf_char(out, (char)*p);
    else
      eas_buf_printf(out, "%%%02X", *p);
}

typedef struct {
  eas_s3 *c;
  const char *folder;
  eas_s3_list_fn *fn;
  void *arg;
  char token[1100]; /* of the next page; "": there is none */
} listing;

static int take_page(listing *l, const eas_buf *xml, eas_err *err)
{
  char key[EAS_S3_KEY], size[32], time[64], more[8];
  size_t skip = strlen(l->c->prefix);
  xmlDoc *doc = parse(xml);
  const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
  int rc = 0;
  if (!root || strcmp((const char *)root->name, "ListBucketResult") != 0) {
    rc =
        eas_fail(err, EAS_ECONNECT, "store '%s': the answer of %s to a listing is not S3's", l->c->url, l->c->endpoint);
  } else {
    for (const xmlNode *n = root->children; n && rc == 0; n = n->next) {
      if (n->type != XML_ELEMENT_NODE || strcmp((const char *)n->name, "Contents") != 0) continue;
      text_of(child(n, "Key"), key, sizeof key);
      text_of(child(n, "Size"), size, sizeof size);
      text_of(child(n, "LastModified"), time, sizeof time);
      if (l->fn && strncmp(key, l->c->prefix, skip) == 0)
        rc = l->fn(l->arg, key + skip, strtoll(size, NULL, 10), parse_time(time));
    }
    text_of(child(root, "IsTruncated"), more, sizeof more);
    text_of(child(root, "NextContinuationToken"), l->token, sizeof l->token);
    if (strcmp(more, "true") != 0) *l->token = 0;
  }
  if (doc) xmlFreeDoc(doc);
  return rc;
}

int eas_s3_list(eas_s3 *c, const char *folder, const char *after, int max, eas_s3_list_fn *fn, void *arg, eas_err *err)
{
  listing *l = eas_alloc(sizeof *l);
  *l = (listing){ .c = c, .folder = folder, .fn = fn, .arg = arg };
  eas_s3_request r;
  eas_s3_request_init(&r, "GET");
  eas_buf query;
  eas_buf_init(&query);
  int rc;
  do { /* sorted by name: that is how they are signed */
    eas_buf_clear(&query);
    if (*l->token) {
      eas_buf_str(&query, "continuation-token=");
      eas_s3_encode(&query, l->token);
      eas_buf_char(&query, '&');
    }
    eas_buf_printf(&query, "list-type=2&max-keys=%d&prefix=", max > 0 ? max : 1000);
    eas_s3_encode(&query, c->prefix);
    eas_s3_encode(&query, folder);
    if (after && !*l->token) {
      eas_buf_str(&query, "&start-after=");
      eas_s3_encode(&query, c->prefix);
      eas_s3_encode(&query, after);
    }
    r.query = query.data;
    rc = eas_s3_run(c, &r, 1, err);
    if (rc == 0) rc = take_page(l, &r.text, err);
  } while (rc == 0 && *l->token && max == 0);
  eas_buf_done(&query);
  eas_buf_done(&r.text);
  free(l);
  return rc;
}
