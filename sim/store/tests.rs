use super::*;
use crate::resources::{CLAIMS, SECRETS, STORAGE_CLASSES};

fn store() -> Store {
    let store = Store::new();
    let namespace = json!({ "metadata": { "name": "n" }, "spec": { "finalizers": ["kubernetes"] } });
    store.create(&NAMESPACES, namespace, false).unwrap();
    store
}

fn create(store: &Store, resource: Resource, name: &str) -> Arc<Value> {
    let mut object = json!({ "metadata": { "name": name }, "spec": {} });
    if resource.namespaced {
        object.set(&["metadata", "namespace"], json!("n"));
    }
    store.create(resource, object, false).unwrap()
}

fn version(object: &Value) -> u64 {
    object.text("/metadata/resourceVersion").parse().unwrap()
}

#[test]
fn a_created_object_gets_what_a_server_gives_and_its_name_is_taken() {
    let store = store();
    let claim = create(&store, &CLAIMS, "c");
    assert_eq!(version(&claim), store.version());
    assert_eq!(claim.uid().len(), 36);
    let again = store.create(&CLAIMS, json!({ "metadata": { "name": "c", "namespace": "n" } }), false).unwrap_err();
    assert_eq!((again.code, again.reason), (409, "AlreadyExists"));
    let nowhere = store.create(&CLAIMS, json!({ "metadata": { "name": "c", "namespace": "x" } }), false).unwrap_err();
    assert_eq!((nowhere.code, nowhere.message.as_str()), (404, "namespaces \"x\" not found"));
}

#[test]
fn a_dry_run_leaves_nothing() {
    let store = store();
    let before = store.version();
    store.create(&CLAIMS, json!({ "metadata": { "name": "c", "namespace": "n" } }), true).unwrap();
    assert_eq!(store.version(), before);
    let claim = create(&store, &CLAIMS, "c");
    store.delete(&Key::of(&CLAIMS, &claim), &Preconditions::default(), true).unwrap();
    assert!(store.get(&Key::of(&CLAIMS, &claim)).is_ok());
}

#[test]
fn finalizers_hold_an_object_until_the_last_one_goes() {
    let store = store();
    let key = Key::of(&CLAIMS, &create(&store, &CLAIMS, "c"));
    store.change(&key, |object| object.add_finalizer("a/b"));
    assert!(matches!(store.delete(&key, &Preconditions::default(), false), Ok(Deleted::Pending(_))));
    assert!(store.get(&key).unwrap().is_deleting());
    store.change(&key, |object| object.unset(&["metadata", "deletionTimestamp"]));
    assert!(store.get(&key).unwrap().is_deleting(), "a client cannot take a deletion back");
    store.change(&key, |object| object.remove_finalizer("a/b"));
    assert_eq!(store.get(&key).unwrap_err().code, 404);
}

#[test]
fn preconditions_are_respected() {
    let store = store();
    let claim = create(&store, &CLAIMS, "c");
    let key = Key::of(&CLAIMS, &claim);
    let other = Preconditions { uid: Some("x".to_owned()), ..Preconditions::default() };
    assert_eq!(store.delete(&key, &other, false).unwrap_err().reason, "Conflict");
    let old = Preconditions { resource_version: Some("1".to_owned()), ..Preconditions::default() };
    assert_eq!(store.delete(&key, &old, false).unwrap_err().reason, "Conflict");
    let right = Preconditions { uid: Some(claim.uid().to_owned()), ..Preconditions::default() };
    assert!(matches!(store.delete(&key, &right, false), Ok(Deleted::Gone(_))));
}

#[test]
fn a_running_pod_goes_gracefully_and_a_finished_one_at_once() {
    let store = store();
    let key = Key::of(&PODS, &create(&store, &PODS, "p"));
    store.change(&key, |pod| pod.set(&["spec", "nodeName"], json!("node-1")));
    assert!(matches!(store.delete(&key, &Preconditions::default(), false), Ok(Deleted::Pending(_))));
    let now = Preconditions { grace_seconds: Some(0), ..Preconditions::default() };
    assert!(matches!(store.delete(&key, &now, false), Ok(Deleted::Gone(_))));

    let key = Key::of(&PODS, &create(&store, &PODS, "q"));
    store.change(&key, |pod| {
        pod.set(&["spec", "nodeName"], json!("node-1"));
        pod.set(&["status", "phase"], json!("Succeeded"));
    });
    assert!(matches!(store.delete(&key, &Preconditions::default(), false), Ok(Deleted::Gone(_))));
}

#[test]
fn nothing_is_created_in_a_namespace_that_goes() {
    let store = store();
    let key = Key::new(&NAMESPACES, "", "n");
    assert!(matches!(store.delete(&key, &Preconditions::default(), false), Ok(Deleted::Pending(_))));
    let refused = store.create(&SECRETS, json!({ "metadata": { "name": "s", "namespace": "n" } }), false).unwrap_err();
    assert_eq!(refused.code, 403);
    assert!(refused.message.ends_with("because it is being terminated"), "{}", refused.message);
    store.change(&key, |namespace| namespace.unset(&["spec", "finalizers"]));
    assert!(store.get(&key).is_err());
}

#[test]
fn lists_of_the_past_and_changes_since_then_agree_until_they_are_forgotten() {
    let store = store();
    let first = create(&store, &STORAGE_CLASSES, "a");
    let then = store.version();
    store.change(&Key::of(&STORAGE_CLASSES, &first), |class| class.set(&["provisioner"], json!("p")));
    create(&store, &STORAGE_CLASSES, "b");
    store.delete(&Key::of(&STORAGE_CLASSES, &first), &Preconditions::default(), false).unwrap();
    create(&store, &SECRETS, "s");

    let (at, past) = store.list(&STORAGE_CLASSES, Some(then)).unwrap();
    assert_eq!(at, then);
    assert_eq!(past.values().collect::<Vec<_>>(), [&first]);
    let (until, changes) = store.changes_since(&STORAGE_CLASSES, then).unwrap();
    assert_eq!(until, store.version());
    let told: Vec<_> =
        changes.iter().map(|change| (change.object.name(), change.before.is_none(), change.deleted)).collect();
    assert_eq!(told, [("a", false, false), ("b", true, false), ("a", false, true)]);

    store.forget_history();
    assert_eq!(store.list(&STORAGE_CLASSES, Some(then)).unwrap_err().code, 410);
    assert_eq!(store.changes_since(&STORAGE_CLASSES, then).unwrap_err().reason, "Expired");
    assert!(store.changes_since(&STORAGE_CLASSES, store.version()).is_ok());
}

#[test]
fn what_changes_nothing_makes_no_version() {
    let store = store();
    let key = Key::of(&STORAGE_CLASSES, &create(&store, &STORAGE_CLASSES, "a"));
    let before = store.version();
    store.change(&key, |class| class.set(&["metadata", "resourceVersion"], json!("7")));
    assert_eq!(store.version(), before);
}

#[test]
fn uids_and_suffixes_look_like_the_real_ones() {
    let uid = uid(1);
    assert_eq!(uid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_ne!(uid, super::uid(2));
    assert_eq!(suffix(1).len(), 5);
}
