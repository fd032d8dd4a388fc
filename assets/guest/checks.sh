LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
say() { printf 'p %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
brief() { if have timeout; then timeout 3 "$@"; else "$@"; fi; }
state() {
  case $2 in
    active|reloading|refreshing) say "$1 up $2" ;;
    inactive|failed|activating|deactivating|maintenance) say "$1 down $2" ;;
    *) say "$1 unknown systemctl gave no state" ;;
  esac
}
systemd() {
  have systemctl || { say "$1 unknown no systemctl in the guest"; return; }
  state "$1" "$(brief systemctl is-active -- "$2" 2>/dev/null)"
}
systemd_user() {
  { have systemctl && have loginctl; } || { say "$1 unknown no systemctl in the guest"; return; }
  users=$(brief loginctl list-users --no-legend 2>/dev/null) || { say "$1 unknown loginctl failed"; return; }
  best=
  while read -r uid name rest; do
    [ -n "$name" ] || continue
    [ -z "$3" ] || [ "$name" = "$3" ] || continue
    found=$(brief systemctl --user -M "$name@" is-active -- "$2" 2>/dev/null)
    case $found in
      active|reloading|refreshing) best=$found; break ;;
      ?*) best=${best:-$found} ;;
      *) best=${best:-unanswered} ;;
    esac
  done <<LIST
