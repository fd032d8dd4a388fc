#!/bin/bash
# Made by morpheus. Sets this guest up, part by part, and tells in /var/lib/morpheus how far it is. Begun again after a
# restart or an error it goes on with the part that it was at. `/usr/local/lib/morpheus/setup PART` does one part anew.
set -uo pipefail

self=/usr/local/lib/morpheus/setup
log=/var/log/morpheus-setup.log
export LC_ALL=C.UTF-8 HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive
umask 022

# PLANT, PARTS and what the parts need. Static text in there, quoted: nothing of it is a command.
# shellcheck source=/dev/null
. /etc/morpheus/setup.env
# shellcheck source=/dev/null
. /etc/os-release

# shellcheck source=tell.sh
. /usr/local/lib/morpheus/tell

# --- telling ---------------------------------------------------------------------------------------------------------

title() {
  case $1 in
    system) echo 'setting language, keyboard and time' ;;
    account) echo 'setting up the account' ;;
    repositories) echo 'adding the repositories of CachyOS' ;;
    upgrade) echo 'upgrading the system to CachyOS' ;;
    kernel) echo 'installing the kernel of CachyOS' ;;
    driver) echo 'installing the driver of the card' ;;
    desktop) echo 'installing the desktop' ;;
    steam) echo 'installing Steam' ;;
    wivrn) echo 'installing WiVRn' ;;
    nats) echo 'starting the NATS server' ;;
    nimsforest) echo 'installing NimsForest' ;;
    firewall) echo 'closing the firewall' ;;
    restart) echo 'restarting' ;;
    check) echo 'looking at what is there' ;;
    tidy) echo 'tidying up' ;;
    *) echo "$1" ;;
  esac
}

# Parts without which the guest is of use all the same: what goes wrong there is told at the end.
can_wait() {
  case $1 in system | steam | wivrn | nats | nimsforest | firewall | check | tidy) ;; *) return 1 ;; esac
}

# Keeps the version of something: NAME VERSION
version() {
  mkdir -p "$dir/setup/versions"
  printf '%s' "$2" | tr -d '\n' >"$dir/setup/versions/$1"
}

# --- helping ---------------------------------------------------------------------------------------------------------

# Runs a command until it ends well, five times with growing pauses: mirrors and networks have bad moments.
again() {
  local pause
  for pause in 5 15 45 90; do
    "$@" && return
    printf '%s failed; again in %s s\n' "$1" "$pause" >&2
    sleep "$pause"
  done
  "$@"
}

is() { case " $ID ${ID_LIKE:-} " in *" $1 "*) ;; *) return 1 ;; esac }

