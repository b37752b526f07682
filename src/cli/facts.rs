//! Facts for commands that print one document about a cluster, and make no run.

use std::collections::BTreeSet;

use snapready_checks::model::facts::Facts;
use snapready_checks::model::need::Need;

use crate::cli::from::FromArgs;
use crate::cluster::{ConnectionArgs, connect, server_version};
use crate::facts::{Collection, Source, files};
use crate::run::failure::Failure;
use crate::run::screens::not_read;

/// Connects, and reads what is needed; with the URL of the API server. A request that is made again is no news where one table is
/// printed; `-vv` logs it. Of files, what they hold, and no URL.
pub(super) async fn read(
    arguments: &ConnectionArgs,
    from: &FromArgs,
    needs: &BTreeSet<Need>,
) -> Result<(Facts, Option<String>), Failure> {
    let paths = from.paths(arguments)?;
    let (source, server, server_version) = if paths.is_empty() {
        let connection = connect(arguments).await?;
        let version = server_version(&connection).await?;
        let server = connection.server.clone();
        (Source::Cluster(Box::new(connection)), Some(server), Some(version))
    } else {
        let read = files::read(paths, &[]).map_err(Failure::wrong_call)?;
        not_read(&read.skipped);
        (Source::Recorded(Box::new(read.facts)), None, None)
    };
    let collection = Collection { needs, round_trip: &[], products: &[], server_version };
    Ok((source.read(&collection, &|_| {}).await, server))
}
