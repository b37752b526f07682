//! What the `ResourceQuotas` of a given namespace leave for round trips: how many fit in at a time, and which do not fit at all.
//! Quotas with a scope are left out, as are resources that no round trip is told from; who is refused all the same says so.

use std::collections::BTreeMap;

use serde_json::Value;
use snapready_checks::model::object::Kind;
use snapready_checks::model::quantity::Quantity;

use crate::roundtrip::objects::{Manifest, requested};
use crate::roundtrip::observe::text;
use crate::roundtrip::program::{Act, ObjectId, Program};

/// What a quota says about one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Its name.
    pub name: String,
    /// The resource, as quotas name it: `requests.storage`, `count/pods`.
    pub resource: String,
    /// As much as there may be: bytes, or a number.
    pub hard: u64,
    /// As much as there is.
    pub used: u64,
}

impl Quota {
    /// What is left.
    #[must_use]
    pub const fn free(&self) -> u64 {
        self.hard.saturating_sub(self.used)
    }

    /// Whether it is about bytes.
    #[must_use]
    pub fn is_of_bytes(&self) -> bool {
        self.resource.ends_with("requests.storage")
    }
}

/// What `ResourceQuotas` say. One without a status has not been reckoned yet, and says nothing.
#[must_use]
pub fn quotas(objects: &[Value]) -> Vec<Quota> {
    let scoped = |object: &&Value| {
        object.pointer("/spec/scopes").and_then(Value::as_array).is_some_and(|scopes| !scopes.is_empty())
            || object.pointer("/spec/scopeSelector").is_some_and(|selector| !selector.is_null())
    };
    let amount = |value: &Value| Some(value.as_str()?.parse::<Quantity>().ok()?.0);
    let of_object = |object: &Value| {
        let used = object.pointer("/status/used").cloned().unwrap_or_default();
        let hard = object.pointer("/status/hard").and_then(Value::as_object).cloned().unwrap_or_default();
        let name = text(object, "/metadata/name").unwrap_or_default().to_owned();
        let of_resource = move |(resource, hard): (String, Value)| {
            let (hard, used) = (amount(&hard)?, amount(used.get(&resource)?)?);
            Some(Quota { name: name.clone(), resource, hard, used })
        };
        hard.into_iter().filter_map(of_resource).collect::<Vec<_>>()
    };
    objects.iter().filter(|object| !scoped(object)).flat_map(of_object).collect()
}

/// An amount of each resource, as quotas name them.
pub type Usage = BTreeMap<String, u64>;

/// What a quota counts of an object.
fn counted(manifest: &Manifest) -> Usage {
    let kind = &manifest.kind;
    let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
    let mut usage = Usage::from([(format!("count/{}{group}", kind.plural), 1)]);
    if *kind == Kind::POD {
        usage.insert("pods".to_owned(), 1);
    } else if *kind == Kind::PERSISTENT_VOLUME_CLAIM {
        let bytes = requested(&manifest.body).unwrap_or_default();
        let class = text(&manifest.body, "/spec/storageClassName").unwrap_or_default();
        for (resource, amount) in [("persistentvolumeclaims", 1), ("requests.storage", bytes)] {
            usage.insert(resource.to_owned(), amount);
            usage.insert(format!("{class}.storageclass.storage.k8s.io/{resource}"), amount);
        }
    }
    usage
}

/// The most of each resource that a round trip has at a time: what it creates, without what it has deleted by then.
#[must_use]
pub fn peak(program: &Program, manifest: impl Fn(ObjectId) -> Option<Manifest>) -> Usage {
    let of =
        |id: ObjectId| manifest(id).filter(|made| made.kind.namespaced).map(|made| counted(&made)).unwrap_or_default();
    let (mut now, mut peak) = (Usage::new(), Usage::new());
    for (_, act) in program.acts() {
        for (resource, amount) in act.creates().map(of).unwrap_or_default() {
            let sum = now.entry(resource.clone()).or_default();
            *sum = sum.saturating_add(amount);
            let most = peak.entry(resource).or_default();
            *most = (*most).max(*sum);
        }
        // A consumer has gone when its claim is bound. A pod that was asked to exit has exited, and may still be there.
        if let Act::Release(gone) | Act::Remove(gone) | Act::Bind(gone) = act {
            let stays = |resource: &str| matches!(act, Act::Release(_)) && resource.starts_with("count/");
            for (resource, amount) in of(*gone).into_iter().filter(|(resource, _)| !stays(resource)) {
                now.entry(resource).and_modify(|sum| *sum = sum.saturating_sub(amount));
            }
        }
    }
    peak
}

