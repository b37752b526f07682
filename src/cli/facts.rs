//! Facts for commands that print one document about a cluster, and make no run.

use std::collections::BTreeSet;

use snapready_checks::model::facts::Facts;
use snapready_checks::model::need::Need;

use crate::cluster::{ConnectError, ConnectionArgs, connect, server_version};
use crate::facts::{Collection, Source};

/// Connects, and reads what is needed; with the URL of the API server. A request that is made again is no news where one table is
/// printed; `-vv` logs it.
pub(super) async fn read(arguments: &ConnectionArgs, needs: &BTreeSet<Need>) -> Result<(Facts, String), ConnectError> {
    let connection = connect(arguments).await?;
    let version = server_version(&connection).await?;
    let collection = Collection { needs, round_trip: &[], products: &[], server_version: Some(version) };
    let server = connection.server.clone();
    Ok((Source::Cluster(Box::new(connection)).read(&collection, &|_| {}).await, server))
}
