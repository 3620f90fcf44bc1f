/* diff.h: what differs between two JSON values, in words a person types. */
#ifndef EAS_CLI_DIFF_H
#define EAS_CLI_DIFF_H
#include <jansson.h>

/* Called for each leaf that differs; was or is is NULL where there is none. */
typedef void eas_diff_fn(void *arg, const char *path, const json_t *was, const json_t *is);
void eas_diff(const char *path, const json_t *was, const json_t *is, eas_diff_fn *fn, void *arg);

/* "0.5 -> 0.6" (with an arrow where utf8), digests by their first four letters, long texts cut. Caller frees. */
char *eas_diff_text(const json_t *was, const json_t *is, int utf8);

/* What differs between two provenances: "period_min 0.5 -> 0.6, kernel tls 41c0 -> 9be2"; NULL if nothing. Caller frees. */
char *eas_diff_provenance(const json_t *was, const json_t *is, int utf8);

#endif
