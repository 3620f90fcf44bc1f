#!/usr/bin/env bash
# chroot.sh: folders that are a clean Debian 12, for specs of packages and containers. Needs root and debootstrap.
#   chroot.sh new DIR            makes DIR a copy of a minimal system (made once, kept in ~/.cache/eas-chroot), mounts
#                                /proc, /sys, /dev there
#   chroot.sh enter DIR USER CMD...   runs CMD with the environment given by the caller as NAME=VALUE words before it
#   chroot.sh end DIR            unmounts and removes it
# Exit: the command's; 3 when the system could not be made (the reason on stderr), 4 where none can be: no root or debootstrap.
set -euo pipefail
verb=${1:-} dir=${2:-}
[ -n "$verb" ] && [ -n "$dir" ] || { sed -n '3,8s/^# \?//p' "$0" >&2; exit 2; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/eas-chroot

make_base() {
  local mirror
  exec 9>"$cache.lock"
  flock 9
  if [ -e "$cache/base/.done" ]; then return 0; fi
  mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } \
    | awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^(https?|file):/) { print $i; exit } } $1 == "URIs:" { print $2; exit }')
  rm -rf "$cache/base"
  mkdir -p "$cache"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$cache/base" "$mirror" >"$cache/log" 2>&1 || { tail -n 5 "$cache/log" >&2; exit 3; }
  rm -f "$cache/base/etc/apt/sources.list"
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian* /etc/apt/apt.conf.d/*artifact* /etc/apt/apt.conf.d/*proxy* /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then cp -L "$file" "$cache/base$file"; fi
  done
  cp -L /etc/resolv.conf /etc/hosts "$cache/base/etc/"
  touch "$cache/base/.done"
}

new() {
  [ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || { echo "no clean system can be made here: that needs root and debootstrap" >&2; exit 4; }
  mkdir -p "$(dirname "$cache")"
  make_base
  mkdir -p "$dir"
  cp -a "$cache/base/." "$dir/"
  mount -t proc proc "$dir/proc"
  mount --rbind /sys "$dir/sys"
  mount --make-rslave "$dir/sys"
  mount --rbind /dev "$dir/dev"
  mount --make-rslave "$dir/dev"
}

enter() {
  local user=$3
  shift 3
  local proxies
  mapfile -t proxies < <(env | grep -iE '^(http|https|no)_proxy=' || true)
  exec chroot --userspec="$user" "$dir" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${proxies[@]}" "$@"
}

end() {
  local mounted
  for mounted in dev sys proc; do
    umount -l "$dir/$mounted" 2>/dev/null || true
  done
  rm -rf --one-file-system "$dir"
}

case $verb in
  new) new ;;
  enter) enter "$@" ;;
  end) end ;;
  *) echo "chroot.sh: new, enter or end, not '$verb'" >&2; exit 2 ;;
esac