# Installs packages that aren't there.
packages() {
  if is arch; then
    # All is upgraded along: Arch knows no half-upgraded systems.
    again pacman -Syu --needed --noconfirm -- "$@"
  elif is debian; then
    local name missing=()
    for name in "$@"; do
      # shellcheck disable=SC2016 # dpkg's own variables
      [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    ((${#missing[@]} > 0)) || return 0
    again apt-get update
    again apt-get install --yes --no-install-recommends -- "${missing[@]}"
  else
    fail "no packages are known for $ID"
  fi
}

# Puts a line into a file if it isn't there.
line() {
  [ -f "$2" ] && grep -qxF -- "$1" "$2" || printf '%s\n' "$1" >>"$2"
}

# A directory of the user.
home() {
  getent passwd "$GUEST_USER" | cut -d: -f6
}

# Writes a file of the user: PATH-IN-HOME, text on standard input.
for_user() {
  local place
  place="$(home)/$1"
  runuser -u "$GUEST_USER" -- mkdir -p -- "$(dirname "$place")"
  runuser -u "$GUEST_USER" -- tee -- "$place" >/dev/null
}

# Gets a file whose sum is known: URL SHA256 PLACE
download() {
  again curl --fail --silent --show-error --location --max-time 1800 --output "$3.part" --url "$1"
  local sum
  sum=$(sha256sum <"$3.part")
  if [ "${sum%% *}" != "$2" ]; then
    rm -f "$3.part"
    fail "$1 has the SHA-256 ${sum%% *} and not $2; it isn't installed"
  fi
  mv -f "$3.part" "$3"
}

# Waits until an address answers.
answers() {
  local n
  for n in $(seq 60); do
    curl --fail --silent --max-time 3 --noproxy '*' --output /dev/null --url "$1" && return
    [ "$n" -eq 60 ] || sleep 1
  done
  fail "$1 doesn't answer"
}

# --- parts -----------------------------------------------------------------------------------------------------------

part_system() {
  [ -f "/usr/share/zoneinfo/$TIMEZONE" ] || fail "there is no time zone $TIMEZONE"
  ln -sfn "/usr/share/zoneinfo/$TIMEZONE" /etc/localtime
  printf 'KEYMAP=%s\n' "$KEYMAP" >/etc/vconsole.conf
  if [ -f /etc/locale.gen ] && [ "$LOCALE" != C.UTF-8 ]; then
    line "$LOCALE UTF-8" /etc/locale.gen
    locale-gen
  fi
  printf 'LANG=%s\n' "$LOCALE" >/etc/locale.conf
  # The desktop's layout follows the console's.
  ! command -v localectl >/dev/null || localectl set-keymap "$KEYMAP" || true
}

part_account() {
  getent passwd "$GUEST_USER" >/dev/null || fail "there is no account $GUEST_USER"
  local group rule keys
  for group in wheel sudo video render input audio; do
    ! getent group "$group" >/dev/null || usermod -aG "$group" "$GUEST_USER"
  done
  keys="$(home)/.ssh/authorized_keys"
  runuser -u "$GUEST_USER" -- mkdir -p -m 700 -- "${keys%/*}"
  runuser -u "$GUEST_USER" -- touch -- "$keys"
  chmod 600 "$keys"
  while IFS= read -r key; do
    [ -z "$key" ] || line "$key" "$keys"
  done <<<"$SSH_KEYS"

  # Without a password nobody can type one.
  rule="$GUEST_USER ALL=(ALL:ALL) ALL"
  [ "$HAS_PASSWORD" = yes ] || rule="$GUEST_USER ALL=(ALL:ALL) NOPASSWD: ALL"
  packages sudo
  printf '%s\n' "$rule" >/etc/sudoers.d/50-morpheus.new
  chmod 440 /etc/sudoers.d/50-morpheus.new
  visudo -cqf /etc/sudoers.d/50-morpheus.new
  mv -f /etc/sudoers.d/50-morpheus.new /etc/sudoers.d/50-morpheus
  passwd -l root >/dev/null

  mkdir -p /etc/ssh/sshd_config.d
  printf '%s\n' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' 'PermitRootLogin no' \
    >/etc/ssh/sshd_config.d/10-morpheus.conf
  sshd=sshd.service
  ! is debian || sshd=ssh.service
  systemctl enable "$sshd"
  systemctl restart "$sshd"

  # The user's services run without a login.
  loginctl enable-linger "$GUEST_USER"
}

part_repositories() {
  local key=882DCFE48E2051D48E2562ABF3B607488DB35A47 conf
  # The image makes its keyring at its first boot.
  [ -f /etc/pacman.d/gnupg/pubring.gpg ] || [ -f /etc/pacman.d/gnupg/pubring.kbx ] || pacman-key --init
  pacman-key --populate
  again receive "$key"
  pacman-key --lsign-key "$key"
  conf=$(mktemp)
  # shellcheck disable=SC2016 # pacman's own variables
  printf '%s\n' '[options]' 'Architecture = x86_64' 'SigLevel = Required DatabaseOptional' \
    '[cachyos]' 'Server = https://mirror.cachyos.org/repo/$arch/$repo' >"$conf"
  again pacman --config "$conf" -Sy --needed --noconfirm \
    cachyos-keyring cachyos-mirrorlist cachyos-v3-mirrorlist cachyos-v4-mirrorlist
  rm -f "$conf"

  repositories "$(level)" >/etc/pacman.d/morpheus-cachyos.conf
  # Before Arch's own: the first repository that has a package gives it.
  grep -q '^Include = /etc/pacman.d/morpheus-cachyos.conf' /etc/pacman.conf ||
    sed -i 's|^\[core\]|Include = /etc/pacman.d/morpheus-cachyos.conf\n\n&|' /etc/pacman.conf
  # Steam is of 32 bits.
  sed -i '/^#\[multilib\]/,/^#Include/ s/^#//' /etc/pacman.conf
  grep -q '^Include = /etc/pacman.d/morpheus-cachyos.conf' /etc/pacman.conf || fail "/etc/pacman.conf has no [core]"
}

receive() {
  pacman-key --keyserver hkps://keyserver.ubuntu.com --recv-keys "$1" ||
    pacman-key --keyserver keyserver.ubuntu.com --recv-keys "$1"
}

# The repositories that fit the processor best, by the end of their names.
level() {
  if has_level 4 && is_zen4; then
    echo znver4
  elif has_level 4; then
    echo v4
  elif has_level 3; then
    echo v3
  fi
}

# Whether the processor does x86-64-vN. The loader's words are read to their end: a reader that stops at the first match
# ends the loader by SIGPIPE, and with pipefail that would be a no.
has_level() {
  local said
  said=$(/lib/ld-linux-x86-64.so.2 --help) || return
  case $said in *"x86-64-v$1 (supported"*) ;; *) return 1 ;; esac
}

# Whether it is AMD's Zen 4 or Zen 5, of those that do x86-64-v4: families 25 and 26 (New-Cli-Installer
# `gucc/src/cpu.cpp`).
is_zen4() {
  local name value vendor='' family=''
  while IFS=: read -r name value; do
    case ${name%%$'\t'*} in
      vendor_id) vendor=${value# } ;;
      'cpu family') family=${value# } ;;
      '') break ;;
    esac
  done </proc/cpuinfo
  [ "$vendor" = AuthenticAMD ] && { [ "$family" = 25 ] || [ "$family" = 26 ]; }
}

repositories() {
  local mirrors repository
  # Zen 4's are on the mirrors of v4.
  case $1 in
    '') mirrors=/etc/pacman.d/cachyos-mirrorlist ;;
    znver4) mirrors=/etc/pacman.d/cachyos-v4-mirrorlist ;;
    *) mirrors=/etc/pacman.d/cachyos-$1-mirrorlist ;;
  esac
  printf '# Made by morpheus: the repositories of CachyOS for this processor.\n[options]\n'
  case $1 in
    v3) echo 'Architecture = x86_64_v3' ;;
    v4 | znver4) printf 'Architecture = x86_64_v3\nArchitecture = x86_64_v4\n' ;;
  esac
  for repository in ${1:+"cachyos-$1" "cachyos-core-$1" "cachyos-extra-$1"}; do
    printf '\n[%s]\nInclude = %s\n' "$repository" "$mirrors"
  done
  printf '\n[cachyos]\nInclude = /etc/pacman.d/cachyos-mirrorlist\n'
}

