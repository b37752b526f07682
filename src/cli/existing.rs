//! What exists already and is restored from, as flags.

use clap::Args;

use crate::cluster::ConnectionArgs;
use crate::roundtrip::existing::{Given, Named, Reference};
use crate::run::failure::Failure;

/// What exists already.
#[derive(Debug, Clone, Args)]
pub(super) struct ExistingArgs {
    /// Restore a claim that exists: take a snapshot of it, restore that beside it, look at what comes back; the claim is only read
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "from_snapshot", help_heading = super::roundtrip::WHAT)]
    source_pvc: Option<Named>,
    /// Restore a snapshot that exists into a new claim, and look at what comes back; the snapshot is only read
    #[arg(long, value_name = "NAMESPACE/NAME", help_heading = super::roundtrip::WHAT)]
    from_snapshot: Option<Named>,
}

impl ExistingArgs {
    /// What was named.
    pub(super) fn reference(&self) -> Option<Reference> {
        let of = |given| move |named: &Named| Reference { given, named: named.clone() };
        let claim = self.source_pvc.as_ref().map(of(Given::Claim));
        claim.or_else(|| self.from_snapshot.as_ref().map(of(Given::Snapshot)))
    }
}

/// The connection, in the namespace of what exists: everything that is made lies there, and what is left is removed from there.
pub(super) fn within(connection: &ConnectionArgs, reference: &Reference) -> Result<ConnectionArgs, Failure> {
    let namespace = &reference.named.namespace;
    match &connection.namespace {
        Some(other) if other != namespace => Err(Failure::wrong_call(format!(
            "{} is in namespace {namespace}, and the restore takes place there: leave --namespace {other:?} out",
            reference.object()
        ))),
        _ => Ok(ConnectionArgs { namespace: Some(namespace.clone()), ..connection.clone() }),
    }
}
