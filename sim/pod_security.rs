//! The Pod Security levels *baseline* and *restricted*, as far as pods here can break them.

use serde_json::{Value, json};

use super::object::Object;

/// What a level has against a pod, in the words of the admission plugin.
pub(super) fn violations(level: &str, pod: &Value) -> Vec<String> {
    match level {
        "baseline" => baseline(pod),
        "restricted" => restricted(pod),
        _ => Vec::new(),
    }
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    pod.list("/spec/initContainers").iter().chain(pod.list("/spec/containers"))
}

fn host_namespaces(pod: &Value) -> impl Iterator<Item = String> {
    let used = |field: &&str| pod.pointer(&format!("/spec/{field}")) == Some(&json!(true));
    ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(used)
        .map(|field| format!("host namespaces ({field}=true)"))
}

/// Host access and rights that reach beyond the pod. Root is allowed.
fn baseline(pod: &Value) -> Vec<String> {
    let mut violations: Vec<String> = host_namespaces(pod).collect();
    for container in containers(pod) {
        let name = container.text("/name");
        if container.pointer("/securityContext/privileged") == Some(&json!(true)) {
            violations.push(format!("privileged (container \"{name}\" must not set securityContext.privileged=true)"));
        }
        if !container.list("/securityContext/capabilities/add").is_empty() {
            violations.push(format!("non-default capabilities (container \"{name}\" must not include them)"));
        }
    }
    for volume in pod.list("/spec/volumes").iter().filter(|volume| volume.get("hostPath").is_some()) {
        violations.push(format!("hostPath volumes (volume \"{}\")", volume.text("/name")));
    }
    violations
}

/// The same, root, and what a container could get more rights by.
fn restricted(pod: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    let containers: Vec<&Value> = containers(pod).collect();
    let mut check = |title: &str, must: &str, wrong: &dyn Fn(&Value) -> bool| {
        let names: Vec<String> = containers
            .iter()
            .filter(|container| wrong(container))
            .map(|container| format!("\"{}\"", container.text("/name")))
            .collect();
        if !names.is_empty() {
            let noun = if names.len() == 1 { "container" } else { "containers" };
            violations.push(format!("{title} ({noun} {} must set {must})", names.join(", ")));
        }
    };
    check("allowPrivilegeEscalation != false", "securityContext.allowPrivilegeEscalation=false", &|container| {
        container.pointer("/securityContext/allowPrivilegeEscalation") != Some(&json!(false))
    });
    check("unrestricted capabilities", "securityContext.capabilities.drop=[\"ALL\"]", &|container| {
        !container.list("/securityContext/capabilities/drop").contains(&json!("ALL"))
    });
    let of_pod = |field: &str| pod.pointer(&format!("/spec/securityContext/{field}")).cloned();
    let either = |container: &Value, field: &str| {
        container.pointer(&format!("/securityContext/{field}")).cloned().or_else(|| of_pod(field))
    };
    check("runAsNonRoot != true", "securityContext.runAsNonRoot=true", &|container| {
        either(container, "runAsNonRoot") != Some(json!(true))
    });
    check(
        "seccompProfile",
        "securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
        &|container| {
            let profile = either(container, "seccompProfile").unwrap_or_default();
            !matches!(profile.text("/type"), "RuntimeDefault" | "Localhost")
        },
    );
    if containers.iter().any(|container| either(container, "runAsUser") == Some(json!(0))) {
        violations.push("runAsUser=0 (pod must not set runAsUser=0)".to_owned());
    }
    let allowed =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
    for volume in pod.list("/spec/volumes") {
        let restricted = volume
            .as_object()
            .and_then(|fields| fields.keys().find(|key| *key != "name" && !allowed.contains(&key.as_str())));
        if let Some(kind) = restricted {
            violations.push(format!(
                "restricted volume types (volume \"{}\" uses restricted volume type \"{kind}\")",
                volume.text("/name")
            ));
        }
    }
    violations.extend(host_namespaces(pod));
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_says_everything_passes_and_one_that_says_nothing_does_not() {
        let good = json!({ "spec": {
            "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{ "name": "c", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } } }],
            "volumes": [{ "name": "v", "persistentVolumeClaim": { "claimName": "c" } }],
        } });
        assert_eq!(restricted(&good), Vec::<String>::new());
        let bad = json!({ "spec": { "containers": [{ "name": "c" }], "volumes": [{ "name": "h", "hostPath": {} }] } });
        let violations = restricted(&bad);
        assert_eq!(violations.len(), 5, "{violations:?}");
        assert!(violations[0].starts_with("allowPrivilegeEscalation != false (container \"c\" must set"));
    }

    #[test]
    fn root_without_host_access_is_baseline_and_not_restricted() {
        let root = json!({ "spec": {
            "securityContext": { "runAsUser": 0, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{ "name": "c", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } } }],
        } });
        assert_eq!(violations("baseline", &root), Vec::<String>::new());
        assert_eq!(violations("restricted", &root).len(), 2);
        let mut host = root;
        host["spec"]["hostPID"] = json!(true);
        host["spec"]["containers"][0]["securityContext"]["privileged"] = json!(true);
        host["spec"]["containers"][0]["securityContext"]["capabilities"]["add"] = json!(["SYS_ADMIN"]);
        host["spec"]["volumes"] = json!([{ "name": "h", "hostPath": {} }]);
        assert_eq!(violations("baseline", &host).len(), 4);
        assert_eq!(violations("privileged", &host), Vec::<String>::new());
    }
}
