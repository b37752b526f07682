//! Pods, and the claims that they mount: most pods are dropped while the list is read, and the names of their claims stay.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use snapready_checks::interests;
use snapready_checks::model::facts::MountedClaim;
use snapready_checks::model::kubernetes::Pod;
use snapready_checks::model::listed::Listed;
use snapready_checks::model::need::Need;
use snapready_checks::model::object::Kind;
use snapready_checks::model::probe::Probe;

use crate::facts::live::list::list_with;
use crate::facts::live::request::Requests;

/// The pods that an interest picks out, and the claims of all.
pub(super) async fn with_claims(requests: &Requests<'_>) -> (Probe<Vec<Pod>>, Probe<Vec<MountedClaim>>) {
    let mounted = Mutex::new(BTreeSet::new());
    let keep = |mut pod: Pod| {
        mounted.lock().unwrap_or_else(PoisonError::into_inner).extend(pod.mounted_claims());
        pod.keep(interests(Need::Pods)).then_some(pod)
    };
    match list_with(requests, &Kind::POD, keep).await {
        Ok(pods) => (
            Probe::from(pods),
            Probe::from(mounted.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect::<Vec<_>>()),
        ),
        Err(unseen) => {
            let same = unseen.seen_or().err().unwrap_or(Probe::NotCollected);
            (unseen, same)
        }
    }
}
