#!/usr/bin/env bash
# broker.sh: a private RabbitMQ server for tests: own node name, ports, folder, cookie; everything on loopback.
#   broker.sh start DIR [OWNER]   starts it in DIR (made if needed; again after a kill: with the same ports); prints amqp://...
#                         OWNER: a process id; when that process is gone, so are the server and DIR
#   broker.sh stop DIR    ends it and its epmd, and removes what it wrote
#   broker.sh kill DIR    kill -9, as a power failure would: what is in DIR stays, start brings it back
# DIR/url and DIR/tls_url hold its addresses, DIR/ca.pem the certificate to trust.
# EAS_BROKER_ADDRESS: where it listens, 127.0.0.1 if not said
# Exit: 0; 1 it did not come up (the reason on stderr); 2 wrong use; 4 no rabbitmq-server here.
set -euo pipefail

bin=/usr/lib/rabbitmq/bin
address=${EAS_BROKER_ADDRESS:-127.0.0.1}
verb=${1:-} dir=${2:-} owner=${3:-}
[ -n "$verb" ] && [ -n "$dir" ] || { sed -n '3,8s/^# \?//p' "$0" >&2; exit 2; }

end() { # signal name-of-pid-file
  local pid
  pid=$(cat "$dir/$2" 2>/dev/null) || return 0
  kill "-$1" "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    case $(ps -o stat= -p "$pid" 2>/dev/null) in '' | Z*) break ;; esac # a dead child of somebody else may lie there
    sleep 0.02
  done
  rm -f "$dir/$2"
}

settings() { # once: ports that are free now, certificates, configuration
  local ports loopback=true
  [ "$address" = 127.0.0.1 ] || loopback=false # a network of tests alone
  mkdir -p "$dir"
  mapfile -t ports < <(python3 - <<'PY'
import socket
held = [socket.socket() for _ in range(4)]
for s in held:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
PY
  )
  printf '%s\n' "${ports[@]}" >"$dir/ports"
  echo '[].' >"$dir/plugins"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null
  cat >"$dir/rabbitmq.conf" <<CONF
listeners.tcp.1 = $address:${ports[0]}
listeners.ssl.1 = 127.0.0.1:${ports[1]}
ssl_options.cacertfile = $dir/ca.pem
ssl_options.certfile = $dir/ca.pem
ssl_options.keyfile = $dir/key.pem
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
loopback_users.guest = $loopback
disk_free_limit.absolute = 10MB
vm_memory_high_watermark.absolute = 1GB
log.console = false
log.file.level = warning
CONF
  echo "amqp://guest:guest@$address:${ports[0]}" >"$dir/url"
  echo "amqps://guest:guest@localhost:${ports[1]}" >"$dir/tls_url"
}

watch_owner() { # a spec that is killed cannot stop its server
  local server
  server=$(cat "$dir/pid")
  tail --pid="$owner" -f /dev/null
  [ "$(cat "$dir/pid" 2>/dev/null)" = "$server" ] || return 0
  end KILL pid
  end KILL epmd.pid
  rm -rf "$dir"
}

start() {
  local ports
  [ -x "$bin/rabbitmq-server" ] || { echo "no RabbitMQ server here ($bin/rabbitmq-server)" >&2; exit 4; }
  [ -e "$dir/ports" ] || settings
  mapfile -t ports <"$dir/ports"
  export HOME=$dir ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=${ports[2]}
  epmd </dev/null >/dev/null 2>&1 &
  echo $! >"$dir/epmd.pid"
  env RABBITMQ_NODENAME=eas_test@localhost RABBITMQ_DIST_PORT="${ports[3]}" RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_MNESIA_BASE="$dir/data" RABBITMQ_LOG_BASE="$dir/log" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" RABBITMQ_ALLOW_INPUT=1 \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none" \
    ERL_CRASH_DUMP=/dev/null setsid "$bin/rabbitmq-server" </dev/null >"$dir/out" 2>&1 &
  echo $! >"$dir/pid"
  for _ in $(seq 600); do
    if (exec 3<>"/dev/tcp/$address/${ports[0]}") 2>/dev/null; then
      [ -z "$owner" ] || setsid "$0" watch "$dir" "$owner" </dev/null >/dev/null 2>&1 &
      cat "$dir/url"
      return 0
    fi
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
    sleep 0.05
  done
  echo "the RabbitMQ server did not come up: $(tail -n 5 "$dir/out")" >&2
  end KILL pid
  end KILL epmd.pid
  exit 1
}

case $verb in
  start) start ;;
  watch) watch_owner ;;
  kill) end KILL pid; end KILL epmd.pid ;;
  stop) end KILL pid; end KILL epmd.pid; rm -rf "$dir" ;;
  *) echo "broker.sh: start, stop or kill, not '$verb'" >&2; exit 2 ;;
esac
