# packages.sh: the Debian 12 packages, and how they get there; sourced by quickstart and run-tests.

packages_build=(gcc libc6-dev cmake ninja-build pkg-config libluajit-5.1-dev luajit lua-cjson libjansson-dev libcfitsio-dev
  libxml2-dev libsqlite3-dev libpq-dev librabbitmq-dev libssl-dev libseccomp-dev libinih-dev libmicrohttpd-dev libedit-dev zlib1g-dev libzstd-dev
  libbz2-dev libcurl4-openssl-dev)
packages_test=(lua-busted lua-check clang-14 clang libclang-rt-14-dev clang-tidy clang-format llvm-14 postgresql-15 sqlite3 ccache
  gdb python3 python3-astropy procps git make patch curl rabbitmq-server amqp-tools openssl lua-yaml librsvg2-bin)
packages_servers=(rabbitmq-server) # only started privately, by specs: none is to run on its own

# Those of the arguments that are not installed, one a line.
packages_missing() {
  local have
  have=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null | awk '$2 == "ii" { print $1 }') || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$have" | sort -u)
}

packages_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# Installs what is missing of the arguments. Prints the middle of one line: what it does, and with what rights.
packages_install() {
  local missing rights log
  if ! command -v dpkg-query >/dev/null; then
    echo "not checked: no dpkg here; wanted, by their Debian names: $*"
    return 0
  fi
  mapfile -t missing < <(packages_missing "$@")
  if [ ${#missing[@]} = 0 ]; then
    echo "$# present, nothing to install"
    return 0
  fi
  rights=apt-get
  if [ "$(id -u)" != 0 ]; then
    rights="sudo apt-get"
    if ! command -v sudo >/dev/null; then
      echo "${#missing[@]} missing, and neither root nor sudo to install them"
      echo "   as root: apt-get install ${missing[*]}" >&2
      return 3
    fi
  fi
  echo "$(($# - ${#missing[@]})) present, ${#missing[@]} to install with $rights: ${missing[*]}"
  log=$(mktemp)
  # a fresh machine has no package lists; old lists name versions that are gone
  if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit 2>/dev/null)" ]; then
    packages_apt update >>"$log" 2>&1 || true
  fi
  if ! packages_apt_install "${missing[@]}" >>"$log" 2>&1; then
    packages_apt update >>"$log" 2>&1 || true
    if ! packages_apt_install "${missing[@]}" >>"$log" 2>&1; then
      tail -n 15 "$log" >&2
      echo "   apt-get could not install them; the log above is from: $rights install ${missing[*]}" >&2
      rm -f "$log"
      return 3
    fi
  fi
  rm -f "$log"
}

# A server that is installed here for specs is neither started now nor at the next boot; others are what their package makes them.
packages_apt_install() {
  local policy=/usr/sbin/policy-rc.d server status=0 ours=()
  for server in "${packages_servers[@]}"; do
    case " $* " in *" $server "*) ours+=("$server") ;; esac
  done
  if [ ${#ours[@]} = 0 ] || [ -e "$policy" ]; then
    packages_apt install "$@" || status=$?
  else
    printf '#!/bin/sh\ncase $1 in %s) exit 101 ;; esac\n' "$(IFS='|' && echo "${ours[*]}")" | packages_root tee "$policy" >/dev/null
    packages_root chmod 755 "$policy"
    packages_apt install "$@" || status=$?
    packages_root rm -f "$policy"
  fi
  if [ $status = 0 ] && [ ${#ours[@]} != 0 ] && command -v systemctl >/dev/null; then
    packages_root systemctl disable "${ours[@]}" || true # without systemd there is nothing to disable
  fi
  return $status
}

packages_apt() {
  packages_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" </dev/null
}
