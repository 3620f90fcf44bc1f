/* check_files.c: who makes which file, and who wants one that nobody makes. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/check.h"

static char *key_of(const char *directory, const char *filename)
{
  return eas_format("%s/%s", directory, filename);
}

/* " (line 27)", or nothing for a job without lines. */
static const char *line_of(const eas_check *c, const char *path, char *out, size_t size)
{
  int line, column;
  out[0] = 0;
  if (!c->f->is_lua && eas_json_where(c->f->text, c->f->len, path, 0, &line, &column) == 0)
    snprintf(out, size, " (line %d)", line);
  return out;
}

static int number_of_line(const eas_check *c, const char *path)
{
  int line = 0, column;
  if (eas_json_where(c->f->text, c->f->len, path, 0, &line, &column) < 0) return 0;
  return line;
}

void eas_check_inputs(eas_check *c, const eas_plan_item *item, const char *path, const char *directory)
{
  for (int i = 0; i < item->n_inputs && !c->no_files; i++) {
    const eas_plan_file *file = &item->inputs[i];
    int64_t at;
    if (!file->filename) continue;
    char *key = key_of(directory, file->filename);
    if (!eas_map_get(&c->made_at, key, &at)) {
      if (c->n_wanted == c->cap_wanted) {
        c->cap_wanted = c->cap_wanted ? 2 * c->cap_wanted : 16;
        c->wanted = eas_realloc(c->wanted, (size_t)c->cap_wanted * sizeof *c->wanted);
      }
      c->wanted[c->n_wanted++] =
          (eas_wanted){ eas_strdup(path), eas_strdup(file->suffix), eas_strdup(file->filename), eas_strdup(directory) };
    }
    free(key);
  }
}

/* 'lc.fits' -> 'lc_{size_index}.fits'.format(**metadata): before the ending, after what is in already. NULL: no idea. */
static char *with_variable(const json_t *value, const char *variable)
{
  static const char call[] = ".format(**metadata)";
  const char *raw = json_string_value(value), *from = raw;
  if (!raw) return NULL;
  size_t n = strlen(raw);
  if (eas_expr_is(raw)) {
    if (raw[0] != '\'' || n < sizeof call + 2 || strcmp(raw + n - (sizeof call - 1), call) != 0) return NULL;
    from = raw + 1;
    n = strlen(raw) - sizeof call - 1;
    if (raw[n + 1] != '\'') return NULL;
  }
  if (memchr(from, '\'', n)) return NULL;
  size_t at = 0;
  for (size_t i = 0; i < n; i++)
    if (from[i] == '}') at = i + 1;
  while (at < n && from[at] != '.') at++;
  return eas_format("'%.*s_{%s}%.*s'%s", (int)at, from, variable, (int)(n - at), from + at, call);
}

/* The loop that tells two turns of one task apart; they differ in one at least. */
static const eas_place *differing(const eas_place *a, const eas_place *b)
{
  const eas_place *found = NULL;
  for (; a && b; a = a->up, b = b->up)
    if (a->owner == b->owner && a->index != b->index && a->variable) found = a;
  return found;
}

static int exclude_each_other(const eas_place *a, const eas_place *b)
{
  for (const eas_place *p = a; p; p = p->up)
    for (const eas_place *q = b; q; q = q->up)
      if (p->owner == q->owner && !p->variable && p->index != q->index) return 1;
  return 0;
}

static void made_twice(eas_check *c, const eas_made *old, const eas_made *new)
{
  char line[32], *fix = NULL;
  const eas_place *loop = strcmp(old->item, new->item) == 0 && strcmp(old->suffix, new->suffix) == 0
                              ? differing(old->place, new->place)
                              : NULL;
  if (loop) {
    char *name = with_variable(new->value, loop->variable);
    fix = name ? eas_format("put the loop variable in: \"%s\"", name)
               : eas_format("put the loop variable %s into its name", loop->variable);
    eas_plan_fault(&c->plan, new->item, new->suffix, 0, fix, "output '%s' would be made once per '%s'", new->filename,
                   loop->loop);
    free(name);
  } else {
    fix = eas_format("%s%s makes it too; give one of them another name", old->item,
                     line_of(c, old->item, line, sizeof line));
    eas_plan_fault(&c->plan, new->item, new->suffix, 0, fix, "output '%s' is made twice", new->filename);
  }
  free(fix);
}

static size_t same_head(const char *a, const char *b, size_t most)
{
  size_t n = 0;
  while (n < most && a[n] && a[n] == b[n]) n++;
  return n;
}

static size_t same_tail(const char *a, const char *b, size_t most)
{
  size_t na = strlen(a), nb = strlen(b), n = 0;
  while (n < most && n < na && n < nb && a[na - 1 - n] == b[nb - 1 - n]) n++;
  return n;
}

/* In a loop that is cut, names that were not seen look like those that were. */
static void add_pattern(eas_check *c, const eas_made *m)
{
  char *key = eas_format("%s%s", m->item, m->suffix);
  int64_t at;
  if (eas_map_get(&c->pattern_at, key, &at)) {
    eas_pattern *p = &c->patterns[at];
    p->head = same_head(p->name, m->filename, p->head);
    p->tail = same_tail(p->name, m->filename, p->tail);
    p->cut |= c->cut;
  } else {
    if (c->n_patterns == c->cap_patterns) {
      c->cap_patterns = c->cap_patterns ? 2 * c->cap_patterns : 16;
      c->patterns = eas_realloc(c->patterns, (size_t)c->cap_patterns * sizeof *c->patterns);
    }
    size_t n = strlen(m->filename);
    c->patterns[c->n_patterns] = (eas_pattern){ eas_strdup(m->directory), eas_strdup(m->filename), n, n, c->cut };
    eas_map_set(&c->pattern_at, key, c->n_patterns++);
  }
  free(key);
}