part_upgrade() {
  again pacman -Sy --needed --noconfirm archlinux-keyring cachyos-keyring
  again pacman -Syu --noconfirm
  packages cachyos-settings cachyos-hooks
}

part_kernel() {
  packages linux-cachyos linux-cachyos-headers
  # Arch's kernel stays in the menu, below this one.
  line 'GRUB_TOP_LEVEL=/boot/vmlinuz-linux-cachyos' /etc/default/grub
  grub-mkconfig -o /boot/grub/grub.cfg
}

part_driver() {
  packages chwd pciutils mesa vulkan-icd-loader lib32-vulkan-icd-loader
  chwd -a
}

part_desktop() {
  packages plasma-desktop plasma-pa plasma-nm kscreen konsole dolphin kde-gtk-config xdg-desktop-portal-kde \
    pipewire pipewire-pulse pipewire-alsa wireplumber noto-fonts cachyos-kde-settings
  local manager=sddm name
  for name in plasmalogin sddm; do
    [ ! -f "/usr/lib/systemd/system/$name.service" ] || { manager=$name && break; }
  done
  [ "$manager" = plasmalogin ] || packages sddm
  # Steam and the games of a headset need somebody's screen: the user is logged in by itself.
  mkdir -p "/etc/$manager.conf.d"
  printf '[Autologin]\nUser=%s\nSession=plasma.desktop\nRelogin=true\n' "$GUEST_USER" >"/etc/$manager.conf.d/90-morpheus.conf"
  systemctl enable --force "$manager.service"
  systemctl set-default graphical.target
  for_user .config/plasma-workspace/env/morpheus-screens.sh </usr/local/lib/morpheus/screens.sh
  # Nobody is there to unlock a screen, and a guest with a card must not sleep by itself.
  mkdir -p /etc/xdg
  printf '[Daemon]\nAutolock=false\nLockOnResume=false\n' >/etc/xdg/kscreenlockerrc
  systemctl mask sleep.target suspend.target hibernate.target hybrid-sleep.target
}