$users
LIST
  if [ -n "$best" ]; then state "$1" "$best"; else say "$1 down not logged in"; fi
}
process() {
  have pgrep || { say "$1 unknown no pgrep in the guest"; return; }
  pgrep -x -- "$2" >/dev/null 2>&1
  case $? in
    0) say "$1 up running" ;;
    1) say "$1 down not running" ;;
    *) say "$1 unknown pgrep failed" ;;
  esac
}
port() {
  have ss || { say "$1 unknown no ss in the guest"; return; }
  found=$(brief ss -H -l -n "$2" "sport = :$3" 2>/dev/null) || { say "$1 unknown ss failed"; return; }
  if [ -n "$found" ]; then say "$1 up listening"; else say "$1 down not listening"; fi
}
http() {
  if have curl; then
    code=$(curl -s -o /dev/null -m 3 --noproxy '*' -w '%{http_code}' --url "$2" 2>/dev/null)
    case $code in
      2??) say "$1 up HTTP $code" ;;
      000) say "$1 down no answer" ;;
      ???) say "$1 down HTTP $code" ;;
      *) say "$1 unknown curl failed" ;;
    esac
  elif have wget; then
    if wget -q -O /dev/null -T 3 "$2" 2>/dev/null; then say "$1 up answers"; else say "$1 down no good answer"; fi
  else
    say "$1 unknown neither curl nor wget in the guest"
  fi
}
fetch() {
  if have curl; then curl -s -f -m 3 --noproxy '*' --url "$1" 2>/dev/null; else wget -q -O - -T 3 "$1" 2>/dev/null; fi
}
# How many of the servers behind "route" URLs are not this one.
others() {
  own=" 127.0.0.1 ::1 localhost $(hostname -I 2>/dev/null) "
  count=0
  for url in $(printf %s "$1" | tr -d '"[]' | tr ',' ' '); do
    case $own in *" ${url%:*} "*) [ "$2" = "${url##*:}" ] && continue ;; esac
    count=$((count + 1))
  done
  printf %s "$count"
}
# A NATS server by its monitoring: healthy, and connected to whom its configuration names.
nats() {
  { have curl || have wget; } || { say "$1 unknown neither curl nor wget in the guest"; return; }
  state=$(fetch "http://127.0.0.1:$3/varz" | tr -d ' \n\r\t')
  [ -n "$state" ] || { port "$1" -t "$2"; return; }
  fetch "http://127.0.0.1:$3/healthz" >/dev/null || { say "$1 degraded not healthy"; return; }
  listens=$(printf %s "$state" | sed -n 's/.*"cluster":{[^}]*"cluster_port":\([0-9]*\).*/\1/p')
  wanted=$(printf %s "$state" | sed -n 's/.*"cluster":{[^}]*"urls":\[\("[^}]*"\)\].*/\1/p')
  if [ -n "$wanted" ]; then
    wanted=$(others "$wanted" "$listens") known=' ' routes=0
    for id in $(fetch "http://127.0.0.1:$3/routez" | tr -d ' \n\r\t' | tr ',{}[]' '     '); do
      case $id in '"remote_id":'*) ;; *) continue ;; esac
      case $known in *" $id "*) ;; *) known="$known$id " routes=$((routes + 1)) ;; esac
    done
    [ "$routes" -ge "$wanted" ] || { say "$1 degraded $routes of $wanted routes"; return; }
  fi
  case $state in
    *'"remotes":[{'*'"leafnodes":0,'* | *'"leafnodes":0,'*'"remotes":[{'*) say "$1 degraded not connected to its hub"; return ;;
  esac
  say "$1 up healthy"
}
# Files of the drivers: nvidia-smi would wake a card that sleeps.
gpu() {
  name=
  for file in /proc/driver/nvidia/gpus/*/information; do
    [ -r "$file" ] && name=$(sed -n 's/^Model:[[:space:]]*//p' "$file" | head -n 1)
    [ -n "$name" ] && break
  done
  for file in /sys/class/drm/card*/device/product_name; do
    [ -z "$name" ] && [ -r "$file" ] && name=$(head -n 1 "$file")
  done
  [ -n "$name" ] && have base64 && printf 'g %s\n' "$(printf %s "$name" | base64 | tr -d '\n')"
}
# How busy the card is, if it is awake: asking would wake it.
asleep() { [ "$(cat "$1/power/runtime_status" 2>/dev/null)" = suspended ]; }
number() { case $1 in ''|*[!0-9]*) printf '%s' - ;; *) printf '%s' "$1" ;; esac; }
load() {
  for dev in /sys/class/drm/card*/device; do
    [ -e "$dev/gpu_busy_percent" ] || continue
    if asleep "$dev"; then echo 'l asleep'; return; fi
    busy=$(number "$(cat "$dev/gpu_busy_percent" 2>/dev/null)")
    used=$(number "$(cat "$dev/mem_info_vram_used" 2>/dev/null)")
    total=$(number "$(cat "$dev/mem_info_vram_total" 2>/dev/null)")
    echo "l $busy $used $total"
    return
  done
  have nvidia-smi || return
  for card in /proc/driver/nvidia/gpus/*; do
    [ -d "$card" ] || continue
    slot=${card##*/}
    if asleep "/sys/bus/pci/devices/$slot"; then echo 'l asleep'; return; fi
    brief nvidia-smi -i "$slot" --query-gpu=utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits 2>/dev/null |
      head -n 1 | tr -d , | while read -r busy used total rest; do
        used=$(number "$used") total=$(number "$total")
        [ "$used" = - ] || used=$((used * 1048576))
        [ "$total" = - ] || total=$((total * 1048576))
        echo "l $(number "$busy") $used $total"
      done
    return
  done
}
# What WiVRn's server says on its user's bus. A server that doesn't run isn't started by the question.
wivrn() {
  { have busctl && have base64; } || return
  for bus in /run/user/*/bus; do
    [ -S "$bus" ] || continue
    uid=${bus%/bus} uid=${uid##*/}
    name=$(id -nu "$uid" 2>/dev/null) || continue
    set -- busctl "--address=unix:path=$bus" --json=short --auto-start=no --timeout=2 get-property \
      io.github.wivrn.Server /io/github/wivrn/Server io.github.wivrn.Server Pin SteamCommand HeadsetConnected
    # A bus lets in nobody but its user.
    [ "$uid" = "$(id -u)" ] || set -- runuser -u "$name" -- "$@"
    said=$(brief "$@" 2>/dev/null) || continue
    printf 'w %s\n' "$({ printf '%s\n' "$said"; nvidia "$name"; } | base64 | tr -d '\n')"
    return
  done
}
# NVIDIA's driver, where a flatpak of WiVRn is there and the part of it for just this version isn't.
nvidia() {
  version=$(cat /sys/module/nvidia/version 2>/dev/null) || return
  home=$(getent passwd "$1" | cut -d: -f6)
  part=org.freedesktop.Platform.GL.nvidia-$(printf %s "$version" | tr . -)
  flatpak=no
  for dir in /var/lib/flatpak "$home/.local/share/flatpak"; do
    [ ! -d "$dir/runtime/$part" ] || return
    [ ! -d "$dir/app/io.github.wivrn.wivrn" ] || flatpak=yes
  done
  [ "$flatpak" = no ] || printf 'driver %s\n' "$version"
}
