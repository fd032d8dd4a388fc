# Made by morpheus: how scripts tell what they do. Sourced by them.
# shellcheck shell=bash

dir=/var/lib/morpheus

# A text as the inside of a JSON string.
json() {
  printf '%s' "${1:0:600}" | iconv -c -f UTF-8 -t UTF-8 | tr '\000-\037\177' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g'
}

# Writes a file of /var/lib/morpheus whole beside its place, and moves it there.
put() {
  cat >"$dir/$1.new" && mv -f "$dir/$1.new" "$dir/$1"
}

# What is done now, or why it went no further: WORDS PART OF [ERROR]
progress() {
  local error=null
  [ -z "${4:-}" ] || error="\"$(json "$4")\""
  printf '{"doing":"%s","part":%d,"of":%d,"error":%s}\n' "$(json "$1")" "$2" "$3" "$error" | put progress.json
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
