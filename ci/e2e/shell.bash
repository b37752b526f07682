# What the tests on the real cluster share. Sourced by each of them with the program to test as the first argument.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../cluster/tests/shell.bash"

snapready=$(realpath "${1:?the program to test}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# An ordinary user: the audit log shows what such a user does, and RBAC decides what that may be.
user=e2e-$$
cluster kubeconfig "$user" >"$work/kubeconfig"
export KUBECONFIG=$work/kubeconfig

# grant_rights [FLAG...]: the rights that `snapready rbac FLAG...` prints are all that the user has. Its bindings are for a
# service account, whose requests the audit log leaves out, so they are made the user's.
# shellcheck disable=SC2120 # mostly without flags
grant_rights() {
  "$snapready" rbac "$@" | k apply --dry-run=server -f - >/dev/null
  "$snapready" rbac "$@" |
    sed "s/^- kind: ServiceAccount/- kind: User\n  apiGroup: rbac.authorization.k8s.io/; s/^  name: snapready$/  name: $user/; /^  namespace: snapready$/d" >"$work/rights.yaml"
  k apply -f "$work/rights.yaml" >/dev/null
}
take_rights() { k delete -f "$work/rights.yaml" >/dev/null; }

# start NAME ARGUMENT...: a run with a JSON report in $work/NAME.json, and its exit code in $work/NAME.code.
start() {
  local name=$1 code=0
  shift
  "$snapready" "$@" -o json >"$work/$name.json" 2>"$work/$name.log" || code=$?
  echo "$code" >"$work/$name.code"
}
# ended NAME EXPECTED-CODE: a check of how a run ended.
ended() {
  local code
  code=$(cat "$work/$1.code")
  check "$1: exit code $2" same "$code" "$2"
  [ "$code" = "$2" ] || { tail -20 "$work/$1.log"; jq -c '.run, (.roundTrips[]? | [.storageClass, .volumeMode, .status, .diagnosis.message])' "$work/$1.json"; } || true
}
# run NAME EXPECTED-CODE ARGUMENT...: both.
run() {
  start "$1" "${@:3}"
  ended "$1" "$2"
}
report() { jq -r "$2" "$work/$1.json"; } # NAME FILTER
# above_pass NAME: how many results are no pass. The cluster's driver has one csi-snapshotter for all nodes (SR126), and no backup
# product is there (SR215), so these two do not apply.
above_pass() {
  report "$1" '[.results[] | select(.status != "pass" and ([.id, .status] | IN(["SR126", "skip"], ["SR215", "skip"]) | not))] | length'
}

contains() { [[ "$1" == *"$2"* ]] || { echo "        was: $1"; false; }; }
# diagnosed NAME TRIP TEXT ID CAUSE WITHIN: checks of a failed round trip. TRIP is a jq filter, TEXT names it, CAUSE is a
# part of the cause; WITHIN is how many seconds the step that failed may have taken, or `limit` if only its limit ends it.
diagnosed() {
  local name=$1 trip text=$3 id=$4 cause=$5 within=$6
  trip=$(report "$name" "$2 | [.status, .diagnosis.id, .diagnosis.cause, (.diagnosis.message | startswith(\"timed out\")),
    (.steps | map(select(.status == \"fail\" and .id != \"cleanup\")) | first | .durationMs)] | @tsv")
  check "$text: $id" same "$(cut -f1,2 <<<"$trip")" "fail	$id"
  check "$text: $cause" contains "$(cut -f3 <<<"$trip")" "$cause"
  if [ "$within" = limit ]; then
    check "$text: waits until the limit" same "$(cut -f4 <<<"$trip")" true
  else
    check "$text: certain within $within s" below "$(cut -f5 <<<"$trip")" "${within}000"
  fi
}
below() { [[ "$1" =~ ^[0-9]+$ ]] && [ "$1" -lt "$2" ] || { echo "        was: $1"; false; }; }

volumes() { find "$SNAPREADY_CLUSTER_DIR/state/volumes" -name '*.img' | sort; }
# A kind that the API server does not know has no objects.
objects() {
  local snapshots
  snapshots=$(k api-resources --no-headers --api-group snapshot.storage.k8s.io) || return
  for kind in namespaces persistentvolumes ${snapshots:+volumesnapshotcontents}; do k get "$kind" -o name || return; done | sort
}
remember() {
  before=$(objects)
  volumes_before=$(volumes)
}
# What was on its way out before may be gone by now; nothing may have come.
nothing_came() {
  local after volumes_after
  after=$(objects)
  volumes_after=$(volumes)
  check 'no object is left' same none "$(comm -13 <(echo "$before") <(echo "$after") | grep . || echo none)"
  check 'no volume is left' same none "$(comm -13 <(echo "$volumes_before") <(echo "$volumes_after") | grep . || echo none)"
}
