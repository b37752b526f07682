//! What checks find: the catalogue, run on the clusters of its own cases.

use std::path::Path;

use serde::Deserialize;
use snapready_checks::find;

use super::cluster::Cluster;
use crate::evaluate::evaluate;
use crate::model::CheckResult;

/// A case file; what it expects is tested elsewhere.
#[derive(Deserialize)]
struct Case {
    cluster: Cluster,
}

/// What a check says in one of its cases.
pub(super) fn checked(slug: &str, case: &str) -> Vec<CheckResult> {
    let check = find(slug).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks").join(check.group.word());
    let file = folder.join(slug.replace('-', "_")).join("cases").join(case).with_extension("yaml");
    let case: Case = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    evaluate(&serde_json::from_value(case.cluster.facts()).unwrap(), &[check])
}
