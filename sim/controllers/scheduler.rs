//! The scheduler: a node for each pod whose claims allow it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::volumes::SELECTED_NODE;
use crate::clock;
use crate::object::Object;
use crate::resources::{CLAIMS, NODES, PODS, STORAGE_CLASSES};
use crate::store::Key;
use crate::world::World;

const COMPONENT: &str = "default-scheduler";

/// What became of a pod.
enum Outcome {
    Node(String),
    Waits,
    Unschedulable(String),
}

pub(super) fn reconcile(world: &Arc<World>) {
    for pod in world.store.all(&PODS) {
        let binding = format!("binding/{}", pod.uid());
        if pod.is_deleting() || !pod.text("/spec/nodeName").is_empty() || world.is_under_way(&binding) {
            continue;
        }
        let key = Key::of(&PODS, &pod);
        match schedule(world, &pod) {
            Outcome::Waits => world.once(binding, tokio::time::sleep(clock::BINDING_LOOK)),
            Outcome::Node(node) => {
                let condition = json!({ "type": "PodScheduled", "status": "True", "lastTransitionTime": clock::now() });
                world.store.change(&key, |pod| {
                    pod.set(&["spec", "nodeName"], json!(node));
                    pod.set(&["status", "conditions"], json!([condition]));
                });
                let message = format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name());
                world.event(&pod, COMPONENT, "Normal", "Scheduled", &message);
            }
            Outcome::Unschedulable(message) => {
                let told = pod.list("/status/conditions").first().map(|condition| condition.text("/message"));
                if told != Some(message.as_str()) {
                    let condition = json!({
                        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
                        "lastTransitionTime": clock::now(),
                    });
                    world.store.change(&key, |pod| pod.set(&["status", "conditions"], json!([condition])));
                    world.event(&pod, COMPONENT, "Warning", "FailedScheduling", &message);
                }
            }
        }
    }
}

fn schedule(world: &World, pod: &Value) -> Outcome {
    let nodes = world.store.all(&NODES);
    let count = nodes.len();
    let impossible = |why: String| {
        Outcome::Unschedulable(format!(
            "0/{count} nodes are available: {why}. preemption: 0/{count} nodes are available: {count} Preemption is not \
             helpful for scheduling."
        ))
    };
    let mut claims = Vec::new();
    for volume in pod.list("/spec/volumes") {
        let name = volume.text("/persistentVolumeClaim/claimName");
        if name.is_empty() {
            continue;
        }
        match world.store.get(&Key::new(&CLAIMS, pod.namespace(), name)) {
            Err(_) => return impossible(format!("persistentvolumeclaim \"{name}\" not found")),
            Ok(claim) if claim.is_deleting() => {
                return impossible(format!("persistentvolumeclaim \"{name}\" is being deleted"));
            }
            Ok(claim) => claims.push(claim),
        }
    }
    let open: Vec<_> = claims.iter().filter(|claim| claim.text("/status/phase") != "Bound").collect();
    let waits_for_consumer = |claim: &Value| {
        let class = Key::new(&STORAGE_CLASSES, "", claim.text("/spec/storageClassName"));
        world.store.get(&class).is_ok_and(|class| class.text("/volumeBindingMode") == "WaitForFirstConsumer")
    };
    if open.iter().any(|claim| !waits_for_consumer(claim)) {
        return impossible("pod has unbound immediate PersistentVolumeClaims. not found".to_owned());
    }
    let wanted = pod.map("/spec/nodeSelector");
    let fits = |node: &&Arc<Value>| {
        wanted.is_none_or(|wanted| {
            wanted
                .iter()
                .all(|(key, value)| node.map("/metadata/labels").and_then(|labels| labels.get(key)) == Some(value))
        }) && !is_kept_away(pod, node.name())
    };
    if world.scenario.unschedulable {
        return impossible(format!("{count} node(s) were unschedulable"));
    }
    let selected = claims.iter().find_map(|claim| claim.annotation(SELECTED_NODE));
    let suitable: Vec<_> = nodes.iter().filter(fits).collect();
    let node = suitable.iter().find(|node| Some(node.name()) == selected).or(suitable.first());
    let Some(node) = node else {
        return impossible(format!("{count} node(s) didn't match Pod's node affinity/selector"));
    };
    if open.is_empty() {
        return Outcome::Node(node.name().to_owned());
    }
    for claim in open {
        world.store.change(&Key::of(&CLAIMS, claim), |claim| {
            if claim.annotation(SELECTED_NODE).is_none() {
                claim.set_annotation(SELECTED_NODE, node.name());
            }
        });
    }
    Outcome::Waits
}

/// Whether a pod wants not to run on this node, by its name. Of the affinity to nodes nothing else is understood here.
fn is_kept_away(pod: &Value, node: &str) -> bool {
    let terms =
        pod.list("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    let fields = terms.iter().flat_map(|term| term.list("/matchFields"));
    fields
        .filter(|field| field.text("/key") == "metadata.name" && field.text("/operator") == "NotIn")
        .any(|field| field.list("/values").iter().any(|name| name.as_str() == Some(node)))
}
