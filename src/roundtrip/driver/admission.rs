//! What admission says to the objects of a round trip, with pods that run as one user after another: a raw device keeps
//! the owner that it has on its node, so that the pod that opens the most devices is taken, as far as the cluster lets
//! it be.

use futures::future::try_join_all;
use serde_json::{Value, json};
use snapready_checks::model::object::Kind;

use super::Failure;
use crate::api::Objects;
use crate::model::{ObjectName, PodUser};
use crate::roundtrip::objects::Manifest;

/// An object, and why it is refused.
pub(super) type Refused = (ObjectName, Failure);

/// What came of a dry run.
pub(super) struct Admission {
    /// What the pods may run as.
    pub(super) answer: Result<PodUser, Refused>,
    /// What was refused to those that were tried before.
    pub(super) before: Vec<Refused>,
}

/// Asks for all objects, with the pods of one user after another, until all are allowed.
pub(super) async fn ask(server: &Objects, tries: Vec<(PodUser, Vec<Manifest>)>) -> Admission {
    let mut before = Vec::new();
    let mut tries = tries.into_iter().peekable();
    let mut answer = Err((
        ObjectName { kind: Kind::POD.name.to_owned(), namespace: None, name: String::new() },
        Failure::invalid("there is no pod to ask for"),
    ));
    while let Some((user, manifests)) = tries.next() {
        let is_last = tries.peek().is_none();
        let all = manifests.iter().map(async |manifest| {
            let told = server.dry_run(&manifest.place(), &manifest.body).await;
            told.and_then(|object| if is_last { Ok(()) } else { kept(manifest, user, object.as_ref()) })
                .map_err(|failure| (manifest.object(), failure))
        });
        answer = try_join_all(all).await.map(|_| user);
        match &answer {
            Err((object, failure)) if !is_last && may_be_about_the_user(object, failure) => {
                before.push((object.clone(), failure.clone()));
            }
            Ok(_) | Err(_) => break,
        }
    }
    Admission { answer, before }
}

/// Whether another user, or the namespace that is made for it, may be allowed.
fn may_be_about_the_user(object: &ObjectName, failure: &Failure) -> bool {
    failure.is_final() && [Kind::POD.name, Kind::NAMESPACE.name].contains(&object.kind.as_str())
}

/// Whether a pod would run as what was asked for: admission may have changed it. `object` is what it made of it, if it
/// could be asked without consequences.
fn kept(manifest: &Manifest, user: PodUser, object: Option<&Value>) -> Result<(), Failure> {
    if manifest.kind != Kind::POD || user != PodUser::Root {
        return Ok(());
    }
    let Some(object) = object else {
        return Err(Failure::invalid("whether the pod may run as root cannot be asked as a dry run"));
    };
    let containers =
        object.pointer("/spec/containers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let contexts = containers.iter().chain(object.get("spec")).filter_map(|part| part.get("securityContext"));
    let mut is_root = false;
    for context in contexts {
        if context.get("runAsNonRoot") == Some(&json!(true)) {
            return Err(Failure::invalid("something changes the pod on its way: it sets runAsNonRoot"));
        }
        match context.get("runAsUser") {
            None | Some(Value::Null) => {}
            Some(user) if *user == json!(0) => is_root = true,
            Some(user) => {
                return Err(Failure::invalid(format!(
                    "something changes the pod on its way: it sets runAsUser {user}"
                )));
            }
        }
    }
    if is_root {
        Ok(())
    } else {
        Err(Failure::invalid("something changes the pod on its way: it takes runAsUser away"))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use http::{Request, Response, StatusCode};
    use kube::client::Body;
    use tokio::sync::mpsc;

    use super::*;
    use crate::api::Client;

    fn pod(user: PodUser) -> Manifest {
        let security = match user {
            PodUser::Root => json!({ "runAsUser": 0 }),
            PodUser::DiskGroup => json!({ "runAsNonRoot": true, "supplementalGroups": [6] }),
            PodUser::NonRoot => json!({ "runAsNonRoot": true }),
        };
        let body = json!({ "kind": "Pod", "metadata": { "name": "writer" }, "spec": {
            "securityContext": security, "containers": [{ "name": "write", "securityContext": {} }] } });
        Manifest { kind: Kind::POD, namespace: Some("ns".to_owned()), name: "writer".to_owned(), body }
    }

    /// What comes of the dry runs of a pod by an API server that answers them so: what is taken, or the status of the
    /// refusal; and how many were refused before.
    async fn asked(answer: fn(Value) -> (u16, Value)) -> (Result<PodUser, u16>, usize) {
        let service = tower::service_fn(move |request: Request<Body>| async move {
            let body = request.into_body().collect_bytes().await.unwrap();
            let (code, answer) = answer(serde_json::from_slice(&body).unwrap());
            let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
            *response.status_mut() = StatusCode::from_u16(code).unwrap();
            Ok::<_, Infallible>(response)
        });
        let client = Client::new(kube::Client::new(service, "n"), None);
        let server = Objects::new(&client, Duration::from_secs(30), mpsc::unbounded_channel().0);
        let tries = PodUser::tried(crate::model::VolumeMode::Block).iter().map(|user| (*user, vec![pod(*user)]));
        let admission = ask(&server, tries.collect()).await;
        (admission.answer.map_err(|(_, failure)| failure.status), admission.before.len())
    }

    fn status(code: u16, message: &str) -> (u16, Value) {
        (code, json!({ "kind": "Status", "code": code, "reason": "Forbidden", "message": message }))
    }

    fn is_root(pod: &Value) -> bool {
        pod["spec"]["securityContext"]["runAsUser"] == 0
    }

    fn has_group(pod: &Value) -> bool {
        !pod["spec"]["securityContext"]["supplementalGroups"].is_null()
    }

    #[tokio::test]
    async fn the_first_that_is_allowed_is_taken() {
        assert_eq!(asked(|pod| (201, pod)).await, (Ok(PodUser::Root), 0));
        let no_root = |pod: Value| if is_root(&pod) { status(403, "violates PodSecurity") } else { (201, pod) };
        assert_eq!(asked(no_root).await, (Ok(PodUser::DiskGroup), 1));
        let neither = |pod: Value| if is_root(&pod) || has_group(&pod) { status(403, "no") } else { (201, pod) };
        assert_eq!(asked(neither).await, (Ok(PodUser::NonRoot), 2));
        assert_eq!(asked(|_| status(403, "exceeded quota: q,")).await, (Err(403), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_refusal_is_not_tried_with_another_user() {
        assert_eq!(asked(|_| status(500, "etcd has no leader")).await, (Err(500), 0));
    }

    #[tokio::test]
    async fn root_is_not_taken_where_the_pod_would_not_be_root_or_nobody_can_tell() {
        let non_root = |mut pod: Value| {
            pod["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] = json!(true);
            (201, pod)
        };
        assert_eq!(asked(non_root).await, (Ok(PodUser::DiskGroup), 1));
        let other_user = |mut pod: Value| {
            pod["spec"]["containers"][0]["securityContext"]["runAsUser"] = json!(1000);
            (201, pod)
        };
        assert_eq!(asked(other_user).await, (Ok(PodUser::DiskGroup), 1));
        let taken_away = |mut pod: Value| {
            pod["spec"]["securityContext"] = json!({});
            (201, pod)
        };
        assert_eq!(asked(taken_away).await, (Ok(PodUser::DiskGroup), 1));
        let webhook = |_| status(400, "admission webhook \"w\" does not support dry run");
        assert_eq!(asked(webhook).await, (Ok(PodUser::DiskGroup), 1));
    }
}
