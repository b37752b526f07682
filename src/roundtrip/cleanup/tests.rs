use serde_json::json;

use super::find::Found;
use super::remains::Remains;
use crate::api::Place;
use crate::model::Kind;
use crate::roundtrip::ledger::Item;
use crate::roundtrip::machine::{Command, Input, Sight};
use crate::roundtrip::modes::plain;

/// An object of a run as it is found; `labels` without the run's.
fn found(kind: Kind, namespace: Option<&str>, name: &str, labels: &[(&str, &str)]) -> Found {
    let labels: serde_json::Map<_, _> = labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    Found {
        place: Place { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() },
        uid: format!("{} {name}", kind.name),
        run: "7f3a9c".to_owned(),
        object: json!({ "metadata": { "name": name, "uid": format!("{} {name}", kind.name), "labels": labels } }),
    }
}

/// In which order objects are deleted, if each goes at once; what goes together is in one line.
fn order(found: Vec<Found>) -> Vec<String> {
    let mut remains = Remains::new("7f3a9c", found);
    let mut inputs = vec![Input::Start];
    let mut lines = Vec::new();
    while !inputs.is_empty() {
        let mut names = Vec::new();
        let mut next = Vec::new();
        for input in inputs {
            for command in remains.machine.handle(input) {
                match command {
                    Command::Delete { item, uid } => {
                        names.push(remains.places[&item].name.clone());
                        next.push(Input::Seen { item, sight: Sight::Gone { uid } });
                    }
                    Command::Ask { item, .. } => next.push(Input::Asked { item, sight: Sight::Absent }),
                    _ => {}
                }
            }
        }
        if !names.is_empty() {
            lines.push(names.join(" "));
        }
        inputs = next;
    }
    assert!(remains.machine.finished());
    assert_eq!(remains.machine.ledger().leftovers(), []);
    lines
}

fn plain_objects(extra: &[(&str, &str)]) -> Vec<Found> {
    let objects = plain::objects();
    let created = objects.iter().filter(|object| object.maker().is_none());
    created
        .map(|object| {
            let namespace = object.kind.namespaced.then_some("ns");
            let labels =
                [&[("app.kubernetes.io/component", object.word), ("snapready.dev/target", "0")], extra].concat();
            let name = if object.kind == Kind::NAMESPACE { "ns" } else { object.word };
            found(object.kind, namespace, name, &labels)
        })
        .collect()
}

/// The walk shows that a machine with the mode's own program leaves nothing. What a clean-up builds has the same order.
#[test]
fn what_is_found_of_a_mode_goes_in_its_order() {
    let waves = ["reader writer restored-consumer source-consumer", "restored", "snapshot", "source", "ns"];
    let sorted = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    // 0.1.0 had no label for the mode.
    for labels in [&[][..], &[("snapready.dev/mode", "plain")]] {
        let order = order(plain_objects(labels));
        let order: Vec<_> = order.iter().map(|line| sorted(line)).collect();
        assert_eq!(order, waves.map(sorted), "{labels:?}");
    }
}

#[test]
fn what_a_later_version_left_goes_in_the_order_of_kinds() {
    let ns = Some("ns");
    let mut restored = found(Kind::PERSISTENT_VOLUME_CLAIM, ns, "restored-elsewhere", &[("snapready.dev/mode", "new")]);
    restored.object["spec"]["dataSource"]["name"] = json!("s");
    let others = vec![
        found(Kind::VOLUME_SNAPSHOT_CONTENT, None, "content", &[]),
        found(Kind::PERSISTENT_VOLUME_CLAIM, ns, "claim", &[("app.kubernetes.io/component", "new")]),
        restored,
        found(Kind::VOLUME_SNAPSHOT, ns, "snapshot", &[("snapready.dev/mode", "new")]),
        found(Kind::POD, ns, "pod", &[]),
        found(Kind::POD, Some("other"), "relabelled", &[("app.kubernetes.io/component", "reader")]),
    ];
    assert_eq!(order(others), ["relabelled pod", "restored-elsewhere", "snapshot", "claim", "content"]);
}

#[test]
fn only_what_lies_in_the_runs_own_namespace_goes_with_it() {
    let own = found(Kind::NAMESPACE, None, "ns", &[]);
    let remains = Remains::new(
        "7f3a9c",
        vec![own, found(Kind::POD, Some("ns"), "inside", &[]), found(Kind::POD, Some("other"), "outside", &[])],
    );
    let space = |name: &str| {
        let (item, _) = remains.places.iter().find(|(_, place)| place.name == name).unwrap();
        remains.machine.program_of(*item).and_then(|program| program.own_space(item.object())).map(Item::Shared)
    };
    let namespace = remains.places.iter().find(|(_, place)| place.kind == Kind::NAMESPACE).map(|(item, _)| *item);
    assert_eq!(space("inside"), namespace);
    assert_eq!(space("outside"), None);
}

/// A run in the mode `other-namespace` that was killed while its two contents name one snapshot.
#[test]
fn a_content_that_was_taken_over_is_deleted_once_and_what_restores_goes_before_what_it_restores_from() {
    let mode = ("snapready.dev/mode", "other-namespace");
    let of = |kind, namespace, word| {
        let labels = [("app.kubernetes.io/component", word), ("snapready.dev/target", "0"), mode];
        found(kind, namespace, word, &labels)
    };
    let (here, there) = (Some("ns"), Some("other"));
    let mut snapshot = of(Kind::VOLUME_SNAPSHOT, here, "snapshot");
    snapshot.object["spec"]["source"]["persistentVolumeClaimName"] = json!("source");
    let mut content = of(Kind::VOLUME_SNAPSHOT_CONTENT, None, "content");
    content.object["spec"]["volumeSnapshotRef"]["uid"] = json!(snapshot.uid);
    let mut imported = of(Kind::VOLUME_SNAPSHOT, there, "imported-snapshot");
    imported.object["spec"]["source"]["volumeSnapshotContentName"] = json!("imported-content");
    let all = vec![
        of(Kind::NAMESPACE, None, "ns"),
        of(Kind::NAMESPACE, None, "other"),
        of(Kind::PERSISTENT_VOLUME_CLAIM, here, "source"),
        snapshot,
        content,
        of(Kind::VOLUME_SNAPSHOT_CONTENT, None, "imported-content"),
        imported,
        of(Kind::PERSISTENT_VOLUME_CLAIM, there, "restored"),
        of(Kind::POD, there, "reader"),
    ];
    let lines = order(all);
    let place = |name: &str| lines.iter().position(|line| line.split(' ').any(|word| word == name)).unwrap();
    for (first, then) in [
        ("reader", "restored"),
        ("restored", "imported-snapshot"),
        ("imported-snapshot", "imported-content"),
        ("imported-content", "snapshot"),
        ("snapshot", "source"),
        ("source", "ns"),
        ("source", "other"),
    ] {
        assert!(place(first) < place(then), "{first} goes before {then}: {lines:?}");
    }
    let deleted = lines.iter().flat_map(|line| line.split(' ')).filter(|word| *word == "content").count();
    assert_eq!(deleted, 1, "{lines:?}");
}
