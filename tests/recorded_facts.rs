//! The same facts, the same results: read from a cluster, or written down and read again.

use std::collections::BTreeSet;

use snapready::cluster::Connection;
use snapready::evaluate::evaluate;
use snapready::facts::{Collection, Source};
use snapready::roundtrip::rights;
use snapready_checks::catalogue;
use snapready_checks::model::need::Need;
use snapready_checks::model::recorded;
use snapready_sim::{scenario, start};

#[tokio::test]
async fn recorded_facts_give_the_same_results_as_the_cluster() {
    let needs = BTreeSet::from(Need::ALL);
    let round_trip = rights::reviewed(&[], "snapready-000000", true);
    let collection = Collection { needs: &needs, round_trip: &round_trip, products: &[], server_version: None };
    for scenario in scenario::all() {
        let cluster = start(scenario).await.unwrap();
        let source = Source::Cluster(Box::new(Connection::to_url(&cluster.url()).unwrap()));
        let live = source.read(&collection, &|_| {}).await;
        let written = recorded::write(&live).unwrap();
        let source = Source::Recorded(Box::new(recorded::read(&written).unwrap()));
        let offline = source.read(&collection, &|_| {}).await;
        assert_eq!(evaluate(&offline, &catalogue()), evaluate(&live, &catalogue()), "{}", scenario.name);
        // What nobody wrote down is not known, and so never a pass.
        let some = source.read(&Collection { needs: &BTreeSet::new(), ..collection.clone() }, &|_| {}).await;
        assert!(Need::ALL.iter().all(|need| some.missing(*need).is_some()));
    }
}
