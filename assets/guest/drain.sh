LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
have() { command -v "$1" >/dev/null 2>&1; }
runs() { systemctl is-active --quiet -- "$1"; }
left() { now=$(date +%s); if [ "$now" -lt "$ends" ]; then echo $((ends - now)); else echo 0; fi; }
# What was stopped is noted, for a guest that stays after all. A restart forgets it.
note() { grep -qxF -- "$1" "$mark" 2>/dev/null || printf '%s\n' "$1" >>"$mark"; }
stop() { timeout "$(($(left) + 1))" systemctl stop -- "$1"; }
# Lame duck mode. The unit is stopped when its server is gone, or else it might be started again.
drain() {
  pid=$(systemctl show --property MainPID --value -- "$1" 2>/dev/null)
  case $pid in ''|0|*[!0-9]*) stop "$1"; return ;; esac
  kill -s USR2 "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do
    [ "$(left)" -gt 0 ] || return 1
    sleep 0.2
  done
  stop "$1"
}
leave() {
  if ! have systemctl; then
    have pkill && pkill -USR2 -x nats-server
    return
  fi
  failed=0
  for unit in "$@"; do
    runs "$unit" || continue
    note "$unit"
    case $unit in nats*|NATS*) drain "$unit" ;; *) stop "$unit" ;; esac || failed=1
  done
  return "$failed"
}
# NATS before what needs it.
join() {
  [ -r "$mark" ] || return 0
  failed=0
  units=
  while read -r unit; do units="$unit $units"; done <"$mark"
  for unit in $units; do systemctl start -- "$unit" || failed=1; done
  rm -f "$mark"
  return "$failed"
}
