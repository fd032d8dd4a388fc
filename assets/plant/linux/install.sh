#!/bin/bash
# Made by morpheus. In the live system: runs CachyOS' installer with the settings beside this file, puts onto the new
# disk what its first boot needs, and tells in /var/lib/morpheus.
set -uo pipefail
export LC_ALL=C.UTF-8 HOME=/root

here=/var/lib/morpheus/install
chmod 700 "$here"
# The settings have passwords in plain text: the installer takes no others.
trap 'rm -f "$here/settings.json"' EXIT

# shellcheck source=tell.sh
. "$here/tell.sh"
# PLANT, GUEST_USER, HAS_PASSWORD, ROOT_PARTITION
# shellcheck source=/dev/null
. "$here/install.env"

part=1
words='installing CachyOS'

stop() {
  progress "$words" "$part" 2 "$words: $* (log in the live system: $here/log, /tmp/cachyos-install.log)"
  exit 1
}

install_system() {
  cachyos-installer --config "$here/settings.json" 2>&1 </dev/null | while IFS= read -r line; do
    printf '%s\n' "$line" | tee -a "$here/log"
    # Its own progress: [ 12.3%] message
    case $line in
      '['*'%] '*)
        percent=${line%%\%*}
        progress "$words: ${line#*] } (${percent#[} %)" 1 2
        ;;
    esac
  done
}

# The installer's last step unmounts the new disk (0.12 and later, `installer-lib/src/steps/cleanup.cpp`), before its own
# post-install hook. Everything in the new fstab is mounted again: what is written below a subvolume's place would be
# covered by it later.
mount_disk() {
  local source target type options rest
  mountpoint -q /mnt || mount -o subvol=@ "$ROOT_PARTITION" /mnt || return
  [ -s /mnt/etc/fstab ] || fail "no system is on $ROOT_PARTITION: it has no /etc/fstab"
  while read -r source target type options rest; do
    case $source:$type:$target in
      '#'* | *:*:/) ;;
      *:btrfs:/* | *:vfat:/*) mountpoint -q "/mnt$target" || mount -t "$type" -o "$options" "$source" "/mnt$target" || return ;;
    esac
  done </mnt/etc/fstab
  # A kernel that goes elsewhere than to the boot partition is never started.
  mountpoint -q /mnt/boot || fail "the new system's /boot isn't mounted: its /etc/fstab has no line for it"
}

unmount_disk() {
  sync
  # What pacman has left running in there keeps it busy; it goes with the live system.
  umount --recursive /mnt || umount --recursive --lazy /mnt
}

# What is in `files`, with the modes of `files.list`, onto the new disk.
copy_files() {
  local mode path
  while read -r mode path; do
    install -D -m "$mode" -o root -g root "$here/files$path" "/mnt$path" || return
  done <"$here/files.list"
}

prepare_first_boot() {
  mount_disk || return
  copy_files || return
  # Without the agent nobody would hear how the first boot goes.
  arch-chroot /mnt pacman -S --needed --noconfirm qemu-guest-agent openssh || return
  systemctl --root=/mnt enable morpheus-setup.service sshd.service || return
  # Where udev starts it, there is nothing to enable.
  systemctl --root=/mnt enable qemu-guest-agent.service || true
  passwd -R /mnt -l root || return
  [ "$HAS_PASSWORD" = yes ] || passwd -R /mnt -l "$GUEST_USER" || return
  unmount_disk
}

progress "$words" $part 2
command -v cachyos-installer >/dev/null || stop 'this is no live system with cachyos-installer'
install_system || stop "$(tail -n 3 "$here/log" | tr '\n' ' ')"
part=2
words='preparing the first boot'
progress "$words" $part 2
said=$(prepare_first_boot 2>&1) || stop "$(printf '%s' "$said" | tail -n 3 | tr '\n' ' ')"
printf '{"plant":"%s","stage":"installed"}\n' "$(json "$PLANT")" | put ready.json
