//! The namespace controller, and what others put into every new namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::clock;
use crate::faults::Effect;
use crate::object::Object;
use crate::resources::{ALL, CONFIG_MAPS, NAMESPACES, PODS, RESOURCE_QUOTAS, Resource, SERVICE_ACCOUNTS};
use crate::store::{Key, Preconditions};
use crate::world::World;

pub(super) fn reconcile(world: &Arc<World>) {
    for namespace in world.store.all(&NAMESPACES) {
        let name = namespace.name().to_owned();
        let shared = Arc::clone(world);
        if namespace.is_deleting() {
            world.once(format!("namespace/{}", namespace.uid()), async move {
                empty(&shared, &name);
                tokio::time::sleep(clock::NAMESPACE_ROUND).await;
                finish(&shared, &name);
            });
        } else if world.store.get(&Key::new(&SERVICE_ACCOUNTS, &name, "default")).is_err() {
            let delay = world.scenario.service_account_delay;
            world.once(format!("furnish/{}", namespace.uid()), async move {
                tokio::time::sleep(delay).await;
                furnish(&shared, &name);
            });
        }
    }
}

/// Puts into a new namespace what other controllers put there.
pub(crate) fn furnish(world: &World, namespace: &str) {
    let create = |resource: Resource, name: &str, rest: Value| {
        let mut object = rest;
        object.set(&["apiVersion"], json!("v1"));
        object.set(&["kind"], json!(resource.kind));
        object.set(&["metadata", "name"], json!(name));
        object.set(&["metadata", "namespace"], json!(namespace));
        // It is there already, or the namespace goes.
        let _refused = world.store.create(resource, object, false);
    };
    // Whatever it was created with; before there can be a pod in it.
    if world.scenario.restricted {
        world.store.change(&Key::new(&NAMESPACES, "", namespace), |namespace| {
            namespace.set(&["metadata", "labels", "pod-security.kubernetes.io/enforce"], json!("restricted"));
        });
    }
    create(&SERVICE_ACCOUNTS, "default", json!({}));
    create(&CONFIG_MAPS, "kube-root-ca.crt", json!({ "data": { "ca.crt": "" } }));
    if world.scenario.api.iter().any(|fault| matches!(fault.effect, Effect::ExceededQuota(_))) {
        let hard = json!({ "persistentvolumeclaims": "0" });
        let used = json!({ "persistentvolumeclaims": "0" });
        create(
            &RESOURCE_QUOTAS,
            "storage",
            json!({ "spec": { "hard": hard }, "status": { "hard": hard, "used": used } }),
        );
    }
}

fn content(world: &World, namespace: &str) -> Vec<(Resource, Arc<Value>)> {
    let kinds = ALL.into_iter().filter(|resource| resource.namespaced);
    kinds
        .flat_map(|resource| world.store.all(resource).into_iter().map(move |object| (resource, object)))
        .filter(|(_, object)| object.namespace() == namespace)
        .collect()
}

/// Asks for the deletion of everything; of pods first, and of the rest when they are gone.
fn empty(world: &World, namespace: &str) {
    let content = content(world, namespace);
    let pods_first = content.iter().any(|(resource, _)| *resource == &PODS);
    for (resource, object) in content {
        if !object.is_deleting() && (!pods_first || resource == &PODS) {
            // It went by itself in the meantime.
            let _gone = world.store.delete(&Key::of(resource, &object), &Preconditions::default(), false);
        }
    }
}

/// Tells what is left, or lets the namespace go.
fn finish(world: &World, namespace: &str) {
    let key = Key::new(&NAMESPACES, "", namespace);
    let content = content(world, namespace);
    if content.is_empty() {
        world.store.change(&key, |namespace| namespace.unset(&["spec", "finalizers"]));
        return;
    }
    let mut remaining: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for (resource, object) in &content {
        *remaining.entry(resource.qualified()).or_default() += 1;
        for finalizer in object.list("/metadata/finalizers") {
            *finalizers.entry(finalizer.as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let told = |counts: &BTreeMap<String, usize>, word: &str| {
        counts
            .iter()
            .map(|(what, count)| format!("{what} {word} {count} resource instances"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let condition = |kind: &str, reason: &str, message: String| json!({ "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": clock::now() });
    let mut conditions = vec![condition(
        "NamespaceContentRemaining",
        "SomeResourcesRemain",
        format!("Some resources are remaining: {}", told(&remaining, "has")),
    )];
    if !finalizers.is_empty() {
        conditions.push(condition(
            "NamespaceFinalizersRemaining",
            "SomeFinalizersRemain",
            format!("Some content in the namespace has finalizers remaining: {}", told(&finalizers, "in")),
        ));
    }
    world.store.change(&key, |namespace| {
        // A new time alone would be a change after every look.
        let texts = |list: &[Value]| list.iter().map(|one| one.text("/message").to_owned()).collect::<Vec<_>>();
        if texts(namespace.list("/status/conditions")) != texts(&conditions) {
            namespace.set(&["status", "conditions"], Value::Array(conditions));
        }
    });
}
