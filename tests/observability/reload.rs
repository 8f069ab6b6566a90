//! Files of the configuration change while the service runs.
use crate::support::{ask, line};
use detectviz_tests::{Launch, Service, eventually, foreign::TempDir};
use serde_json::Value;

fn base_level(service: &Service) -> Value {
    ask(service.admin(), "GET", "/loglevel", "").json()["base"].clone()
}

fn value(service: &Service, path: &str) -> Value {
    let all = ask(service.admin(), "GET", "/config", "").json();
    let all = all.as_array().expect("a list");
    let found = all.iter().find(|value| value["path"] == path);
    found.unwrap_or_else(|| panic!("{path}")).clone()
}

#[test]
fn live_keys_apply_others_wait_and_a_broken_file_changes_nothing() {
    let dir = TempDir::new();
    dir.write("app_config.yaml", "telemetry: {logs: {level: info}}\n");
    let path = dir.path().to_str().expect("a path of text");
    let service = Launch::conformance().args(["--config", path]).start();
    assert_eq!(base_level(&service), "info");

    dir.write("app_config.yaml", "telemetry: {logs: {level: debug}}\n");
    eventually("the new level applies", || {
        (base_level(&service) == "debug").then_some(())
    });
    let said = line(&service, "the reload is said", |line| {
        line["message"]
            .as_str()
            .is_some_and(|m| m.contains("was reloaded"))
    });
    assert_eq!(said["live"], "telemetry.logs.level", "{said}");
    assert_eq!(said["pending"], "", "{said}");
    let shown = value(&service, "telemetry.logs.level");
    assert_eq!(shown["value"], "debug");
    assert!(
        shown["origin"]
            .as_str()
            .is_some_and(|o| o.ends_with("app_config.yaml"))
    );

    for broken in [
        "telemetry: {logs: {level: loud}}\n",
        "telemetry: [\n",
        "httpp: {}\n",
    ] {
        dir.write("app_config.yaml", broken);
        let word = if broken.contains("loud") {
            "loud"
        } else if broken.contains("httpp") {
            "httpp"
        } else {
            "app_config.yaml:"
        };
        let said = line(&service, "the problem is said", |line| {
            line["level"] == "ERROR"
                && line["message"]
                    .as_str()
                    .is_some_and(|m| m.contains("last good one is kept"))
                && line["problems"].as_str().is_some_and(|p| p.contains(word))
        });
        assert_eq!(said["level"], "ERROR");
        assert_eq!(base_level(&service), "debug");
    }

    dir.write(
        "app_config.yaml",
        "telemetry: {logs: {level: debug}}\nhttp: {max_headers: 7}\n",
    );
    let said = line(&service, "what waits is said", |line| {
        line["pending"] == "http.max_headers"
    });
    assert_eq!(said["live"], "", "{said}");
    let many: String = (0..20).map(|n| format!("x-{n}: 1\r\n")).collect();
    assert_eq!(
        ask(service.http(), "GET", "/", &many).status,
        200,
        "it waits for a restart"
    );
}
