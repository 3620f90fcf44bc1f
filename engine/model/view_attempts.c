/* view_attempts.c: attempts as a list, newest first: what a person looking for one reads. */
#include "model/view.h"
#include "model/view_rows.h"

int eas_view_attempts(eas_db *db, const eas_view_filter *f, json_t **out, eas_err *err)
{
  return eas_view_list(
      db,
      "SELECT a.id AS \"a:attempt\", a.task AS \"t:task\", a.job AS \"j:job\", y.name AS type, a.number, a.state, "
      "a.ending, a.verdict, a.wall_us, w.id AS \"w:worker\", h.text AS host, a.slot, w.lease_until - eas_now() AS "
      "lease_us, coalesce(n.error, n.reason) AS reason FROM attempt a JOIN task_type y ON y.id = a.type "
      "LEFT JOIN worker w ON w.id = a.worker LEFT JOIN word h ON h.id = w.host "
      "LEFT JOIN attempt_note n ON n.attempt = a.id WHERE ($1 = 0 OR a.job = $1) AND ($2 = 0 OR a.task = $2) "
      "AND ($3 = '' OR y.name = $3) AND ($4 = '' OR a.state = $4) AND ($5 = 0 OR a.id < $5) "
      "ORDER BY a.id DESC LIMIT $6",
      EAS_ARGS(eas_v_int(f->job), eas_v_int(f->task), eas_v_text(f->type ? f->type : ""),
               eas_v_text(f->state ? f->state : ""), eas_v_int(f->after), eas_v_int(f->limit > 0 ? f->limit : 100)),
      out, err);
}
