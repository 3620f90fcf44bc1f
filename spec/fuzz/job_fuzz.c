/* job_fuzz.c: job documents against the check of a whole job, and its printed answer.
 *
 * Holds: a job that is refused has at least one problem, each with a path that leads into the document; the answer
 * can be printed; nothing leaks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/job.h"
#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const eas_registry *registry(void)
{
  static eas_registry *r;
  if (r) return r;
  const char *packs[] = { EAS_FUZZ_ROOT, NULL };
  eas_err err = { 0 };
  if (eas_registry_open(&r, packs, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    abort();
  }
  return r;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  eas_jobfile *file = NULL;
  eas_err err = { 0 };
  char *text = malloc(size + 1);
  if (!text) return 0;
  memcpy(text, data, size);
  text[size] = 0;
  if (eas_jobfile_parse(&file, "job.json", text, size, &err) == 0) {
    eas_problems problems = { 0 };
    eas_buf answer;
    eas_buf_init(&answer);
    const eas_check_options options = { .input_path = "/nonexistent", .prototype_names = size & 1 };
    int rc = eas_job_check(file, registry(), &options, &problems, &err);
    if (rc < 0 && problems.n == 0 && !err.code) abort();
    if (rc == 0 && problems.n > 0) abort();
    if (problems.n > 0) eas_problems_print(&problems, file, &answer);
    if (problems.n > 0 && answer.len == 0) abort();
    eas_buf_done(&answer);
    eas_problems_done(&problems);
    eas_jobfile_free(file);
  } else if (!err.code || !err.text[0]) {
    abort();
  }
  free(text);
  return 0;
}
