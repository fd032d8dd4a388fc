#!/bin/bash
# Made by morpheus. Gets the forest's list of nodes before NimsForest starts: registry ADDRESS
#
# NimsForest takes every node on its list for a peer, itself too unless the list has exactly its first IPv6 address, and
# its streams wait for a quorum of all of them. So the local copy has neither this guest nor those that morpheus knows to
# be off. What can't be read stays as it was.
set -euo pipefail

identity=${NATS_CLUSTER_NODE_INFO:-/etc/nimsforest/node-info.json}
list=${NATS_CLUSTER_REGISTRY:-/mnt/forest/registry.json}
trap 'rm -f "$list.new" "$list.peers"' EXIT

curl --fail --silent --show-error --location --max-time 20 --output "$list.new" --url "$1"
jq --slurpfile identity "$identity" '
  $identity[0] as $me
  | if (.nodes | type) != "object" then error("it has no nodes: it is no registry") else . end
  | (.nodes[$me.forest_id] // []) as $nodes
  | if ($nodes | type) != "array" then error("its nodes are no list") else . end
  | .nodes[$me.forest_id] = [$nodes[] | select(
      .id != $me.node_id
      and (.managed_by != "morpheus" or .state != "stopped")
      and ((.ipv6 // "") + (.ipv4 // "") + (.ip // "")) != "")]
' "$list.new" >"$list.peers"
# An empty answer is no registry either.
[ -s "$list.peers" ]
chmod 644 "$list.peers"
mv -f "$list.peers" "$list"
