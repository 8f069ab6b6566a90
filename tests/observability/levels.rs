//! `PUT /loglevel`: levels change for a time, and come back.
use crate::support::{ask, end, line};
use detectviz_tests::{Launch, Service, eventually};
use serde_json::Value;

fn shown(service: &Service) -> Value {
    ask(service.admin(), "GET", "/loglevel", "").json()
}

#[test]
fn a_level_holds_for_its_time_and_the_old_one_comes_back() {
    let service = Launch::conformance()
        .set("telemetry.logs.level", "warn")
        .start();
    let hello = |path: &str| assert_eq!(ask(service.http(), "GET", path, "").status, 404);
    hello("/before");
    let reply = ask(
        service.admin(),
        "PUT",
        "/loglevel?level=info&ttl=1s",
        "Content-Length: 0\r\n",
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let now = shown(&service);
    assert_eq!(
        (&now["level"], &now["base"]),
        (&"info".into(), &"warn".into()),
        "{now}"
    );
    hello("/during");
    line(&service, "the line of the request", |line| {
        line["path"] == "/during"
    });
    eventually("the old level is back", || {
        (shown(&service)["level"] == "warn").then_some(())
    });
    assert!(shown(&service).get("override").is_none());
    hello("/after");
    let lines = end(service);
    let paths: Vec<_> = lines
        .iter()
        .filter_map(|line| line["path"].as_str())
        .collect();
    assert_eq!(paths, ["/during"]);
    let told = |word: &str| {
        let mut lines = lines.iter();
        lines.any(|line| line["message"].as_str().is_some_and(|m| m.contains(word)))
    };
    assert!(told("log level"), "the change is logged: {lines:?}");
}

#[test]
fn what_is_wrong_with_a_level_is_said_and_changes_nothing() {
    let service = Launch::conformance().start();
    let put = |target: &str, body: &str| {
        let length = body.len();
        let head = format!(
            "PUT {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut connection =
            detectviz_tests::http1::Connection::open(service.admin()).expect("a connection");
        connection.send(head).expect("it reads");
        connection.reply().expect("an answer")
    };
    for (target, body) in [
        ("/loglevel", ""),
        ("/loglevel?level=loud", ""),
        ("/loglevel?level=debug&ttl=0s", ""),
        ("/loglevel?level=debug&ttl=500ms", ""),
        ("/loglevel?level=debug&ttl=2h", ""),
        ("/loglevel?level=debug&ttl=soon", ""),
        ("/loglevel", "debug"),
        ("/loglevel", r#"{"level":7}"#),
    ] {
        let reply = put(target, body);
        assert_eq!(reply.status, 400, "{target}: {}", reply.text());
        assert!(reply.is_problem(), "{target}");
    }
    let long = "x".repeat(5000);
    assert_eq!(put("/loglevel", &long).status, 413);
    assert_eq!(shown(&service)["level"], "info");
    assert_eq!(
        put("/loglevel", r#"{"level":"debug","ttl":"1h"}"#).status,
        200
    );
    assert_eq!(shown(&service)["level"], "debug");
}
