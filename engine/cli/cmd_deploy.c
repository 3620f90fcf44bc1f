/* cmd_deploy.c: eas deploy: what a cluster's own scheduler needs to run the workers, from registry and configuration. The
 * texts are made in Lua (eas.deploy); here the request is put together, without secrets. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/commands.h"

static json_t *containers(const eas_cli *c)
{
  int n = 0;
  const eas_container *k = eas_registry_containers(c->registry, &n);
  json_t *list = json_array();
  for (int i = 0; i < n; i++)
    json_array_append_new(list, json_pack("{s:s,s:f,s:f,s:f}", "name", k[i].name, "cpu", k[i].cpu, "gpu", k[i].gpu,
                                          "memory_gb", k[i].memory_gb));
  return list;
}

/* Types that workers run: flow control is control's, and what lacks a script or a program runs nowhere. */
static json_t *types(const eas_cli *c)
{
  int n = 0;
  const eas_task_type *t = eas_registry_types(c->registry, &n);
  json_t *list = json_array();
  for (int i = 0; i < n; i++) {
    if (t[i].flow || eas_registry_runnable(c->registry, &t[i], NULL) < 0) continue;
    json_t *in = json_array();
    for (int k = 0; t[i].containers[k]; k++) json_array_append_new(in, json_string(t[i].containers[k]));
    json_array_append_new(list, json_pack("{s:s,s:o,s:f,s:f}", "name", t[i].name, "containers", in, "cpu", t[i].cpu,
                                          "timeout_seconds", (double)t[i].timeout_ms / 1000));
  }
  return list;
}

/* Values as they may be shown: a password within a URL is ***. */
static json_t *configuration(const eas_cli *c)
{
  int n = 0;
  const eas_conf_key *keys = eas_conf_keys(&n);
  json_t *all = json_object();
  for (int i = 0; i < n; i++) {
    if (strcmp(keys[i].type, "secret") == 0) continue;
    char *shown = eas_conf_shown(c->conf, keys[i].name);
    json_object_set_new(all, keys[i].name,
                        json_pack("{s:s,s:s,s:s,s:b}", "value", shown, "env", keys[i].env, "type", keys[i].type, "set",
                                  strcmp(eas_conf_source(c->conf, keys[i].name), "default") != 0));
    free(shown);
  }
  return all;
}

/* {"--image": ["A", "B"], ...} */
static json_t *given(const eas_cli *c)
{
  json_t *all = json_object();
  for (int i = 0; i < c->n_given; i++) {
    const char *name = c->given[i].option->name, *value = c->given[i].value;
    json_t *list = json_object_get(all, name);
    if (!list) json_object_set_new(all, name, list = json_array());
    json_array_append_new(list, json_string(value ? value : ""));
  }
  return all;
}

static int cmd_deploy(eas_cli *c)
{
  eas_err err = { 0 };
  char here[4096] = "", self[4096] = "eas";
  if (!c->runner->script) return eas_cli_usage(c, "this program was built without scripts");
  if (eas_cli_open_registry(c, &err) < 0) return eas_cli_fail(c, &err);
  if (!getcwd(here, sizeof here)) here[0] = 0;
  ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  if (len > 0) self[len] = 0;
  json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "target", c->args[0], "version", EAS_VERSION,
                              "folder", here, "program", self, "containers", containers(c), "types", types(c), "conf",
                              configuration(c), "options", given(c));
  char *text = json_dumps(request, JSON_COMPACT), *script = eas_path_join(eas_home_share(), "lua/eas/deploy/main.lua");
  char *argv[] = { script, text, NULL };
  int status = c->runner->script(c->runner->arg, eas_home_share(), (const char *const *)c->packs, 2, argv);
  free(script);
  free(text);
  json_decref(request);
  return status;
}

static const eas_option DEPLOY[] = {
  { "--namespace", "N", NULL, "Kubernetes: namespace of everything (default eas)" },
  { "--image", "[CONTAINER=]IMAGE", NULL, "Kubernetes: image of all, or of one container; may be repeated" },
  { "--scaler", "KIND", NULL, "Kubernetes: what KEDA asks: postgresql (default) or rabbitmq" },
  { "--storage-class", "NAME", NULL, "Kubernetes: of the shared volumes (default: the cluster's)" },
  { "--container", "NAME", NULL, "only this container of the registry; may be repeated" },
  { "--max", "[CONTAINER=]N", NULL, "at most N workers at once (default 10); may be repeated" },
  { "--output", "DIR", NULL, "Slurm: folder for the scripts (default ./slurm)" },
  { "--partition", "NAME", NULL, "Slurm: partition of the jobs (default: the cluster's)" },
  { "--idle", "TIME", NULL, "Slurm: a worker with nothing to do for so long ends (default 2 min)" },
  { "--task-path", "DIRS", "task_path", "packs beside the core, divided by ':'" },
  { 0 }
};

const eas_command eas_cmd_deploy = {
  .name = "deploy",
  .args = "kubernetes|slurm",
  .summary = "writes what Kubernetes or Slurm needs to run the workers",
  .detail = "From the registry (resources, time limits) and the configuration; nothing is sent anywhere.\n"
            "kubernetes: manifests on stdout, for kubectl apply -f -. slurm: scripts for sbatch and an autoscaler.\n"
            "No secret is written.",
  .examples = "  eas deploy kubernetes --namespace survey --image registry.example.org/eas:0.1.0\n"
              "  eas deploy slurm --output slurm --partition long --max eas_worker_tls=4",
  .groups = EAS_O_DATA,
  .options = DEPLOY,
  .min_args = 1,
  .max_args = 1,
  .run = cmd_deploy
};
