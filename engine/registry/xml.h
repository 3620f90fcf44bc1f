/* xml.h: one registry file, read and validated, as a tree with line numbers. */
#ifndef EAS_REGISTRY_XML_H
#define EAS_REGISTRY_XML_H
#include <stddef.h>
#include "base/err.h"

typedef struct _xmlDoc xmlDoc; /* libxml/tree.h */
typedef struct _xmlNode xmlNode;

enum { EAS_REGISTRY_MAX_FILE = 4 * 1024 * 1024 };

typedef struct eas_registry_schema eas_registry_schema;

/* The schema that is built in, compiled once for all files. */
int eas_registry_schema_new(eas_registry_schema **out, eas_err *err);
void eas_registry_schema_free(eas_registry_schema *s);

/* Parses and validates text that came from `path`. On success *out is the caller's, for xmlFreeDoc.
 * No network, no DTD, no entities but the five of XML. Fails: EAS_EFORMAT, as "path:line: why". */
int eas_registry_xml(const eas_registry_schema *s, const char *path, const char *text, size_t size, xmlDoc **out,
                     eas_err *err);

/* First child element of that name, or NULL. */
xmlNode *eas_registry_child(const xmlNode *of, const char *name);
/* Text of an element without blanks around it; caller frees. */
char *eas_registry_text(const xmlNode *of);

#endif
