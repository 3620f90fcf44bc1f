/* xml.c: registry files by libxml2, with what could harm switched off, validated by the schema built in. */
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/embed.h"
#include "base/json.h"
#include "registry/xml.h"

extern const eas_embedded eas_registry_xsd[];

struct eas_registry_schema {
  xmlSchemaPtr schema;
};

typedef struct {
  const char *path;
  eas_err *err; /* filled by the first fault */
  int failed;
} faults;

#if LIBXML_VERSION >= 21200
typedef const xmlError *fault_ptr;
#else
typedef xmlErrorPtr fault_ptr;
#endif

static const char *const elements[] = { "task_type_registry",
                                        "containers",
                                        "container",
                                        "resourceRequirements",
                                        "gpu",
                                        "tasks",
                                        "task",
                                        "name",
                                        "description",
                                        "timeout",
                                        "max_attempts",
                                        "max_losses",
                                        "max_running",
                                        "retry",
                                        "retry_delay",
                                        "memory_gb",
                                        "cpu",
                                        "random",
                                        "reuse",
                                        "input_folder",
                                        "program" };

/* "use NAME" for an element that is not known, taken from libxml2's message. */
static void hint_element(const char *message, eas_err *err)
{
  char word[64];
  const char *start = strchr(message, '\''), *end = start ? strchr(start + 1, '\'') : NULL;
  if (!end || !strstr(message, "not expected") || end - start > (long)sizeof word) return;
  memcpy(word, start + 1, (size_t)(end - start - 1));
  word[end - start - 1] = 0;
  const char *near = eas_nearest(word, elements, sizeof elements / sizeof *elements);
  if (near && strcmp(near, word) != 0) eas_hint(err, "use %s", near);
}

static void on_fault(void *arg, fault_ptr fault)
{
  faults *f = arg;
  if (f->failed) return;
  f->failed = 1;
  char text[400];
  snprintf(text, sizeof text, "%s", fault->message ? fault->message : "not well-formed");
  size_t n = strlen(text);
  while (n && (text[n - 1] == '\n' || text[n - 1] == '.' || text[n - 1] == ' ')) text[--n] = 0;
  if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') text[0] = (char)(text[0] - 'A' + 'a');
  eas_fail(f->err, EAS_EFORMAT, "%s:%d: %s", f->path, fault->line, text);
  if (f->err) hint_element(text, f->err);
}

static void on_parser_fault(void *arg, fault_ptr fault)
{
  on_fault(((xmlParserCtxtPtr)arg)->_private, fault);
}

/* A DTD brings entities, and with them other files and unbounded growth: none is read. */
static void on_dtd(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
  xmlParserCtxtPtr p = arg;
  faults *f = p->_private;
  (void)name, (void)external, (void)system;
  if (!f->failed) {
    f->failed = 1;
    eas_fail(f->err, EAS_EFORMAT, "%s:%d: a DOCTYPE is not allowed here", f->path, xmlSAX2GetLineNumber(p));
    eas_hint(f->err, "take it out; a registry file needs none");
  }
  xmlStopParser(p);
}

int eas_registry_schema_new(eas_registry_schema **out, eas_err *err)
{
  faults f = { .path = eas_registry_xsd[0].name, .err = err };
  xmlInitParser();
  xmlSchemaParserCtxtPtr p = xmlSchemaNewMemParserCtxt(eas_registry_xsd[0].text, (int)eas_registry_xsd[0].size);
  if (!p) return eas_fail(err, EAS_ENOMEM, "registry schema: out of memory");
  xmlSchemaSetParserStructuredErrors(p, (xmlStructuredErrorFunc)on_fault, &f);
  xmlSchemaPtr schema = xmlSchemaParse(p);
  xmlSchemaFreeParserCtxt(p);
  if (!schema) return f.failed && err ? err->code : eas_fail(err, EAS_EBUG, "the registry schema does not parse");
  *out = eas_alloc(sizeof **out);
  (*out)->schema = schema;
  return 0;
}

void eas_registry_schema_free(eas_registry_schema *s)
{
  if (!s) return;
  xmlSchemaFree(s->schema);
  free(s);
}

static int validate(const eas_registry_schema *s, xmlDoc *doc, faults *f)
{
  xmlSchemaValidCtxtPtr v = xmlSchemaNewValidCtxt(s->schema);
  if (!v) return eas_fail(f->err, EAS_ENOMEM, "%s: out of memory", f->path);
  xmlSchemaSetValidStructuredErrors(v, (xmlStructuredErrorFunc)on_fault, f);
  int rc = xmlSchemaValidateDoc(v, doc);
  xmlSchemaFreeValidCtxt(v);
  if (rc != 0 && !f->failed) return eas_fail(f->err, EAS_EBUG, "%s: the schema could not be applied", f->path);
  return rc == 0 ? 0 : EAS_EFORMAT;
}

int eas_registry_xml(const eas_registry_schema *s, const char *path, const char *text, size_t size, xmlDoc **out,
                     eas_err *err)
{
  faults f = { .path = path, .err = err };
  if (size == 0) return eas_fail(err, EAS_EFORMAT, "%s: the file is empty", path);
  if (size > EAS_REGISTRY_MAX_FILE)
    return eas_fail(err, EAS_ELIMIT, "%s: larger than %d MB", path, EAS_REGISTRY_MAX_FILE / 1024 / 1024);
  xmlParserCtxtPtr p = xmlNewParserCtxt();
  if (!p) return eas_fail(err, EAS_ENOMEM, "%s: out of memory", path);
  p->_private = &f;
  p->sax->internalSubset = on_dtd;
  p->sax->serror = (xmlStructuredErrorFunc)on_parser_fault; /* called with userData, which is p */
  xmlDoc *doc =
      xmlCtxtReadMemory(p, text, (int)size, path, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
  int well_formed = p->wellFormed;
  xmlFreeParserCtxt(p);
  int rc = 0;
  if (!doc || !well_formed || f.failed)
    rc = f.failed ? EAS_EFORMAT : eas_fail(err, EAS_EFORMAT, "%s: not well-formed XML", path);
  if (rc == 0) rc = validate(s, doc, &f);
  if (rc < 0)
    xmlFreeDoc(doc);
  else
    *out = doc;
  return rc;
}

xmlNode *eas_registry_child(const xmlNode *of, const char *name)
{
  for (xmlNode *c = of->children; c; c = c->next)
    if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0) return c;
  return NULL;
}

char *eas_registry_text(const xmlNode *of)
{
  xmlChar *raw = xmlNodeGetContent(of);
  const char *s = raw ? (const char *)raw : "";
  s += strspn(s, " \t\r\n");
  size_t n = strlen(s);
  while (n && strchr(" \t\r\n", s[n - 1])) n--;
  char *out = eas_format("%.*s", (int)n, s);
  xmlFree(raw);
  return out;
}
