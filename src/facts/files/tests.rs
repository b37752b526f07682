use std::path::Path;

use snapready_checks::model::need::Need;
use snapready_checks::model::probe::Missing;

use super::*;

/// Facts of files with these names and texts.
fn read_all(files: &[(&str, &str)]) -> Result<FromFiles, FilesError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    read(&[folder.path().to_owned()], &[])
}

fn classes(read: &FromFiles) -> Vec<&str> {
    read.facts.storage_classes.seen().unwrap().iter().map(|class| class.metadata.name.as_str()).collect()
}

const CLASS: &str = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: a}\nprovisioner: x.csi\n";

#[test]
fn what_is_not_there_is_not_collected_and_what_is_empty_is_empty() {
    // Go writes a list that it never filled as null.
    for items in ["[]", "null"] {
        let empty = format!(r#"{{"apiVersion": "v1", "kind": "PodList", "items": {items}}}"#);
        let found = read_all(&[("classes.yaml", CLASS), ("pods.json", &empty)]).unwrap();
        assert_eq!(found.facts.pods.seen().map(Vec::len), Some(0));
    }
    let empty = r#"{"apiVersion": "v1", "kind": "PodList", "items": []}"#;
    let found = read_all(&[("classes.yaml", CLASS), ("pods.json", empty)]).unwrap();
    assert_eq!((classes(&found), found.objects), (vec!["a"], 1));
    assert_eq!(found.facts.pods.seen().map(Vec::len), Some(0));
    for need in [Need::Nodes, Need::VolumeSnapshots, Need::Roles, Need::ServerVersion, Need::SnapshotApis] {
        assert_eq!(found.facts.missing(need), Some(Missing::NotCollected), "{need:?}");
    }
}

#[test]
fn every_form_of_kubectl_is_read() {
    let class = |name: &str| {
        format!(
            r#"{{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{{"name":"{name}"}},"provisioner":"x.csi"}}"#
        )
    };
    let item = r#"{"metadata":{"name":"e"},"provisioner":"x.csi"}"#;
    let found = read_all(&[
        ("a.yaml", &format!("# a comment\n---\n{CLASS}---\n# nothing\n---\n{}", CLASS.replace("name: a", "name: b"))),
        ("deep/down/list.json", &format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, class("c"))),
        ("two.json", &format!("{}\n{}", class("d"), r#"{"serverVersion":{"gitVersion":"v1.33.1"}}"#)),
        ("typed.json", &format!(r#"{{"apiVersion":"storage.k8s.io/v1","kind":"StorageClassList","items":[{item}]}}"#)),
        ("flow.yml", &class("f").replace('"', "'")),
        ("notes.txt", &class("unread")),
    ])
    .unwrap();
    assert_eq!(classes(&found), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(found.skipped, []);
    assert_eq!(found.facts.server_version.seen().unwrap().git_version, "v1.33.1");
}

#[test]
fn what_is_broken_is_named_and_spoils_nothing_else() {
    let found = read_all(&[
        ("good.yaml", &format!("{CLASS}---\nkind: [\n---\n{}", CLASS.replace("name: a", "name: b"))),
        ("chart.yaml", "kind: {{ .Values.kind }}\nmetadata: {name: {{ .Release.Name }}}\n"),
        ("cut.json", r#"{"kind": "PodList", "items": ["#),
        ("bomb.yaml", &bomb()),
        ("twice.yaml", "kind: StorageClass\nkind: Pod\n"),
        ("deep.json", &"[".repeat(100_000)),
    ])
    .unwrap();
    assert_eq!(classes(&found), ["a", "b"]);
    let places: Vec<&str> =
        found.skipped.iter().map(|skipped| Path::new(&skipped.place).file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(places, ["bomb.yaml", "chart.yaml", "cut.json", "deep.json", "good.yaml, document 2", "twice.yaml"]);
    let chart = found.skipped.iter().find(|skipped| skipped.place.contains("chart")).unwrap();
    assert!(chart.why.contains("template"), "{chart:?}");
}

/// Aliases of aliases.
fn bomb() -> String {
    let line = |n: usize| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","));
    format!("a0: &a0 [x,x,x,x,x,x,x,x,x]\n{}", (1..12).map(line).collect::<String>())
}

#[test]
fn the_newest_of_two_counts_whichever_file_it_is_in() {
    let class = |version: u32, provisioner: &str| {
        format!(
            "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {{name: a, resourceVersion: '{version}'}}\nprovisioner: {provisioner}\n"
        )
    };
    for (first, second) in [(class(9, "old"), class(10, "new")), (class(10, "new"), class(9, "old"))] {
        let found = read_all(&[("1.yaml", &first), ("2.yaml", &second)]).unwrap();
        let all = found.facts.storage_classes.seen().unwrap();
        assert_eq!((all.len(), all[0].provisioner.as_str()), (1, "new"));
    }
}

#[test]
fn ages_are_measured_against_the_newest_time_in_the_files() {
    let lease = "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: a, namespace: n, creationTimestamp: '2026-01-01T00:00:00Z'}\nspec: {renewTime: '2026-01-02T03:04:05.000000Z', leaseDurationSeconds: 15}\nstatus: {certificateExpirationTime: '2026-08-01T00:00:00Z', startTime: '2999-01-01T00:00:00Z'}\n";
    let found = read_all(&[("lease.yaml", lease)]).unwrap();
    assert_eq!(found.facts.collected_at.to_string(), "2026-01-02T03:04:05Z");
}

/// An object that is not of its kind's form hides what it is: then nothing is known of the kind.
#[test]
fn an_object_of_another_form_makes_its_kind_unknown() {
    let found =
        read_all(&[("a.yaml", CLASS), ("b.yaml", &CLASS.replace("x.csi", "[1]").replace("name: a", "name: b"))]);
    let Some(Missing::Failed { reason }) = found.unwrap().facts.missing(Need::StorageClasses) else { panic!() };
    assert!(reason.contains("StorageClass b"), "{reason}");
}

#[test]
fn rights_count_only_where_the_files_hold_those_of_everybody() {
    let object = |kind: &str, namespace: &str, name: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: '{name}', namespace: '{namespace}'}}\n---\n"
        )
    };
    let some = object("ClusterRole", "", "mine") + &object("ClusterRoleBinding", "", "mine");
    assert_eq!(read_all(&[("rbac.yaml", &some)]).unwrap().facts.missing(Need::Roles), Some(Missing::NotCollected));
    let all = some
        + &object("ClusterRole", "", "cluster-admin")
        + &object("ClusterRoleBinding", "", "cluster-admin")
        + &object("Role", "kube-system", "extension-apiserver-authentication-reader")
        + &object("RoleBinding", "kube-system", "system::extension-apiserver-authentication-reader");
    let found = read_all(&[("rbac.yaml", &all)]).unwrap();
    assert_eq!((found.facts.missing(Need::Roles), found.facts.missing(Need::RoleBindings)), (None, None));
}

#[test]
fn nothing_is_an_error_that_says_what_was_not_read() {
    let error = read_all(&[("a.yaml", "kind: ["), ("b.yaml", "{{")]).unwrap_err().to_string();
    assert!(error.contains("a.yaml") && error.contains("and 1 more"), "{error}");
    let error = read(&["/nowhere/at/all".into()], &[]).unwrap_err().to_string();
    assert!(error.contains("/nowhere/at/all") && error.contains("No such file"), "{error}");
}
