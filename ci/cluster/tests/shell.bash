# What the end-to-end tests share: plain kubectl on the cluster, volumes that are written and read, and a count of
# what passed. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail

: "${SNAPREADY_CLUSTER_DIR:=/var/lib/snapready-ci}"
image=docker.io/library/busybox:1.36
passed=0 failed=0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Nothing here takes a tenth of this on an idle machine; it ends a test whose cluster does not answer.
patience=90s

k() { "$SNAPREADY_CLUSTER_DIR/kubectl" --kubeconfig "$SNAPREADY_CLUSTER_DIR/kubeconfig" "$@"; }

# cluster COMMAND...: the program that this is a test of; `up` builds it and leaves it there.
cluster() { (cd "$here/.." && "$SNAPREADY_CLUSTER_DIR/bin/cluster" "$@"); }

# A command that fails outside of a check ends the test; what the cluster says about it is printed first.
explain_failure() {
  echo "FAILED  ${0##*/}:$1: $2"
  k get pods,persistentvolumeclaims,volumesnapshots -A -o wide || true
  k get events -A --sort-by=.lastTimestamp | tail -20 || true
}
trap 'explain_failure "$LINENO" "$BASH_COMMAND"' ERR
set -E

# check TEXT COMMAND...: one test.
check() {
  local text=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok      $text"
  else
    failed=$((failed + 1))
    echo "FAILED  $text"
    [ "$1" != same ] || printf '        was: %s\n' "$2"
  fi
}

# summary: the closing line of a test script, and its exit code.
summary() {
  trap - ERR
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

same() { [ -n "$1" ] && [ "$1" = "$2" ]; }
different() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]; }

# claim NAMESPACE NAME MODE CLASS [SNAPSHOT]: a PersistentVolumeClaim, empty or made from a VolumeSnapshot.
claim() {
  local source=''
  [ $# -lt 5 ] || source="dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: $5}"
  k -n "$1" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $2, labels: {group: members}}
spec:
  accessModes: [ReadWriteOnce]
  volumeMode: $3
  storageClassName: $4
  resources: {requests: {storage: 64Mi}}
  $source
YAML
}

# pod NAMESPACE NAME MODE CLAIM NODE COMMAND: runs a command beside a volume, at /data or as /dev/data.
# An empty NODE leaves the choice to the scheduler.
pod() {
  local place='volumeMounts: [{name: data, mountPath: /data}]' selector=''
  [ "$3" = Filesystem ] || place='volumeDevices: [{name: data, devicePath: /dev/data}]'
  [ -z "$5" ] || selector="nodeSelector: {kubernetes.io/hostname: $5}"
  k -n "$1" apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $2}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  $selector
  containers:
  - name: main
    image: $image
    command: [sh, -ec, '$6']
    $place
  volumes:
  - name: data
    persistentVolumeClaim: {claimName: $4}
YAML
}

# snapshot NAMESPACE NAME CLAIM CLASS: a VolumeSnapshot, waited for.
snapshot() {
  k -n "$1" apply -f - >/dev/null <<YAML
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: $2}
spec:
  volumeSnapshotClassName: $4
  source: {persistentVolumeClaimName: $3}
YAML
  k -n "$1" wait "volumesnapshot/$2" --for=jsonpath='{.status.readyToUse}'=true --timeout="$patience" >/dev/null
}

running() { k -n "$1" wait "pod/$2" --for=condition=Ready --timeout="$patience" >/dev/null; }
succeeded() { k -n "$1" wait "pod/$2" --for=jsonpath='{.status.phase}'=Succeeded --timeout="$patience" >/dev/null; }
inside() { k -n "$1" exec "$2" -- sh -ec "$3"; }

# Commands for a pod. Each write leaves the device, not only the page cache, with the new content, as fsync does;
# each digest covers names and content of every file, or every byte of the device.
declare -A commands=(
  [write.Filesystem]='mkdir -p /data/deep/er; seq 200000 >/data/large; echo one >/data/deep/er/small; : >/data/empty; sync'
  [overwrite.Filesystem]='seq 7 150000 >/data/large; rm -f /data/deep/er/small; echo live >/data/new; sync'
  [digest.Filesystem]='cd /data; find . -type f | sort | xargs sha256sum | sha256sum'
  [write.Block]='seq 200000 | dd of=/dev/data bs=4096 conv=notrunc,fsync 2>/dev/null; echo tail | dd of=/dev/data bs=4096 seek=16383 conv=notrunc,sync,fsync 2>/dev/null'
  [overwrite.Block]='seq 7 150000 | dd of=/dev/data bs=4096 conv=notrunc,fsync 2>/dev/null; echo live | dd of=/dev/data bs=4096 seek=16383 conv=notrunc,sync,fsync 2>/dev/null'
  [digest.Block]='sha256sum </dev/data'
)
command_for() { echo "${commands[$1.$2]}"; } # NAME MODE

# digest_of NAMESPACE CLAIM MODE [NODE]: what a pod reads from a volume.
digest_of() {
  pod "$1" "read-$2" "$3" "$2" "${4:-}" "$(command_for digest "$3")"
  succeeded "$1" "read-$2" || return 1
  k -n "$1" logs "read-$2"
}

# in_namespace NAME FUNCTION: runs a function in a namespace of its own, and removes all of it afterwards. The objects
# go first: a namespace that is deleted with them in it looks again for what is left only after 8 seconds.
# The namespace itself takes 5 seconds more, which nobody waits for.
in_namespace() {
  k create namespace "$1" >/dev/null
  # A pod is refused until the namespace has it.
  k -n "$1" wait serviceaccount/default --for=create --timeout="$patience" >/dev/null
  "$2" "$1"
  k -n "$1" delete pods,volumesnapshots,persistentvolumeclaims --all --timeout="$patience" >/dev/null
  k delete namespace "$1" --wait=false >/dev/null
}

# nothing_of NAMESPACE: no PersistentVolume and no VolumeSnapshotContent of a namespace stays. They go a moment after what
# they belong to.
nothing_of() {
  local left
  left=$(k get persistentvolumes -o jsonpath="{range .items[?(@.spec.claimRef.namespace=='$1')]}persistentvolume/{.metadata.name} {end}"
    k get volumesnapshotcontents -o jsonpath="{range .items[?(@.spec.volumeSnapshotRef.namespace=='$1')]}volumesnapshotcontent/{.metadata.name} {end}")
  # shellcheck disable=SC2086 # a list of names
  [ -z "${left// /}" ] || k wait --for=delete $left --timeout="$patience" >/dev/null
}
