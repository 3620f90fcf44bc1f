#!/usr/bin/env bash
# postgres.sh: a private PostgreSQL server for tests: superuser eas without a password, on a socket in its own folder.
#   postgres.sh start DIR [OWNER [FROM [OPTIONS]]]   starts it in DIR (again after a kill); FROM: a cluster's folder to copy
#                         instead of an initdb; OPTIONS: more words for the server. OWNER: a process id; when that process is
#                         gone, so are the server and DIR
#   postgres.sh stop DIR [MODE]   ends it (immediate, or MODE of pg_ctl); what is in DIR stays
#   postgres.sh kill DIR          kill -9 of all its processes, as a power failure would
# Exit: 0; 1 it did not come up (the reason on stderr); 2 wrong use; 4 no PostgreSQL server here.
set -euo pipefail

verb=${1:-} dir=${2:-}
[ -n "$verb" ] && [ -n "$dir" ] || { sed -n '3,8s/^# \?//p' "$0" >&2; exit 2; }
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
as=
[ "$(id -u)" != 0 ] || as="setpriv --reuid nobody --regid nogroup --clear-groups" # the server refuses to run as root

server() { head -n 1 "$dir/data/postmaster.pid" 2>/dev/null || true; }

make() { # from
  mkdir -p "$dir"
  [ -z "$as" ] || chown nobody "$dir"
  if [ -n "$1" ]; then
    cp -a "$1" "$dir/data"
  else
    $as "$bin/initdb" -D "$dir/data" -U eas -A trust --no-sync --no-instructions -E UTF8 --locale=C --wal-segsize=1 >"$dir/initdb" 2>&1 ||
      { cat "$dir/initdb" >&2; exit 1; }
  fi
}

start() { # owner from options
  [ -x "$bin/initdb" ] || { echo "no PostgreSQL server here (/usr/lib/postgresql/*/bin/initdb)" >&2; exit 4; }
  [ -e "$dir/data" ] || make "$2"
  # fsync is off: processes are killed here, the machine stays up
  local options="-k $dir -c listen_addresses= -c fsync=off -c max_connections=60 -c shared_buffers=64MB $3"
  for _ in 1 2 3; do
    if $as "$bin/pg_ctl" -D "$dir/data" -s -w -t 60 -l "$dir/log" -o "$options" start >/dev/null 2>&1; then
      [ -z "$1" ] || setsid "$0" watch "$dir" "$1" </dev/null >/dev/null 2>&1 &
      return 0
    fi
  done
  echo "the PostgreSQL server did not come up: $(tail -n 5 "$dir/log")" >&2
  exit 1
}

end() { # all at once; where nobody reaps it, its number stays taken
  local pid pids
  pid=$(server)
  [ -n "$pid" ] && kill -STOP "$pid" 2>/dev/null || return 0
  pids="$pid $(cat "/proc/$pid/task/$pid/children")"
  kill -KILL $pids 2>/dev/null || true
  for pid in $pids; do
    while [ -e "/proc/$pid" ] && ! grep -q '^State:.*[ZX]' "/proc/$pid/status" 2>/dev/null; do sleep 0.02; done
  done
  rm -f "$dir/data/postmaster.pid" "$dir"/.s.PGSQL.*
}

watch_owner() { # a spec that is killed cannot stop its server
  local pid
  pid=$(server)
  tail --pid="$1" -f /dev/null
  [ -n "$pid" ] && [ "$(server)" = "$pid" ] || return 0
  end
  rm -rf "$dir"
}

case $verb in
  start) start "${3:-}" "${4:-}" "${5:-}" ;;
  watch) watch_owner "$3" ;;
  kill) end ;;
  stop) $as "$bin/pg_ctl" -D "$dir/data" -s -m "${3:-immediate}" stop >/dev/null 2>&1 || true ;;
  *) echo "postgres.sh: start, stop or kill, not '$verb'" >&2; exit 2 ;;
esac
