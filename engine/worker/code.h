/* code.h: digests of the code an attempt will run: task and QC script, the modules they require, kernels.
 *
 * Found by reading `require "name"` in the files themselves, so that the key is known before a child runs. */
#ifndef EAS_WORKER_CODE_H
#define EAS_WORKER_CODE_H
#include <jansson.h>
#include "base/err.h"
#include "base/hash.h"
#include "registry/registry.h"

/* cache: type name -> {file: sha256 hex}, the caller's object, to be emptied when code changes. *files is a new reference. */
int eas_code_digest(const char *const *packs, json_t *cache, const eas_task_type *t, json_t **files, eas_digest *out,
                    eas_err *err);

/* "sse2", "avx2" or "avx512": what kernels use on this machine, or EAS_SIMD if that is less. Recorded, but no part of the key:
 * results may differ in the last bits. */
const char *eas_simd_name(void);

#endif
