#!/bin/bash
# Made by morpheus. A flatpak draws with Flathub's own copy of NVIDIA's driver, which has to be of exactly the version that
# runs: this installs that one for the user, before WiVRn starts.
set -euo pipefail

[ -r /sys/module/nvidia/version ] || exit 0
version=$(cat /sys/module/nvidia/version)
part=runtime/org.freedesktop.Platform.GL.nvidia-${version//./-}/x86_64/1.4
! flatpak info --user "$part" >/dev/null 2>&1 || exit 0
flatpak install --user --noninteractive --assumeyes flathub "$part" || {
  echo "Flathub has nothing for the NVIDIA driver $version yet, so WiVRn can't use the card; restart wivrn.service later" >&2
  exit 1
}