part_steam() {
  packages cachyos-gaming-meta steam gamescope
  version steam "$(pacman -Q steam | cut -d' ' -f2)"
}

part_wivrn() {
  packages flatpak avahi nss-mdns
  systemctl enable --now avahi-daemon.service
  # Among the user's own flatpaks: games of Steam run in a container that has the home but not /var, where the system's
  # are, and OpenVR's library comes with WiVRn (its `server/main.cpp`, steam_command).
  again as_user flatpak remote-add --user --if-not-exists flathub https://flathub.org/repo/flathub.flatpakrepo
  again as_user flatpak install --user --noninteractive --assumeyes --or-update flathub io.github.wivrn.wivrn
  again as_user /bin/bash /usr/local/lib/morpheus/wivrn-driver
  for_user .config/systemd/user/wivrn.service </usr/local/lib/morpheus/wivrn.service
  # Games are begun by WiVRn: it needs the screen of the session that has begun.
  printf '%s\n' '[Desktop Entry]' 'Type=Application' 'Name=WiVRn in this session' \
    'Exec=systemctl --user restart wivrn.service' 'X-KDE-autostart-phase=2' |
    for_user .config/autostart/wivrn-session.desktop
  # Steam's games find WiVRn in their container.
  echo 'PRESSURE_VESSEL_IMPORT_OPENXR_1_RUNTIMES=1' | for_user .config/environment.d/50-wivrn.conf
  as_user systemctl --user daemon-reload
  as_user systemctl --user enable wivrn.service
  as_user systemctl --user restart wivrn.service
  version wivrn "$(as_user flatpak info --user io.github.wivrn.wivrn | sed -n 's/^ *Version: *//p')"
  local options
  options=$(steam_options)
  [ -z "$options" ] || fail "games of Steam still need the launch options $options"
}

# The launch options that WiVRn's server still wants for games of Steam; it is waited for.
steam_options() {
  local said
  for _ in $(seq 60); do
    if said=$(as_user busctl --user get-property io.github.wivrn.Server /io/github/wivrn/Server \
      io.github.wivrn.Server SteamCommand 2>/dev/null); then
      said=${said#s \"}
      printf '%s' "${said%\"}"
      return
    fi
    sleep 1
  done
  fail "WiVRn's server isn't on the bus of $GUEST_USER: journalctl --user --unit wivrn tells why"
}

# Runs a command as the user, with the user's own service manager.
as_user() {
  local id
  id=$(id -u "$GUEST_USER")
  systemctl start "user@$id.service"
  runuser -u "$GUEST_USER" -- env "HOME=$(home)" "XDG_RUNTIME_DIR=/run/user/$id" \
    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$id/bus" "$@"
}

part_nats() {
  packages nats-server curl
  systemctl daemon-reload
  systemctl enable nats-server.service
  systemctl restart nats-server.service
  answers "http://127.0.0.1:$NATS_MONITOR/healthz"
  version nats-server "$(nats-server --version | sed 's/^.*: *v*//')"
}

part_nimsforest() {
  packages curl jq
  again has_ipv6 || fail 'NimsForest needs an IPv6 address and this guest has none: the network has to announce a prefix' \
    '(then: /usr/local/lib/morpheus/setup nimsforest)'
  download "$NIMSFOREST_URL" "$NIMSFOREST_SHA256" /usr/local/bin/nimsforest
  chmod 755 /usr/local/bin/nimsforest
  systemctl daemon-reload
  systemctl enable nimsforest.service
  systemctl restart nimsforest.service
  answers http://127.0.0.1:8222/healthz
  version nimsforest "${NIMSFOREST_SHA256:0:12}"
}

# Whether there is an address that NimsForest takes: the first of IPv6 that isn't the loopback's.
has_ipv6() {
  grep -qv '[[:space:]]lo$' /proc/net/if_inet6
}

part_firewall() {
  local port
  packages ufw
  for port in $TCP_PORTS; do ufw allow "$port/tcp"; done
  for port in $UDP_PORTS; do ufw allow "$port/udp"; done
  ufw default deny incoming
  ufw default allow outgoing
  ufw --force enable
  systemctl enable ufw.service
}

part_check() {
  local device class driver release found=no
  version kernel "$(uname -r)"
  [ "$LOOK_AT_CARD" = yes ] || return 0
  for device in /sys/bus/pci/devices/*; do
    class=$(cat "$device/class")
    # Displays, but for QEMU's own.
    case $class in 0x0300* | 0x0302* | 0x0380*) ;; *) continue ;; esac
    case $(cat "$device/vendor") in 0x1234 | 0x1af4 | 0x1b36 | 0x15ad) continue ;; esac
    found=yes
    [ -e "$device/driver" ] || fail "no driver has the card ${device##*/}"
    driver=$(basename "$(readlink -f "$device/driver")")
    release=$(modinfo -F version "$driver" 2>/dev/null || true)
    version driver "$driver ${release:-of the kernel}"
  done
  [ $found = yes ] || fail "the guest sees no card"
}

