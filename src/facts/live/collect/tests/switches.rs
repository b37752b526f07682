//! The switches of drivers.

use super::*;

const PLACE: &str = "/api/v1/namespaces/vmware-system-csi/configmaps/features";

/// The switch of a vSphere driver in a cluster whose API server answers so about the `ConfigMap`; and what was asked.
async fn look_with(answer: Answer) -> (Facts, Vec<Asked>) {
    let server = Server::default();
    let connection = server.connection(move |asked, _| match asked.path.as_str() {
        "/api/v1/pods" => Some(list_of(
            "Pod",
            &json!([{"metadata": {"name": "c", "namespace": "vmware-system-csi"}, "spec": {"containers": [
                {"name": "vsphere-csi-controller", "image": "registry.k8s.io/csi-vsphere/driver:v3.3.1",
                    "args": ["--fss-name=features", "--fss-namespace=$(CSI_NAMESPACE)"]},
                {"name": "csi-snapshotter", "image": "registry.k8s.io/sig-storage/csi-snapshotter:v8.2.0"}]}}]),
        )),
        PLACE => Some(answer.clone()),
        _ => None,
    });
    (look(&connection, &[Need::Pods, Need::DriverSwitches]).await, server.asked())
}

#[tokio::test]
async fn one_value_of_the_config_map_is_kept() {
    let config = json!({"data": {"block-volume-snapshot": "false", "other": "s3cret"}}).to_string().into_bytes();
    let (facts, asked) = look_with((200, config, None)).await;
    let [switch] = facts.driver_switches.seen().unwrap().as_slice() else { panic!("one switch") };
    assert_eq!(switch.value, Probe::from(Some("false".to_owned())));
    assert!(!serde_json::to_string(&facts).unwrap().contains("s3cret"));
    assert_eq!(asked.iter().filter(|question| question.path == PLACE).count(), 1);
}

#[tokio::test]
async fn without_the_right_it_is_not_known_and_without_the_config_map_not_set() {
    let (facts, _) = look_with(status(403, "no")).await;
    assert!(matches!(facts.driver_switches.seen().unwrap()[0].value, Probe::Forbidden { .. }));
    let (facts, _) = look_with(status(404, "no")).await;
    assert_eq!(facts.driver_switches.seen().unwrap()[0].value, Probe::from(None));
}
