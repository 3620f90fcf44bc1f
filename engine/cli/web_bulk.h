/* web_bulk.h: what the dashboard does to all tasks of a filter: a slice at a time between requests, each a short transaction,
 * so that neither the database nor the pages wait for it, however many the tasks are.
 *
 * A list of such works belongs to one eas_loop. What is under way when eas web ends stays half done: asked for once more,
 * it goes on with what still matches. */
#ifndef EAS_CLI_WEB_BULK_H
#define EAS_CLI_WEB_BULK_H
#include "base/loop.h"
#include "cli/cli.h"

typedef struct eas_bulks eas_bulks;

/* c: with its database open for reading; the works open one of their own, that may write. */
eas_bulks *eas_bulks_new(eas_cli *c, eas_loop *loop);
void eas_bulks_free(eas_bulks *b); /* NULL is fine */

/* Begins {"do": "retry" | "cancel", "job": "j3", "type", "state", "where": {variable: value}, "matching": n}, all but the first two
 * optional; matching is only told again. *out: its place in the list, as eas_bulks_list has it. EAS_EINVAL, EAS_EREFUSED; EAS_EBUSY: too many. */
int eas_bulks_begin(eas_bulks *b, const json_t *request, json_t **out, eas_err *err);

/* Works of a job, newest first: {id, do, job, type, state, where, matching, done, looked_at: the last task, under_way, error}. */
json_t *eas_bulks_list(const eas_bulks *b, int64_t job);

#endif
