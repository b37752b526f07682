//! Flags that choose checks, and those that say what a finding means.

use clap::Args;
use snapready_checks::model::check::Check;

use crate::run::failure::Failure;
use crate::verdict::{FailOn, UnknownPolicy};

/// Which checks.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SelectArgs {
    /// Only these checks: ids, names, groups, or patterns with * (repeat, or separate with commas)
    #[arg(long, value_name = "CHECK", value_delimiter = ',', help_heading = "Checks")]
    select: Vec<String>,
    /// Without these checks
    #[arg(long, value_name = "CHECK", value_delimiter = ',', help_heading = "Checks")]
    skip: Vec<String>,
}

impl SelectArgs {
    /// The checks, in the order of the catalogue.
    pub(super) fn checks(&self) -> Result<Vec<&'static Check>, Failure> {
        snapready_checks::select(&self.select, &self.skip).map_err(Failure::wrong_call)
    }
}

/// What a finding means for the exit code.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct VerdictArgs {
    /// Which findings make the cluster not ready (exit code 1)
    #[arg(long, value_enum, default_value_t, help_heading = "Verdict")]
    pub(super) fail_on: FailOn,
    /// What a result that could not be determined counts as
    #[arg(long, value_enum, default_value_t, help_heading = "Verdict")]
    pub(super) unknown: UnknownPolicy,
}
