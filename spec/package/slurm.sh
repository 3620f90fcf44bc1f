#!/usr/bin/env bash
# slurm.sh: a private Slurm on this machine, for specs: munged, slurmctld and slurmd with everything in one folder.
#   slurm.sh start DIR CPUS   starts it; the node says it has CPUS processors. DIR/slurm.conf is for SLURM_CONF
#   slurm.sh stop DIR         ends its jobs and it
# Exit: 0; 1 it did not come up (the reason on stderr); 2 wrong use; 4 no Slurm here, or not root.
set -euo pipefail
verb=${1:-} dir=${2:-} cpus=${3:-}
[ -n "$verb" ] && [ -n "$dir" ] || { sed -n '3,5s/^# \?//p' "$0" >&2; exit 2; }
export SLURM_CONF=$dir/slurm.conf

settings() {
  local ports host
  host=$(hostname -s)
  mapfile -t ports < <(python3 - <<'PY'
import socket
held = [socket.socket() for _ in range(2)]
for s in held:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
PY
  )
  mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
  head -c 128 /dev/urandom >"$dir/munge/key"
  chmod 700 "$dir/munge"
  chmod 400 "$dir/munge/key"
  cat >"$dir/slurm.conf" <<CONF
ClusterName=eas_test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=100000
KillWait=5
MinJobAge=300
ReturnToService=2
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=65536 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=urgent Nodes=$host MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
}

start() {
  [ "$(id -u)" = 0 ] && command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null \
    || { echo "no Slurm here (Debian: slurmctld slurmd slurm-client munge; as root)" >&2; exit 4; }
  settings
  munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >/dev/null 2>&1
  slurmctld -c >/dev/null 2>"$dir/slurmctld.err" &
  slurmd >/dev/null 2>"$dir/slurmd.err" &
  local i
  for i in $(seq 150); do
    if sinfo -h -o '%t' 2>/dev/null | grep -q '^idle'; then return 0; fi
    sleep 0.2
  done
  echo "Slurm did not come up: $(sinfo 2>&1 | tail -1) $(tail -n 3 "$dir/slurmctld.log" "$dir/slurmd.log" "$dir"/*.err 2>&1)" >&2
  stop
  exit 1
}

stop() {
  local name pid
  timeout 5 scancel --state=PENDING --me 2>/dev/null || true
  timeout 5 scancel --signal=KILL --full --me 2>/dev/null || true
  for name in slurmd.pid slurmctld.pid munge/pid; do
    pid=$(cat "$dir/$name" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  done
}

case $verb in
  start) start ;;
  stop) stop ;;
  *) echo "slurm.sh: start or stop, not '$verb'" >&2; exit 2 ;;
esac