static int is_like(const eas_check *c, const eas_wanted *w)
{
  size_t n = strlen(w->filename);
  for (int i = 0; i < c->n_patterns; i++) {
    const eas_pattern *p = &c->patterns[i];
    if (p->cut && strcmp(p->directory, w->directory) == 0 && n >= p->head && n >= p->tail &&
        strncmp(p->name, w->filename, p->head) == 0 &&
        strcmp(p->name + strlen(p->name) - p->tail, w->filename + n - p->tail) == 0)
      return 1;
  }
  return 0;
}

static void made_done(eas_made *m)
{
  free(m->item);
  free(m->suffix);
  free(m->filename);
  free(m->directory);
}

/* The value of an output as the job has it: keys that are expressions are not looked up again. */
static const json_t *raw_value(const eas_plan_item *item, const char *kind)
{
  return json_object_get(json_object_get(item->entry, "outputs"), kind);
}

void eas_check_outputs(eas_check *c, const eas_plan_item *item, const char *path, const char *directory,
                       const eas_place *place)
{
  for (int i = 0; i < item->n_outputs && !c->no_files; i++) {
    const eas_plan_file *file = &item->outputs[i];
    int64_t at;
    if (!file->filename) {
      c->unknown_outputs = 1;
      continue;
    }
    eas_made m = { eas_strdup(path),      eas_strdup(file->suffix),    eas_strdup(file->filename),
                   eas_strdup(directory), raw_value(item, file->kind), place };
    char *key = key_of(directory, file->filename);
    add_pattern(c, &m);
    if (eas_map_get(&c->made_at, key, &at)) {
      if (!exclude_each_other(c->made[at].place, place)) made_twice(c, &c->made[at], &m);
      made_done(&m);
    } else {
      if (c->n_made == c->cap_made) {
        c->cap_made = c->cap_made ? 2 * c->cap_made : 64;
        c->made = eas_realloc(c->made, (size_t)c->cap_made * sizeof *c->made);
      }
      c->made[c->n_made] = m;
      eas_map_set(&c->made_at, key, c->n_made++);
    }
    free(key);
  }
}

/* 1 if an earlier job has left such a file, passed. */
static int made_before(const eas_check *c, const eas_wanted *w, eas_err *err)
{
  if (!c->o->db) return 0;
  eas_rows *rows = NULL;
  int rc = eas_db_query(c->o->db,
                        "SELECT p.id FROM product p JOIN word w ON w.id = p.directory WHERE p.filename = $1 AND w.text "
                        "= $2 AND p.passed IS NOT NULL LIMIT 1",
                        EAS_ARGS(eas_v_text(w->filename), eas_v_text(w->directory)), &rows, err);
  eas_rows_free(rows);
  return rc;
}

static char *nearest_file(const eas_check *c, const eas_wanted *w)
{
  const char *names[2000];
  size_t n = 0;
  for (int i = 0; i < c->n_made && n < sizeof names / sizeof *names; i++)
    if (strcmp(c->made[i].directory, w->directory) == 0) names[n++] = c->made[i].filename;
  const char *near = eas_nearest(w->filename, names, n);
  for (int i = 0; near && i < c->n_made; i++)
    if (c->made[i].filename == near) return eas_format("use '%s', made by %s", near, c->made[i].item);
  return eas_strdup("inputs name what an earlier task has in its outputs, in the same working directory");
}

static void report_missing(eas_check *c, const eas_wanted *w)
{
  char *key = key_of(w->directory, w->filename), *fix, line[32];
  int64_t at;
  if (!eas_map_get(&c->made_at, key, &at)) {
    fix = nearest_file(c, w);
  } else {
    const eas_made *m = &c->made[at];
    line_of(c, m->item, line, sizeof line);
    if (strcmp(m->item, w->item) == 0)
      fix = eas_strdup("it is an output of this task itself");
    else if (!c->f->is_lua && number_of_line(c, m->item) < number_of_line(c, w->item))
      fix =
          eas_format("%s%s does, in a list that is opened later; put this task into an execution_chain", m->item, line);
    else
      fix = eas_format("a later one does, %s%s; move it before this one", m->item, line);
  }
  eas_plan_fault(&c->plan, w->item, w->suffix, 0, fix, "no earlier task makes '%s'", w->filename);
  free(fix);
  free(key);
}

int eas_check_settle(eas_check *c, eas_err *err)
{
  for (int i = 0; i < c->n_wanted && !c->unknown_outputs; i++) {
    int rc = is_like(c, &c->wanted[i]) ? 1 : made_before(c, &c->wanted[i], err);
    if (rc < 0) return rc;
    if (rc == 0) report_missing(c, &c->wanted[i]);
  }
  return 0;
}

void eas_check_files_done(eas_check *c)
{
  for (int i = 0; i < c->n_made; i++) made_done(&c->made[i]);
  for (int i = 0; i < c->n_wanted; i++) {
    free(c->wanted[i].item);
    free(c->wanted[i].suffix);
    free(c->wanted[i].filename);
    free(c->wanted[i].directory);
  }
  for (int i = 0; i < c->n_patterns; i++) {
    free(c->patterns[i].directory);
    free(c->patterns[i].name);
  }
  free(c->made);
  free(c->wanted);
  free(c->patterns);
  eas_map_done(&c->made_at);
  eas_map_done(&c->pattern_at);
}