# Nothing of how the guest came to be is needed any more, and copies of secrets are in it.
part_tidy() {
  if command -v cloud-init >/dev/null; then
    timeout 900 cloud-init status --wait || true
    mkdir -p /etc/cloud
    touch /etc/cloud/cloud-init.disabled
    rm -rf /var/lib/cloud /run/cloud-init/*sensitive* /run/cloud-init/combined-cloud-config.json
  fi
  if is arch; then rm -rf /var/cache/pacman/pkg/*; fi
}

# --- doing -----------------------------------------------------------------------------------------------------------

# One part, in a shell of its own that ends at its first error.
if [ $# -gt 0 ]; then
  declare -F "part_$1" >/dev/null || fail "there is no part $1; parts: $PARTS"
  set -e
  "part_$1"
  exit
fi

mkdir -p "$dir/setup/done" "$dir/setup/errors"
# What a cut-off start has left.
if is arch && ! pgrep -x pacman >/dev/null; then rm -f /var/lib/pacman/db.lck; fi
if is debian; then dpkg --configure -a; fi

read -ra list <<<"$PARTS"
for at in "${!list[@]}"; do
  part=${list[at]}
  [ ! -e "$dir/setup/done/$part" ] || continue
  words=$(title "$part")
  progress "$words" $((at + 1)) ${#list[@]}
  printf '== %s\n' "$words"
  if [ "$part" = restart ]; then
    touch "$dir/setup/done/restart"
    sync
    systemctl reboot
    exit 0
  fi
  rm -f "$dir/setup/errors/$part"
  if ! timeout --kill-after=60 7200 /bin/bash "$self" "$part" 2>&1 </dev/null | tee -a "$log" | tee "$dir/setup/last"; then
    error=$(tail -n 3 "$dir/setup/last" | tr '\n' ' ')
    if can_wait "$part"; then
      printf '%s: %s' "$words" "$error" >"$dir/setup/errors/$part"
    else
      progress "$words" $((at + 1)) ${#list[@]} \
        "${words}: ${error:-no words} (log: $log; once it is repaired: systemctl restart morpheus-setup)"
      exit 1
    fi
  fi
  touch "$dir/setup/done/$part"
done

# All is done: the versions, and what didn't work.
{
  printf '{"plant":"%s","stage":"ready","versions":{' "$(json "$PLANT")"
  comma=
  for file in "$dir"/setup/versions/*; do
    [ -f "$file" ] || continue
    printf '%s"%s":"%s"' "$comma" "$(json "${file##*/}")" "$(json "$(cat "$file")")"
    comma=,
  done
  printf '},"errors":['
  comma=
  for file in "$dir"/setup/errors/*; do
    [ -f "$file" ] || continue
    printf '%s"%s"' "$comma" "$(json "$(cat "$file")")"
    comma=,
  done
  printf ']}\n'
} | put ready.json
printf '== ready\n'
