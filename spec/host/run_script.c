/* run_script.c: runs one attempt as a child of the engine does, but without database, queue and sandbox.
 *
 *   eas-run-script PACKS REQUEST.json [SOFT_MS [CANCEL_MS]]     PACKS: folders, ':' between
 *
 * The current folder is the scratch folder. Prints each event as "TYPE LEVEL PAYLOAD", then "STATUS n". After SOFT_MS
 * the child is asked to stop as a time-out does; if it has not ended 2 s later its Lua stack is printed ("STACK ...") and it
 * ends: so long, since a busy machine may not let it run for half a second. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/json.h"
#include "base/pack.h"
#include "base/path.h"
#include "bindings/host.h"

static void soft(int signo)
{
  (void)signo;
  eas_lua_runner.interrupt(NULL, "time limit of 1 s reached");
}

static void hard(int signo)
{
  (void)signo;
  eas_lua_runner.stack(NULL, 1);
  _exit(124);
}

static void watch(pid_t child, eas_shared_page *page, int soft_ms, int cancel_ms)
{
  if (cancel_ms > 0) {
    usleep((useconds_t)cancel_ms * 1000);
    page->cancel = 1;
  } else if (soft_ms > 0) {
    usleep((useconds_t)soft_ms * 1000);
    kill(child, SIGUSR1);
    for (int tries = 0; tries < 200; tries++) {
      siginfo_t info = { 0 };
      if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child) return;
      usleep(10000);
    }
    kill(child, SIGUSR2);
  }
}

static void print_events(int fd)
{
  eas_event_reader reader;
  eas_event_reader_init(&reader);
  char bytes[65536];
  ssize_t n;
  lseek(fd, 0, SEEK_SET);
  while ((n = read(fd, bytes, sizeof bytes)) > 0) {
    eas_event_feed(&reader, bytes, (size_t)n);
    eas_event_head head;
    const char *payload;
    while (eas_event_next(&reader, &head, &payload) == 1) printf("%d %d %s\n", head.type, head.level, payload);
  }
  eas_event_reader_done(&reader);
}

int main(int argc, char **argv)
{
  if (argc < 3) return 2;
  const char *packs[16] = { 0 };
  int k = 0;
  for (char *p = strtok(argv[1], ":"); p && k < 15; p = strtok(NULL, ":")) packs[k++] = p;
  eas_buf request = { 0 };
  eas_err err = { 0 };
  json_t *told = eas_json_load(argv[2], &err);
  if (told) eas_pack_value(&request, told);
  if (!told || eas_lua_runner.load(NULL, eas_home_share(), packs, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    return 2;
  }
  eas_shared_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  FILE *events = tmpfile();
  char folder[4096];
  if (page == MAP_FAILED || events == NULL || getcwd(folder, sizeof folder) == NULL) return 2;

  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGUSR1, soft);
    signal(SIGUSR2, hard);
    eas_run run = {
      .fd = fileno(events), .page = page, .scratch = folder, .request = request.data, .request_len = request.len
    };
    int rc = eas_lua_runner.run(NULL, &run);
    fflush(stdout);
    _exit(rc < 0 ? 1 : 0);
  }
  watch(child, page, argc > 3 ? atoi(argv[3]) : 0, argc > 4 ? atoi(argv[4]) : 0);
  int status = 0;
  waitpid(child, &status, 0);
  print_events(fileno(events));
  printf("PROGRESS %llu %llu\n", (unsigned long long)page->done, (unsigned long long)page->total);
  printf("STATUS %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
