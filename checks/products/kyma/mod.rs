//! The `CronJob` snapshotter of Kyma and Gardener.

use jiff::SignedDuration;

use crate::model::facts::Facts;
use crate::model::products::ProductKind;
use crate::products::product::{Answer, Classes, Patience, Product, Question, Remedy};
use crate::products::rehearsal;
use crate::products::rules::own_or_default;

/// The `CronJob` snapshotter of Kyma and Gardener.
pub const PRODUCT: Product = Product {
    word: "kyma",
    name: "Kyma and Gardener CronJob",
    source: "kyma-project/kyma documentation, volume snapshotter",
    images: &["volume-snapshotter"],
    classes: Classes::Chosen { by: choose, remedy: Remedy::Default },
    expires: true,
    patience: Some(patience),
    restore_patience: None,
    rehearsals: rehearsal::SCHEDULED,
    kinds: &[&CRON_JOB],
};

/// Where the account of its pods stands.
pub const ACCOUNT: &str = "spec.jobTemplate.spec.template.spec.serviceAccountName";
/// Where the commands of its containers stand.
pub const COMMAND: &str = "spec.jobTemplate.spec.template.spec.containers.*.command.*";
/// Where their arguments stand.
pub const ARGUMENTS: &str = "spec.jobTemplate.spec.template.spec.containers.*.args.*";

/// The jobs that take snapshots by a script.
pub const CRON_JOB: ProductKind = ProductKind {
    only_with: &["volumesnapshot", "VolumeSnapshot", "volume-snapshotter"],
    ..ProductKind::new("batch", &["v1"], "CronJob", "cronjobs", &["spec.suspend", ACCOUNT, COMMAND, ARGUMENTS])
};

fn choose(question: &Question<'_>) -> Answer {
    own_or_default(question, "volumeSnapshotClassName in the script")
}

/// The script of the documentation looks three times, 30 seconds apart.
fn patience(_: &Facts) -> Patience {
    Patience { limit: SignedDuration::from_secs(90), set_by: "the script, which looks three times, 30 seconds apart" }
}
