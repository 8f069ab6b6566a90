//! Each runtime shows the configuration that it was given, and follows it.
use crate::host::{Host, Tenant};
use serde_json::Value;

fn value(tenant: &Tenant, path: &str) -> Value {
    let Value::Array(entries) = tenant.admin("/config").json() else {
        panic!("/config is a list");
    };
    let entry = entries.into_iter().find(|entry| entry["path"] == path);
    entry.unwrap_or_else(|| panic!("no {path}"))["value"].clone()
}

#[test]
fn each_shows_its_own_values() {
    let host = Host::new();
    let one = host.start(
        "one",
        &["http.max_body=1KiB", "service.environment=staging"],
    );
    let two = host.start("two", &["http.max_uri=100B"]);
    assert_eq!(value(&one, "http.max_body"), "1KiB");
    assert_eq!(value(&two, "http.max_body"), "2MiB");
    assert_eq!(value(&one, "service.environment"), "staging");
    assert_eq!(value(&two, "service.environment"), "");
    assert_eq!(one.admin("/version").json()["service"], "one");
    assert_eq!(two.admin("/version").json()["service"], "two");
    let shown = one.started().shared().config.current().to_json();
    assert_eq!(shown, one.admin("/config").json());
}

#[test]
fn each_follows_its_own_limits() {
    let host = Host::new();
    let one = host.start("one", &["http.max_uri=100B"]);
    let two = host.start("two", &[]);
    let long = format!("/?{}", "x".repeat(200));
    assert_eq!(one.get(&long).status, 414);
    assert_eq!(two.get(&long).status, 200);
}

#[test]
fn instances_of_one_service_differ_by_their_instance() {
    let host = Host::new();
    let (one, two) = (host.start("shop", &[]), host.start("shop", &[]));
    let instance = |tenant: &Tenant| tenant.started().shared().identity.instance.clone();
    assert_ne!(instance(&one), instance(&two));
    let runtime = |tenant: &Tenant| tenant.started().shared().telemetry.runtime();
    assert_ne!(runtime(&one), runtime(&two));
}
