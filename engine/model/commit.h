/* commit.h: the parts of a commit: commit.c (the group), commit_store.c (rows that belong to an attempt). Private to engine/model. */
#ifndef EAS_MODEL_COMMIT_H
#define EAS_MODEL_COMMIT_H
#include "model/attempt.h"

/* Refuses a result that the schema would refuse, before it takes its group along: EAS_EINVAL. */
int eas_result_check(const eas_result *r, eas_err *err);

/* Sends note and log lines of an attempt that ended. */
int eas_result_store(eas_db *db, const eas_result *r, eas_err *err);

/* Sends the versions of an attempt; ids: as many fresh ids (SQLite; a server has its own).
 * tickets[i]: of version i; no row changed means that the product is not the task's. */
int eas_versions_store(eas_db *db, const eas_result *r, int64_t task, const int64_t *ids, int *tickets, eas_err *err);

/* Log lines with seq from `first`, unless they are there or the token is over; token 0: not asked. */
int eas_log_send(eas_db *db, int64_t attempt, int64_t token, int64_t first, const eas_log_entry *log, int n,
                 eas_err *err);

/* Text the database takes: bytes that are not UTF-8 become U+FFFD. NULL gives NULL; else the caller frees. */
char *eas_clean_text(const char *s);

#endif
