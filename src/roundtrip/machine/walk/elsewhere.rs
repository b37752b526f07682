//! A round trip that no mode makes, so that the walk sees what the plain one does not have: a second namespace, and an object
//! of the cluster that the run itself creates. A snapshot is restored into another namespace, as backup products do it: by a
//! `VolumeSnapshotContent` made by hand for the handle of the first, and a `VolumeSnapshot` that names it. Source and pods
//! are left out; the plain round trip has them.

use crate::model::{Kind, StepId};
use crate::roundtrip::ledger::Progress::{Done, Nothing};
use crate::roundtrip::machine::{Growth, Nature};
use crate::roundtrip::modes::{Chain, Mode, Shape};
use crate::roundtrip::program::{Act, Lies, Object, ObjectId, Policy, Program};

pub(super) static MODE: Mode = Mode {
    name: "elsewhere",
    doc: "",
    program,
    manifest: |_| None,
    chain: |_, _| CHAIN,
    passed: |_| None,
    needs: &[],
    prevented: |_, _, _| None,
    nature: NATURE,
};

const SPACE: ObjectId = ObjectId::new(0);
const OTHER_SPACE: ObjectId = ObjectId::new(1);
const SNAPSHOT: ObjectId = ObjectId::new(2);
const SECOND_CONTENT: ObjectId = ObjectId::new(3);
const SECOND_SNAPSHOT: ObjectId = ObjectId::new(4);
const RESTORED_CLAIM: ObjectId = ObjectId::new(5);
const CONTENT: ObjectId = ObjectId::new(6);
const RESTORED_VOLUME: ObjectId = ObjectId::new(7);

const CHAIN: Chain = Chain { claim: RESTORED_CLAIM, pods: Vec::new(), snapshot: Some((SNAPSHOT, CONTENT)) };

fn program(shape: Shape) -> Program {
    const CLAIM: Kind = Kind::PERSISTENT_VOLUME_CLAIM;
    const CONTENTS: Kind = Kind::VOLUME_SNAPSHOT_CONTENT;
    const THERE: Lies = Lies::In(OTHER_SPACE);
    let objects = vec![
        Object::space(SPACE, "namespace"),
        Object::space(OTHER_SPACE, "other-namespace"),
        Object::created(SNAPSHOT, "snapshot", Kind::VOLUME_SNAPSHOT, Lies::In(SPACE), &[]),
        Object::created(SECOND_CONTENT, "second-content", CONTENTS, Lies::Cluster, &[SNAPSHOT]),
        Object::created(SECOND_SNAPSHOT, "second-snapshot", Kind::VOLUME_SNAPSHOT, THERE, &[SECOND_CONTENT]),
        Object::created(RESTORED_CLAIM, "restored", CLAIM, THERE, &[SECOND_SNAPSHOT]),
        Object::derived(CONTENT, "content", CONTENTS, SNAPSHOT, Policy::Deletion),
        Object::derived(RESTORED_VOLUME, "restored-volume", Kind::PERSISTENT_VOLUME, RESTORED_CLAIM, Policy::Reclaim),
    ];
    let mut acts = Vec::new();
    if shape.own_namespace {
        acts.extend([
            (StepId::Admission, Act::AdmitShared),
            (StepId::Admission, Act::Create(SPACE)),
            (StepId::Admission, Act::Create(OTHER_SPACE)),
        ]);
    }
    acts.extend([
        (StepId::Admission, Act::Admit),
        (StepId::Snapshot, Act::Create(SNAPSHOT)),
        (StepId::Snapshot, Act::Await(SNAPSHOT, Done)),
        (StepId::Restore, Act::Create(SECOND_CONTENT)),
        (StepId::Restore, Act::Create(SECOND_SNAPSHOT)),
        (StepId::Restore, Act::Await(SECOND_SNAPSHOT, Done)),
        (StepId::Restore, Act::Create(RESTORED_CLAIM)),
        (StepId::Restore, Act::Await(RESTORED_CLAIM, Done)),
    ]);
    Program::new(objects, acts)
}

const NATURE: Nature = Nature {
    grows: &[
        Growth::new(SNAPSHOT, Nothing, Done),
        Growth::new(SECOND_SNAPSHOT, Nothing, Done),
        Growth::new(RESTORED_CLAIM, Nothing, Done),
    ],
    fed_by: &[(SECOND_SNAPSHOT, SECOND_CONTENT), (RESTORED_CLAIM, SECOND_SNAPSHOT)],
    bound_for: &[],
    used_by: &[],
    brings: &[(RESTORED_CLAIM, RESTORED_VOLUME), (SNAPSHOT, CONTENT)],
    // Its deletionPolicy is Delete.
    takes: &[(SECOND_SNAPSHOT, SECOND_CONTENT)],
    proof: &[RESTORED_CLAIM],
    outlived_by: &[
        (SECOND_SNAPSHOT, &[RESTORED_CLAIM]),
        (SECOND_CONTENT, &[RESTORED_CLAIM, SECOND_SNAPSHOT]),
        (SNAPSHOT, &[RESTORED_CLAIM, SECOND_SNAPSHOT, SECOND_CONTENT]),
    ],
    may_leave: &[],
    gone: &[],
    foreign: &[SPACE, OTHER_SPACE, SNAPSHOT, SECOND_CONTENT, SECOND_SNAPSHOT],
    trouble: (1, 2),
};
