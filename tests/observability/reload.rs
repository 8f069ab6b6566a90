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

/// What `/admission` shows of the server.
fn admission(service: &Service) -> Value {
    ask(service.admin(), "GET", "/admission", "").json()["http"].clone()
}

#[test]
fn limits_follow_the_file_and_nothing_that_is_under_way_is_lost() {
    let dir = TempDir::new();
    let write = |concurrent, rate, more| {
        let admission = format!(
            "{{concurrency: {{max_concurrent: {concurrent}, queue: {{max_queue: 0}}}}, \
             rate_limits: {{api: {{rate: {rate}, key: 'header:x-key'}}{more}}}}}"
        );
        let text = format!("http: {{layers: {{admission: {admission}}}}}\n");
        dir.write("app_config.yaml", &text);
    };
    write(1, "4/h", "");
    let path = dir.path().to_str().expect("a path of text");
    let service = Launch::conformance().args(["--config", path]).start();
    let mut slow = service.connect();
    slow.send("GET /slow?ms=60000 HTTP/1.1\r\nHost: test\r\nx-key: slow\r\n\r\n")
        .expect("it reads");
    eventually("it is under way", || {
        (admission(&service)["concurrency"]["in_flight"] == 1).then_some(())
    });
    let get = |headers: &str| ask(service.http(), "GET", "/", headers);
    let refused = get("x-key: me\r\n");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );

    write(2, "8/h", "");
    eventually("the new limit applies", || {
        (admission(&service)["concurrency"]["limit"] == 2).then_some(())
    });
    let shown = admission(&service);
    assert_eq!(shown["concurrency"]["in_flight"], 1, "{shown}");
    assert_eq!(shown["rate_limits"]["api"]["burst"], 8, "{shown}");
    assert_eq!(shown["rate_limits"]["api"]["keys_in_use"], 2, "{shown}");
    // One of four is a quarter of an hour, which is two of eight; with this one, five are left.
    let taken = get("x-key: me\r\n");
    assert_eq!(taken.status, 200);
    let left = taken.header("ratelimit").expect("it is told");
    assert!(left.starts_with("\"api\";r=5;"), "{left}");

    let late = "x-key: late\r\nx-request-timeout-ms: 0\r\n";
    assert_eq!(get(late).status, 504);
    write(2, "8/h", ", web: {rate: 1/h}}, trust: none, routes: {");
    let said = line(&service, "what waits is said", |line| {
        line["live"] == "http.layers.admission.trust"
    });
    let waits = said["pending"].as_str().expect("a text");
    assert!(waits.contains("admission.rate_limits.web.rate"), "{waits}");
    assert_eq!(get(late).status, 200, "strangers are not heard");
    let shown = admission(&service);
    assert!(shown["rate_limits"].get("web").is_none(), "{shown}");

    drop(slow);
    eventually("its permit comes back", || {
        (admission(&service)["concurrency"]["in_flight"] == 0).then_some(())
    });
}
