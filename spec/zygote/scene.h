/* scene.h: a data folder with something to steal, a zygote in one of the modes, and acts in its children. */
#ifndef EAS_SPEC_ZYGOTE_SCENE_H
#define EAS_SPEC_ZYGOTE_SCENE_H
#include <jansson.h>

#include "worker/zygote.h"

typedef struct {
  eas_probe probe;
  unsigned use;
  char root[256], data[300], scratch_root[320], scratch[340], input[340], foreign[340];
  eas_zygote *zygote;
  eas_slot_group *group;
  int shm;
} scene;

typedef struct {                                                      /* how an act ended */
  int status, signo, ended, garbage, left_before, left, oom, refused; /* status: exit, or -1; signo: killed by, or 0 */
  unsigned layers;
  double seconds;
  int64_t output, peak;
  json_t *events; /* [[type, text], ...] */
} act;

int scene_open(scene *s, const char *mode); /* 0, or an exit status (3: cannot be had here; said on stderr) */
void scene_close(scene *s);
int scene_act(scene *s, const char *name, act *out);
/* Acts that need more than one child, see special.c: 1 if name is one, with the exit status in *rc. */
int scene_special(scene *s, const char *name, int *rc);

int scene_spawn(scene *s, const char *name, const char *padding, eas_child *out, eas_err *err);
int scene_start(scene *s, unsigned use, int require, eas_err *err);
void scene_wait(scene *s, eas_child *c, act *out);
int scene_left(void); /* processes that bear the mark of this scene's acts */
int scene_until_stage(eas_child *c, unsigned stage);
double scene_now(void);

#endif
