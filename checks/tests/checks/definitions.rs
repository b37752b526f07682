//! CRDs of any release, from upstream's fingerprints.

use serde_json::{Value, json};

/// Upstream's fingerprints of every revision of every CRD.
pub(crate) fn fingerprints() -> Value {
    serde_json::from_str(include_str!("../../data/crd-fingerprints.json")).unwrap()
}

/// A CRD as a release has it: the flags, the columns and those nodes of its schema that tell releases apart.
pub(crate) fn definition(name: &str, tag: &str, rules_dropped: bool) -> Value {
    let fingerprints = fingerprints();
    let revisions = fingerprints["crds"][name].as_array().unwrap();
    let has = |revision: &&Value| revision["releases"].as_array().unwrap().iter().any(|release| release == tag);
    let revision = revisions.iter().find(has).unwrap_or_else(|| panic!("{name} has no release {tag}"));
    let (plural, group) = name.split_once('.').unwrap();
    let mut versions = Vec::new();
    for version in revision["versions"].as_array().unwrap() {
        let mut schema = json!({ "type": "object", "properties": {
            "spec": { "type": "object", "properties": { "source": { "type": "object" } } },
            "status": { "type": "object", "properties": { "restoreSize": { "type": "string" } } },
        }});
        for marker in version["markers"].as_array().unwrap() {
            let mut node = &mut schema;
            for field in marker.as_str().unwrap().trim_start_matches('.').split('.') {
                node = &mut node["properties"][field];
            }
            *node = json!({ "type": "object" });
        }
        // Two things that the fingerprints leave out: 2.1 has no type here, and rules replaced the oneOf.
        if revision["controllerGen"] == "v0.2.5" && plural == "volumesnapshots" {
            schema["properties"]["status"]["properties"]["restoreSize"] = json!({ "anyOf": [] });
        }
        if version["cel"] == 0 {
            schema["properties"]["spec"]["properties"]["source"]["oneOf"] = json!([]);
        } else if !rules_dropped {
            schema["properties"]["spec"]["properties"]["source"]["x-kubernetes-validations"] =
                json!([{ "rule": "true" }]);
            if plural == "volumesnapshotcontents" {
                let rule = "!has(oldSelf.sourceVolumeMode) || has(self.sourceVolumeMode)";
                schema["properties"]["spec"]["x-kubernetes-validations"] =
                    json!([{ "message": "sourceVolumeMode is required once set", "rule": rule }]);
            }
        }
        let columns = usize::try_from(version["columns"].as_u64().unwrap()).unwrap();
        let mut columns: Vec<Value> = (0..columns).map(|index| json!({ "name": format!("column{index}") })).collect();
        if plural == "volumesnapshotcontents" && columns.len() == 8 {
            columns[6] = json!({ "name": "VolumeSnapshotNamespace" });
        }
        let mut made = json!({
            "name": version["name"], "served": version["served"], "storage": version["storage"],
            "additionalPrinterColumns": columns, "schema": { "openAPIV3Schema": schema },
        });
        if version["status"] == true {
            made["subresources"] = json!({ "status": {} });
        }
        versions.push(made);
    }
    let storage = versions.iter().find(|version| version["storage"] == true).unwrap()["name"].clone();
    let mut crd = json!({
        "metadata": { "name": name },
        "spec": { "group": group, "names": { "plural": plural, "shortNames": revision["shortNames"] }, "versions": versions },
        "status": { "storedVersions": [storage], "conditions": [{ "type": "Established", "status": "True" }] },
    });
    if revision["conversion"] == "Webhook" {
        let service = json!({ "namespace": "default", "name": "snapshot-conversion-webhook-service" });
        crd["spec"]["conversion"] =
            json!({ "strategy": "Webhook", "webhook": { "clientConfig": { "service": service } } });
    }
    crd
}
