/* err.h: what went wrong, in one line for a person.
 *
 * What can fail returns 0 (or a count) or a negative EAS_E code and fills a
 * caller-owned eas_err, always the last argument, NULL allowed. Code either
 * returns an error or logs it, never both. Includes nothing of ours. */
#ifndef EAS_BASE_ERR_H
#define EAS_BASE_ERR_H
#ifndef EAS_CDEF
#include <stddef.h>
#endif

enum {                 /* kernels have codes of their own: tasks_native/eas_native.h */
       EAS_EIO = -101, /* a file or descriptor */
       EAS_ENOMEM = -102,
       EAS_EINVAL = -103,   /* an argument, a setting, a usage */
       EAS_EFORMAT = -104,  /* the contents of a file or message */
       EAS_EURL = -105,     /* a connection string */
       EAS_ECONNECT = -106, /* a service cannot be reached */
       EAS_EDB = -107,      /* the database refused a statement */
       EAS_EBUSY = -108,    /* somebody else holds it; try again */
       EAS_ENOENT = -109,   /* no such thing */
       EAS_EEXIST = -110,   /* there is one already */
       EAS_ESTALE = -111,   /* a fencing token or lease is over */
       EAS_ELIMIT = -112,   /* a bound of size, depth or time */
       EAS_EINTR = -113,    /* interrupted by the user */
       EAS_EREFUSED = -114, /* a required isolation layer is missing */
       EAS_ENOSPC = -115,   /* a disk is full */
       EAS_EBUG = -199      /* cannot happen */
};

typedef struct {
  int code;        /* EAS_E..., 0 when empty */
  char text[1024]; /* WHERE: WHAT: WHY, present tense, lower case, no full stop */
  char hint[1024]; /* what to do, may be empty */
} eas_err;

/* Fills err (if not NULL) and returns code, so that `return eas_fail(...)` reads well. */
int eas_fail(eas_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds what to do to an error that is set; returns its code. */
int eas_hint(eas_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the text of an error that is set; returns its code. */
int eas_err_prefix(eas_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* EAS_ENOSPC for the errno of a full disk (or quota), else EAS_EIO. */
int eas_io_code(int error);

/* "permission denied": the system's word for an errno, as it reads inside a sentence. */
const char *eas_why(int error, char *out, size_t cap);

/* Exit status of DESIGN.md section 8 for an error code: 2 request, 3 service, 130 interrupted, else 1. */
int eas_err_exit(int code);

#endif
