/* signals.c: what a child still says when a signal ends it.
 *
 * Everything here runs in a signal handler, perhaps on top of broken memory: static buffers, no locks, no allocation
 * of ours. Each phase (Lua stack, native stack) may itself fail or hang, so it sits behind a sigsetjmp and an alarm, and
 * a fault within it goes on with the next phase. Lua comes first: unwinding aborts inside machine code of the JIT. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "base/clock.h"
#include "worker/signal_text.h"
#include "worker/zygote_own.h"

enum { ALT_STACK = 128 * 1024, FRAMES = 48, PHASE_S = 1 };

static struct {
  const eas_runner *runner;
  const eas_limits *limits;
  int64_t start_us;
  int fd; /* -1: this is the zygote */
} self = { .fd = -1 };

static char alt_stack[ALT_STACK] __attribute__((aligned(64)));
static atomic_int owner; /* thread that is in the handler */
static volatile sig_atomic_t in_phase;
static sigjmp_buf out_of_phase;
static eas_signal_text trace, event;

/* The system call: AddressSanitizer looks at the stack before an _exit, and in a sandbox finds no /proc to do it. */
static void leave(int status)
{
  syscall(SYS_exit_group, status);
}

static int thread_id(void)
{
  return (int)syscall(SYS_gettid);
}

/* The runner writes to a descriptor; a pipe holds 64 KB, and what is more is dropped. */
static void add_lua_stack(void)
{
  static char text[16384];
  int fds[2];
  if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
    close(0); /* all descriptors are used up: two that are not missed */
    close(1);
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) return;
  }
  if (sigsetjmp(out_of_phase, 1) == 0) {
    in_phase = 1;
    alarm(PHASE_S);
    if (self.runner->stack) self.runner->stack(self.runner->arg, fds[1]);
  }
  in_phase = 0;
  alarm(0);
  ssize_t n = read(fds[0], text, sizeof text);
  if (n > 0) {
    eas_signal_text_add(&trace, text, (size_t)n);
    if (text[n - 1] != '\n') eas_signal_text_str(&trace, "\n");
  }
  close(fds[0]);
  close(fds[1]);
}

static int is_system(const Dl_info *where)
{
  const char *slash = where->dli_fname ? strrchr(where->dli_fname, '/') : NULL;
  const char *name = slash ? slash + 1 : where->dli_fname ? where->dli_fname : "";
  return strncmp(name, "libc.", 5) == 0 || strncmp(name, "libgcc", 6) == 0 || strncmp(name, "ld-", 3) == 0 ||
         strncmp(name, "linux-vdso", 10) == 0;
}

/* "power (tls.so+0x1a2b)" */
static void add_place(eas_signal_text *t, const Dl_info *where, uintptr_t pc)
{
  const char *slash = where->dli_fname ? strrchr(where->dli_fname, '/') : NULL;
  if (where->dli_sname) {
    eas_signal_text_str(t, where->dli_sname);
    eas_signal_text_str(t, " (");
  }
  eas_signal_text_str(t, slash ? slash + 1 : where->dli_fname ? where->dli_fname : "?");
  eas_signal_text_str(t, "+");
  eas_signal_text_hex(t, pc - (uintptr_t)where->dli_fbase);
  if (where->dli_sname) eas_signal_text_str(t, ")");
}

/* From pc on: the frames above are this handler's. *guilty: the first frame that is not the system's. */
static void list_frames(void *const *frame, int n, uintptr_t pc, Dl_info *guilty, uintptr_t *guilty_pc)
{
  int first = 0;
  for (int i = 0; i < n; i++)
    if ((uintptr_t)frame[i] == pc) first = i;
  for (int i = first; i < n; i++) {
    Dl_info where;
    /* a return address may stand behind its function's end, if what it called never returns */
    int known = dladdr((const char *)frame[i] - (i > first), &where);
    eas_signal_text_str(&trace, i == first ? "native stack:\n  " : "  ");
    if (known)
      add_place(&trace, &where, (uintptr_t)frame[i]);
    else
      eas_signal_text_hex(&trace, (uintptr_t)frame[i]);
    eas_signal_text_str(&trace, "\n");
    if (known && !is_system(&where) && *guilty_pc == 0) {
      *guilty = where;
      *guilty_pc = (uintptr_t)frame[i];
    }
  }
}

