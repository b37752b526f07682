//! Trouble that strangers reported, as whole clusters: every check is asked, and nothing but what is expected may be found.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use snapready_checks::model::check::Group;
use snapready_checks::model::finding::Status;

use crate::case::{Expected, in_short};
use crate::cluster::{Cluster, listed};
use crate::judge::{any_cluster, look, read};
use crate::looking;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    cluster: Cluster,
    /// By the checks' ids: all that they find and that is no pass and no skip, in order.
    expect: BTreeMap<String, Vec<Expected>>,
}

/// What is wrong with a report's findings.
pub(crate) fn report(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let Report { mut cluster, expect } = serde_saphyr::from_str(&text).unwrap();
    // A whole cluster has objects that no check reads.
    let listed = listed();
    cluster.objects.retain(|object| {
        let kind = object["kind"].as_str().unwrap();
        listed.iter().any(|(_, kinds)| kinds.iter().any(|known| known.name == kind))
    });
    let facts = read(cluster.facts());
    let mut wrong = any_cluster(&facts);
    // What whoever asks may do is not the cluster's trouble.
    for check in looking().filter(|check| check.group != Group::Access) {
        let (mut found, _) = look(check, &facts);
        found.retain(|finding| !matches!(finding.status, Status::Pass | Status::Skip));
        let expected = expect.get(check.id).map_or(&[][..], Vec::as_slice);
        let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(found, one)| one.fits(found));
        if !fits {
            let found: Vec<String> = found.iter().map(in_short).collect();
            wrong.push(format!("{} found\n{}\nexpected {expected:#?}", check.id, found.join("\n")));
        }
    }
    wrong
}
