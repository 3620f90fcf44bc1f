/* path.h: names of files, and whole-file reading and atomic writing. */
#ifndef EAS_BASE_PATH_H
#define EAS_BASE_PATH_H
#ifndef EAS_CDEF
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"
#endif

char *eas_path_join(const char *dir, const char *name);             /* name when it is absolute; caller frees */
const char *eas_path_base(const char *path);                        /* borrowed: after the last '/' */
int eas_path_mkdirs(const char *path, unsigned mode, eas_err *err); /* with its parents */
int eas_path_exists(const char *path);                              /* 1 or 0; of whatever kind */
/* Removes a tree without following links and across what children left (chmod 000 folders). */
int eas_path_remove_tree(const char *path, eas_err *err);

/* Refuses names that leave a folder: absolute, "..", empty parts, control bytes; len > 255 a part. */
int eas_path_check_relative(const char *name, eas_err *err);

/* For a file that a person named, with the errno of open: "x.json: no such file", and the nearest name in its folder, or what is
 * there of its kind; "x.json: permission denied". EAS_ENOENT or EAS_EIO. */
int eas_open_failed(const char *path, int error, eas_err *err);

/* Whole file into out (appended); limit 0: no limit, else EAS_ELIMIT. */
int eas_file_read(const char *path, size_t limit, eas_buf *out, eas_err *err);
/* Writes path by a temporary file in the same folder, fsync, rename, fsync of the folder. */
int eas_file_write(const char *path, const void *data, size_t n, unsigned mode, eas_err *err);
int eas_write_all(int fd, const void *data, size_t n); /* 0 or -errno; retries EINTR */

/* Where this installation lives, found from /proc/self/exe: <prefix>/share/eas, <prefix>/lib/.../eas/native. */
const char *eas_home_share(void);
const char *eas_home_native(void);

#endif
