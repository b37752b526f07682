# What of a run's wall time was not the cluster's. The cluster works from when a request reaches it until that is done
# which was asked for: in requests until they are answered (audit log), and in objects until the observer sees them so.
def seconds: (.[0:19] + "Z" | fromdateiso8601) + ("0." + (.[20:] | rtrimstr("Z")) | tonumber);
def container($name; $state): any(.status.containerStatuses[]?; .name == $name and (.state | has($state)));
# The writer runs when it has written, and the reader's first container has read when it has ended.
def worked: container("write"; "running") or container("read"; "terminated");

($events | map(.event.event | select(.type == "run-started") | .run) | first) as $run
| [$requests[] | select((.objectRef.namespace // .objectRef.name // "") == "snapready-\($run)" or (.requestReceivedTimestamp | seconds) >= $begin)
    | select(.verb != "watch" and (.requestReceivedTimestamp | seconds) >= $begin and (.requestReceivedTimestamp | seconds) <= $finish)
    | {verb, resource: .objectRef.resource, name: .objectRef.name, dry: (.requestURI | contains("dryRun=All")), code: .responseStatus.code,
       from: (.requestReceivedTimestamp | seconds), to: (.stageTimestamp | seconds)}] as $asked
| [$seen[] | select(.at >= $begin and .at <= $finish + 1)] | sort_by(.at) as $seen
# asked VERB RESOURCE: when something was asked for and accepted, by name.
| def asked($verb; $resource): $asked[] | select(.verb == $verb and .resource == $resource and (.dry | not) and .code < 300);
  # done FROM CONDITION: the interval until the observer first sees an object so.
  def until($from; $what; condition): first($seen[] | select(.at >= $from and (.seen | condition)) | {$from, to: .at, $what});
  def consumed_since($claim): ($claim | sub("^(?<word>[a-z]+)"; "\(.word)-consumer")) as $pod
    | first(asked("create"; "pods") | select(.name == $pod) | .from) // null;
  def of($kind; $name): .object.kind == $kind and .object.metadata.name == $name;
  [ ($asked[] | {from, to, what: "\(.verb) \(.resource)"}),
    # A claim that waits for its first consumer asks for nothing before that is created.
    (asked("create"; "persistentvolumeclaims") | .name as $n | (.from as $from | consumed_since($n) // $from) as $from
      | until($from; "claim \($n)"; of("PersistentVolumeClaim"; $n) and .object.status.phase == "Bound")),
    (asked("create"; "pods") | .name as $n | until(.from; "pod \($n)"; of("Pod"; $n) and (.object | worked))),
    (asked("create"; "volumesnapshots") | .name as $n | until(.from; "snapshot \($n)"; of("VolumeSnapshot"; $n) and .object.status.readyToUse == true)),
    # The writer, when told to go, overwrites and ends.
    (asked("delete"; "pods") | .name as $n | until(.from; "end of pod \($n)"; of("Pod"; $n) and ((.object | container("write"; "terminated")) or .type == "DELETED"))),
    (asked("delete"; "pods") | select(.name | startswith("writer") | not) | .name as $n | until(.from; "deletion of pod \($n)"; of("Pod"; $n) and .type == "DELETED")),
    (asked("delete"; "volumesnapshots") | .name as $n | until(.from; "deletion of content of \($n)";
      .object.kind == "VolumeSnapshotContent" and .type == "DELETED" and .object.spec.volumeSnapshotRef.name == $n)),
    (asked("delete"; "persistentvolumeclaims") | .name as $n | until(.from; "deletion of volume of \($n)";
      .object.kind == "PersistentVolume" and .type == "DELETED" and .object.spec.claimRef.name == $n)),
    (asked("delete"; "namespaces") | .name as $n | until(.from; "deletion of namespace"; of("Namespace"; $n) and .type == "DELETED"))
  ] | sort_by(.from)
| reduce .[] as $i ({at: $begin, after: "start", gaps: [], own: 0};
    if $i.from > .at then .own += $i.from - .at | .gaps += [{milliseconds: (($i.from - .at) * 1000), after, before: $i.what}] else . end
    | if $i.to > .at then .at = $i.to | .after = $i.what else . end)
| .gaps += [{milliseconds: (($finish - .at) * 1000), after, before: "end"}] | .own += ([$finish - .at, 0] | max)
| {wall: (($finish - $begin) * 1000), own: (.own * 1000),
   verdict: (($events | map(select(.event.event.type == "verdict-known") | .at) | max - $begin) * 1000),
   gaps: (.gaps | sort_by(-.milliseconds) | .[:4])}