typedef struct {
  void *frame[FRAMES];
  int n;
} native_stack;

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *arg)
{
  native_stack *s = arg;
  void *pc = (void *)_Unwind_GetIP(context);
  if (!pc || s->n == FRAMES) return _URC_END_OF_STACK;
  s->frame[s->n++] = pc;
  return _URC_NO_REASON;
}

/* By the unwinder itself: the C library's backtrace() is the same, but maps a shared library for it, which each clone would copy. */
static void add_native_stack(uintptr_t pc, Dl_info *guilty, uintptr_t *guilty_pc)
{
  static native_stack s;
  if (sigsetjmp(out_of_phase, 1) == 0) {
    in_phase = 1;
    alarm(PHASE_S);
    s.n = 0;
    _Unwind_Backtrace(take_frame, &s);
    list_frames(s.frame, s.n, pc, guilty, guilty_pc);
  }
  in_phase = 0;
  alarm(0);
}

static uintptr_t pc_of(const void *context)
{
#if defined(__x86_64__)
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

static uintptr_t sp_of(const void *context)
{
#if defined(__x86_64__)
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
#else
  (void)context;
  return 0;
#endif
}

static void send_event(const char *ending, const char *message)
{
  eas_signal_text_clear(&event);
  eas_signal_text_str(&event, "{\"ending\":\"");
  eas_signal_text_str(&event, ending);
  eas_signal_text_str(&event, "\",\"message\":");
  eas_signal_text_quoted(&event, message, strlen(message));
  eas_signal_text_str(&event, ",\"trace\":");
  eas_signal_text_quoted(&event, trace.data, trace.len);
  eas_signal_text_str(&event, "}");
  eas_event_write(self.fd, EAS_EV_ERROR, 0, event.data, event.len);
}

/* "SIGSEGV at address 0x10 in power (tls.so+0x1a2b)" */
static void describe(eas_signal_text *m, int signo, const siginfo_t *info, const void *context, uintptr_t pc,
                     const Dl_info *guilty, uintptr_t guilty_pc)
{
  Dl_info where;
  uintptr_t address = (uintptr_t)info->si_addr, sp = sp_of(context);
  int known = dladdr((void *)pc, &where);
  const char *name = sigabbrev_np(signo);
  eas_signal_text_str(m, "SIG");
  eas_signal_text_str(m, name ? name : "?");
  if (signo == SIGSEGV && info->si_code > 0 && address - (sp - 65536) < 2 * 65536)
    eas_signal_text_str(m, ", C stack overflow");
  if (info->si_code <= 0 && signo != SIGABRT)
    eas_signal_text_str(m, " sent by a process");
  else if ((signo == SIGSEGV || signo == SIGBUS) && info->si_code == SI_KERNEL)
    eas_signal_text_str(m, " at an address that cannot be");
  else if (signo == SIGSEGV || signo == SIGBUS) {
    eas_signal_text_str(m, " at address ");
    eas_signal_text_hex(m, address);
  }
  eas_signal_text_str(m, " in ");
  if (known && !is_system(&where))
    add_place(m, &where, pc);
  else if (guilty_pc)
    add_place(m, guilty, guilty_pc);
  else if (known)
    add_place(m, &where, pc);
  else
    eas_signal_text_str(m, address == pc ? "code that is not there" : "compiled Lua code");
}

static void on_fatal(int signo, siginfo_t *info, void *context)
{
  static eas_signal_text message;
  if (self.fd < 0) { /* the zygote itself: end as everybody does */
    signal(signo, SIG_DFL);
    raise(signo);
    return;
  }
  int me = thread_id(), nobody = 0;
  if (!atomic_compare_exchange_strong(&owner, &nobody, me)) {
    if (nobody == me && in_phase) siglongjmp(out_of_phase, 1);
    if (nobody == me) leave(128 + signo);
    for (;;) pause(); /* another thread tells already, and will end this process */
  }
  Dl_info guilty = { 0 };
  uintptr_t pc = pc_of(context), guilty_pc = 0;
  eas_signal_text_clear(&trace);
  eas_signal_text_clear(&message);
  add_lua_stack();
  add_native_stack(pc, &guilty, &guilty_pc);
  describe(&message, signo, info, context, pc, &guilty, guilty_pc);
  send_event("crashed", message.data);
  leave(128 + signo); /* raise() would come back: pid 1 of a namespace ignores default actions */
}

static void on_alarm(int signo)
{
  (void)signo;
  if (in_phase && atomic_load(&owner) == thread_id()) siglongjmp(out_of_phase, 1);
}

/* The supervisor asks in the same way when the time is over and when somebody cancels. */
static int time_is_over(void)
{
  return eas_tick_us() - self.start_us >= self.limits->wall_ms * 1000;
}

/* What the supervisor does not know; it says which limit it was. */
static const char *limit_text(int signo)
{
  static char text[96];
  if (signo == SIGUSR1) return time_is_over() ? "stopped at its time limit" : "cancelled";
  if (signo == SIGUSR2) return "did not stop when it was asked to";
  if (signo == SIGXCPU)
    eas_signal_text_limit(text, sizeof text, "used more than its CPU limit of ", self.limits->cpu_s, " s");
  else
    eas_signal_text_limit(text, sizeof text, "wrote a file over its limit of ", self.limits->file_bytes / 1000000,
                          " MB");
  return text;
}

static void on_soft_time_out(int signo)
{
  int kept = errno;
  if (self.fd >= 0 && self.runner->interrupt) self.runner->interrupt(self.runner->arg, limit_text(signo));
  errno = kept;
}

/* Hard time-out, CPU limit, file limit: the Lua stack, and out. */
static void on_limit(int signo)
{
  int nobody = 0;
  if (self.fd < 0) leave(128 + signo);
  if (!atomic_compare_exchange_strong(&owner, &nobody, thread_id())) return;
  eas_signal_text_clear(&trace);
  add_lua_stack();
  const char *ending = signo == SIGXCPU ? "cpu" : signo == SIGXFSZ ? "disk" : time_is_over() ? "timeout" : "cancelled";
  send_event(ending, limit_text(signo));
  leave(signo == SIGUSR2 ? EAS_EXIT_TIMEOUT : 128 + signo);
}

static void on_nothing(int signo)
{
  (void)signo;
}

static void handle(int signo, int flags, void (*plain)(int), void (*full)(int, siginfo_t *, void *))
{
  struct sigaction a;
  memset(&a, 0, sizeof a);
  a.sa_flags = flags | SA_ONSTACK;
  if (full) {
    a.sa_flags |= SA_SIGINFO;
    a.sa_sigaction = full;
  } else {
    a.sa_handler = plain;
  }
  if (full || plain == on_limit) {
    sigaddset(&a.sa_mask, SIGUSR1);
    sigaddset(&a.sa_mask, SIGUSR2);
    sigaddset(&a.sa_mask, SIGXCPU);
    sigaddset(&a.sa_mask, SIGXFSZ);
  }
  sigaction(signo, &a, NULL);
}

void eas_signals_zygote(const eas_runner *runner)
{
  static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
  stack_t stack = { .ss_sp = alt_stack, .ss_size = sizeof alt_stack };
  self.runner = runner;
  sigaltstack(&stack, NULL);
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) handle(fatal[i], SA_NODEFER, NULL, on_fatal);
  handle(SIGUSR1, 0, on_soft_time_out, NULL); /* no SA_RESTART: a call that blocks must return */
  handle(SIGUSR2, 0, on_limit, NULL);
  handle(SIGXCPU, 0, on_limit, NULL);
  handle(SIGXFSZ, 0, on_limit, NULL);
  handle(SIGALRM, SA_NODEFER, on_alarm, NULL);
  handle(SIGPIPE, SA_RESTART, on_nothing, NULL); /* not SIG_IGN, which programs that are executed would inherit */
}

void eas_signals_child(int event_fd, const eas_limits *limits)
{
  self.limits = limits;
  self.start_us = eas_tick_us();
  self.fd = event_fd;
}
