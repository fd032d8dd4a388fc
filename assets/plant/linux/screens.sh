# Made by morpheus: read by Plasma before it starts KWin.
# shellcheck shell=sh
#
# KWin draws everything on its first device, by default the one that the machine boots with: QEMU's, which has nothing to
# draw with but the processor. Here the passed-through card comes first, and QEMU's display is one more screen, so that
# Proxmox' console goes on showing the desktop (KWin `src/backends/drm/drm_backend.cpp`).
morpheus_cards='' morpheus_others=''
for morpheus_card in /sys/class/drm/card*; do
  # Connectors have the card's name and a dash.
  case ${morpheus_card##*/} in *-*) continue ;; esac
  [ -e "$morpheus_card/device/vendor" ] || continue
  case $(cat "$morpheus_card/device/vendor") in
    0x1234 | 0x1af4 | 0x1b36) morpheus_others=$morpheus_others:/dev/dri/${morpheus_card##*/} ;;
    *) morpheus_cards=$morpheus_cards:/dev/dri/${morpheus_card##*/} ;;
  esac
done
if [ -n "$morpheus_cards" ]; then
  KWIN_DRM_DEVICES=${morpheus_cards#:}$morpheus_others
  export KWIN_DRM_DEVICES
fi
unset morpheus_cards morpheus_others morpheus_card
