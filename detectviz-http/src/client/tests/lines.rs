//! What the log says of calls.
use super::{support::Upstream, *};
use crate::captured::Captured;
use detectviz_core::telemetry::{
    context::{Slot, TraceContext},
    logs::LogsConfig,
};
use serde_json::{Value, json};

fn captured(level: &str) -> Captured {
    let mut config = LogsConfig::default();
    config.level = level.to_owned();
    Captured::new(&config)
}

fn client(log: &Captured) -> Client {
    let builder = ClientBuilder::new(ClientConfig::default()).with_logs(log.logs.clone());
    builder.build(&Tasks::new()).unwrap()
}

/// Calls of the client alone, whatever else is logged.
fn lines(log: &Captured) -> Vec<Value> {
    let mut lines = log.lines();
    lines.retain(|line| line["target"] == "http.client");
    lines
}

async fn call(client: &Client, upstream: &Upstream, path: &str, status: &str) {
    // Not repeated, whatever the answer.
    let request = Request::post(upstream.uri(path)).header("x-want-status", status);
    let answer = client.request(request.body(Body::empty()).unwrap()).await;
    answer.unwrap().into_body().collect().await.unwrap();
}

#[tokio::test]
async fn a_call_that_ended_is_a_line_with_what_is_known_of_it() {
    let (upstream, log) = (Upstream::echo().await, captured("info,http.client=debug"));
    let client = client(&log);
    let port = upstream.addr().port();
    let slot = Slot::new(TraceContext::root(false));
    let trace = slot.context.trace_id().to_string();
    slot.scope(call(&client, &upstream, "/orders/7?token=hunter2", "200"))
        .await;
    call(&client, &upstream, "/", "503").await;
    drop(client.get(upstream.uri("/")));
    let refused = client.get("http://127.0.0.1:1/".parse().unwrap()).await;
    assert!(refused.is_err());
    let lines = lines(&log);
    let here = format!("127.0.0.1:{port}");
    let expected = [
        (
            "DEBUG",
            format!("POST {here} 200"),
            Value::Null,
            json!("/orders/7"),
        ),
        ("INFO", format!("POST {here} 503"), json!("503"), json!("/")),
        (
            "DEBUG",
            format!("GET {here}"),
            json!("cancelled"),
            json!("/"),
        ),
        (
            "INFO",
            "GET 127.0.0.1:1".to_owned(),
            json!("connect_failed"),
            json!("/"),
        ),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (level, message, error, path)) in lines.iter().zip(expected) {
        assert_eq!(line["level"], level, "{line}");
        assert_eq!(line["message"], message, "{line}");
        assert_eq!(line["error"], error, "{line}");
        assert_eq!(line["path"], path, "{line}");
        assert!(line["duration_ms"].is_number() && line["attempts"].is_u64());
    }
    assert_eq!(lines[0]["trace_id"], trace);
    assert_eq!(lines[0]["attempts"], 1);
    assert_eq!(lines[0]["status"], 200);
    assert!(!lines[0].to_string().contains("hunter2"), "no query");
}

#[tokio::test]
async fn only_failures_are_logged_unless_more_is_asked_for() {
    let upstream = Upstream::echo().await;
    for (level, expected) in [
        ("info", &["429", "500"][..]),
        ("info,http.client=off", &[]),
        ("error", &[]),
        ("info,http.client=debug", &["200", "404", "429", "500"]),
    ] {
        let log = captured(level);
        let client = client(&log);
        for status in ["200", "404", "429", "500"] {
            call(&client, &upstream, "/", status).await;
        }
        let told = lines(&log)
            .into_iter()
            .map(|line| line["status"].to_string());
        assert_eq!(told.collect::<Vec<_>>(), expected, "{level}");
    }
}
