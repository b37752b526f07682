//! Flags that choose files instead of a cluster.

use std::path::PathBuf;

use clap::Args;

use crate::cluster::ConnectionArgs;
use crate::run::failure::Failure;

/// Files instead of a cluster.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FromArgs {
    /// Look at files instead of a cluster: objects as YAML or JSON in a file, a folder, an archive (.tar, .tar.gz, .zip), or - for the
    /// standard input (repeat). Kinds that are not in them are unknown, never absent
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
}

impl FromArgs {
    /// The paths; none for a cluster.
    pub(super) fn paths(&self, connection: &ConnectionArgs) -> Result<&[PathBuf], Failure> {
        // A namespace may also choose what is shown.
        let reaches = ConnectionArgs { namespace: None, ..connection.clone() } != ConnectionArgs::default();
        if reaches && !self.from.is_empty() {
            return Err(Failure::wrong_call(
                "--from looks at files, so no flag that says how to reach a cluster goes with it",
            ));
        }
        Ok(&self.from)
    }
}
