//! Reads the restored volume on another node: see `doc.md`. It differs from the plain mode in where pods run.

use snapready_checks::model::facts::Facts;
use snapready_checks::moment::Explanation;
use snapready_checks::roundtrip::round_trip::no_other_node;

use crate::model::StepId;
use crate::roundtrip::modes::plain::{self, READER, RESTORED_CONSUMER, WRITER};
use crate::roundtrip::modes::{Making, Mode};
use crate::roundtrip::objects::{self, Manifest};
use crate::roundtrip::observe::text;
use crate::roundtrip::plan::{Plan, Target};

/// The mode.
pub static MODE: Mode = Mode {
    name: "other-node",
    doc: include_str!("doc.md"),
    program: plain::program,
    manifest,
    chain: plain::chain,
    passed,
    needs: &[],
    prevented,
    #[cfg(test)]
    nature: plain::nature::NATURE,
};

fn manifest(making: &Making<'_>) -> Option<Manifest> {
    let manifest = plain::manifest(making)?;
    match making.object.id {
        // For the dry run nothing has run yet.
        RESTORED_CONSUMER | READER if !making.seen.is_empty() => {
            let node = text(making.seen.get(WRITER)?, "/spec/nodeName")?;
            Some(objects::on_another_node(manifest, node, making.plan.zones.get(node)))
        }
        _ => Some(manifest),
    }
}

fn passed(step: StepId) -> Option<&'static str> {
    (step == StepId::Restore).then_some("restored volume bound, pod started on another node than the one that wrote")
}

fn prevented(plan: &Plan, target: &Target, facts: &Facts) -> Option<Explanation> {
    no_other_node(facts, &target.subject(), MODE.name, &plan.node_selector)
}