/// The quota that has no room for a round trip, even if it is alone.
#[must_use]
pub fn lacking<'a>(quotas: &'a [Quota], peak: &Usage) -> Option<(&'a Quota, u64)> {
    quotas.iter().find_map(|quota| {
        let needed = *peak.get(&quota.resource)?;
        (needed > quota.free()).then_some((quota, needed))
    })
}

/// How many of these round trips can run at a time, at least one and at most `parallel`, and the quota that has no room for more.
/// Those that do not fit at all do not count.
#[must_use]
pub fn at_once<'a>(quotas: &'a [Quota], peaks: &[Usage], parallel: usize) -> (usize, Option<&'a Quota>) {
    let fits: Vec<&Usage> = peaks.iter().filter(|peak| lacking(quotas, peak).is_none()).collect();
    let mut least = (parallel.max(1), None);
    for quota in quotas {
        // The largest of them may be those that meet.
        let most = fits.iter().filter_map(|peak| peak.get(&quota.resource)).max().copied().unwrap_or_default();
        let room = quota.free().checked_div(most).and_then(|room| usize::try_from(room).ok()).unwrap_or(usize::MAX);
        if room.max(1) < least.0.min(fits.len()) {
            least = (room.max(1), Some(quota));
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::roundtrip::modes::{Shape, plain};

    fn quota(resource: &str, hard: u64, used: u64) -> Quota {
        Quota { name: "team".to_owned(), resource: resource.to_owned(), hard, used }
    }

    fn usage(amounts: &[(&str, u64)]) -> Usage {
        amounts.iter().map(|(resource, amount)| ((*resource).to_owned(), *amount)).collect()
    }

    #[test]
    fn what_is_read_of_a_quota() {
        let read = quotas(&[
            json!({
                "metadata": { "name": "team" },
                "status": {
                    "hard": { "requests.storage": "10Gi", "pods": "4", "cpu": "1", "broken": "many" },
                    "used": { "requests.storage": "1Gi", "pods": "0", "broken": "1" },
                },
            }),
            json!({ "metadata": { "name": "not-reckoned-yet" }, "spec": { "hard": { "pods": "0" } } }),
            json!({
                "metadata": { "name": "of-others" },
                "spec": { "scopes": ["BestEffort"] },
                "status": { "hard": { "pods": "0" }, "used": { "pods": "0" } },
            }),
        ]);
        assert_eq!(read, [quota("pods", 4, 0), quota("requests.storage", 10 << 30, 1 << 30)]);
        assert_eq!(quotas(&[json!(null), json!([]), json!({ "status": { "hard": 1 } })]), []);
    }

    #[test]
    fn a_round_trip_has_two_claims_and_one_pod_at_a_time() {
        let program = plain::program(Shape { own_namespace: false, immediate: false });
        let made = |id: ObjectId| {
            let kind = program.object(id)?.kind;
            let spec = json!({ "storageClassName": "fast", "resources": { "requests": { "storage": "1Gi" } } });
            let name = format!("{id:?}");
            Some(Manifest { kind, namespace: None, name, body: json!({ "spec": spec }) })
        };
        assert_eq!(
            peak(&program, made),
            usage(&[
                ("count/persistentvolumeclaims", 2),
                ("count/pods", 2),
                ("count/volumesnapshots.snapshot.storage.k8s.io", 1),
                ("fast.storageclass.storage.k8s.io/persistentvolumeclaims", 2),
                ("fast.storageclass.storage.k8s.io/requests.storage", 2 << 30),
                ("persistentvolumeclaims", 2),
                ("pods", 1),
                ("requests.storage", 2 << 30),
            ])
        );
    }

    #[test]
    fn as_many_run_at_a_time_as_fit_and_at_least_one() {
        let two_claims = || usage(&[("persistentvolumeclaims", 2), ("requests.storage", 2)]);
        let peaks = [two_claims(), two_claims(), two_claims(), usage(&[("requests.storage", 40)])];
        let number = |quotas: &[Quota]| at_once(quotas, &peaks, 4).0;
        assert_eq!(number(&[]), 4);
        assert_eq!(number(&[quota("persistentvolumeclaims", 20, 0)]), 4);
        assert_eq!(number(&[quota("persistentvolumeclaims", 5, 0)]), 2);
        assert_eq!(number(&[quota("persistentvolumeclaims", 5, 2)]), 1);
        assert_eq!(number(&[quota("pods", 0, 0)]), 4, "of which they have none");
        // The one that does not fit does not lower the others.
        assert_eq!(number(&[quota("requests.storage", 9, 0)]), 4);
        assert_eq!(number(&[quota("requests.storage", 5, 0), quota("persistentvolumeclaims", 20, 0)]), 2);
        assert_eq!(lacking(&[quota("requests.storage", 41, 2)], &peaks[3]).unwrap().1, 40);
        assert_eq!(lacking(&[quota("requests.storage", 41, 1)], &peaks[3]), None);
    }
}
