//! The claims that pods mount.

use super::*;

#[tokio::test]
async fn the_claims_of_all_pods_are_kept_and_the_pods_are_not() {
    let pod = |name: &str, namespace: &str, claim: &str| {
        json!({"metadata": {"name": name, "namespace": namespace}, "status": {"phase": "Running"},
            "spec": {"containers": [{"name": "c", "image": "nginx"}],
                "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": claim}}]}})
    };
    let server = Server::default();
    let connection = server.connection(move |asked, _| {
        let pods = json!([pod("b", "shop", "db"), pod("a", "shop", "db"), pod("c", "blog", "files")]);
        (asked.path == "/api/v1/pods").then(|| list_of("Pod", &pods))
    });
    let facts = look(&connection, &[Need::Pods, Need::MountedClaims]).await;
    assert_eq!(facts.pods.seen().unwrap().len(), 0);
    let claims: Vec<(&str, &str)> = facts
        .mounted_claims
        .seen()
        .unwrap()
        .iter()
        .map(|claim| (claim.namespace.as_str(), claim.name.as_str()))
        .collect();
    assert_eq!(claims, [("blog", "files"), ("shop", "db")]);
    assert_eq!(server.asked().len(), 1, "one list for both");
}
