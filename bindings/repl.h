/* repl.h: what the parts of the prompt share: signals, the editor; linked by the program alone, not by its zygote. */
#ifndef EAS_BINDINGS_REPL_H
#define EAS_BINDINGS_REPL_H
#include "bindings/host.h"

extern volatile sig_atomic_t eas_repl_interrupted; /* Ctrl-C came while a line was read */
extern volatile sig_atomic_t eas_repl_resized;     /* the terminal has another size */
extern volatile sig_atomic_t eas_repl_editing;     /* a line is being read: Ctrl-C is its own */

void eas_open_edit(lua_State *L);
void eas_edit_close(void);

/* runner.h: the prompt. */
int eas_host_repl(void *arg, const char *share, const char *const *packs, const eas_front *front);

#endif
