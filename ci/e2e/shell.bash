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

# The rights that `snapready rbac` prints are all that the user has. Its bindings are for a service account, whose requests
# the audit log leaves out.
grant_rights() {
  "$snapready" rbac | k apply -f - >/dev/null
  roles=$("$snapready" rbac | awk '/^kind: / { kind = $2 } kind == "ClusterRole" && /^  name: / { print $2 }')
  for role in $roles; do
    k create clusterrolebinding "$user-$role" --clusterrole="$role" --user="$user" --dry-run=client -o yaml | k apply -f - >/dev/null
  done
}
take_rights() {
  for role in $roles; do k delete clusterrolebinding "$user-$role" >/dev/null; done
  "$snapready" rbac | k delete -f - >/dev/null
}

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

contains() { [[ "$1" == *"$2"* ]] || { echo "        was: $1"; false; }; }
# diagnosed NAME TRIP TEXT ID CAUSE CERTAIN: checks of a failed round trip. TRIP is a jq filter, TEXT names it, CAUSE is a
# part of the cause; CERTAIN is `certain`, or `limit` if only the time of its step ends it.
diagnosed() {
  local name=$1 trip text=$3 id=$4 cause=$5 certain=$6
  trip=$(report "$name" "$2 | [.status, .diagnosis.id, .diagnosis.cause, (.diagnosis.message | startswith(\"timed out\"))] | @tsv")
  check "$text: $id" same "$(cut -f1,2 <<<"$trip")" "fail	$id"
  check "$text: $cause" contains "$(cut -f3 <<<"$trip")" "$cause"
  check "$text: $([ "$certain" = certain ] && echo 'certain before the limit' || echo 'waits until the limit')" \
    same "$(cut -f4 <<<"$trip")" "$([ "$certain" = certain ] && echo false || echo true)"
}

volumes() { find "$SNAPREADY_CLUSTER_DIR/state/volumes" -name '*.img' | sort; }
# A kind that the API server does not know has no objects.
objects() { for kind in namespaces persistentvolumes volumesnapshotcontents; do k get "$kind" -o name 2>/dev/null || true; done | sort; }
remember() { before=$(objects) volumes_before=$(volumes); }
# What was on its way out before may be gone by now; nothing may have come.
nothing_came() {
  check 'no object is left' same none "$(comm -13 <(echo "$before") <(objects) | grep . || echo none)"
  check 'no volume is left' same none "$(comm -13 <(echo "$volumes_before") <(volumes) | grep . || echo none)"
}
