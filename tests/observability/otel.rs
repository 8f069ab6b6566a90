//! The `OTEL_*` variables reach a process through its configuration, and through nothing else.
use crate::support::{ask, end, line};
use detectviz_tests::{
    Launch, eventually,
    receiver::{Answer, Receiver},
};

#[test]
fn otel_variables_configure_a_process() {
    let receiver = Receiver::start(Answer::Accept);
    let service = Launch::conformance()
        // A file says that nothing is exported: the variables lie over it.
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seven")
        .env("OTEL_SERVICE_NAME", "renamed")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=blue,service.version=9")
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "100")
        .env("OTEL_PROPAGATORS", "b3")
        .start();
    let b3 = "b3: 0000000000000000000000000000beef-00000000000000aa-1\r\ntraceparent: 00-00000000000000000000000000000bad-0000000000000bad-01\r\n";
    assert_eq!(ask(service.http(), "GET", "/", b3).status, 200);
    let span = eventually("the span", || receiver.spans().pop());
    assert_eq!(span.service, "renamed");
    assert_eq!(span.trace_id(), "0000000000000000000000000000beef");
    assert_eq!(span.parent_id(), "00000000000000aa");
    for (key, value) in [("team", "blue"), ("service.version", "9")] {
        let found = span.resource.iter().find(|(k, _)| k == key);
        assert_eq!(found.map(|(_, v)| v.as_str()), Some(value), "{key}");
    }
    let headers = receiver.headers();
    assert!(headers.iter().all(|headers| headers["x-tenant"] == "seven"));
    eventually("the metrics", || {
        receiver
            .metrics()
            .contains(&"http.server.request.duration".to_owned())
            .then_some(())
    });
    line(&service, "a line under the new name", |line| {
        line["service"] == "renamed"
    });

    // What goes out uses the same formats.
    let echo = service.http();
    let calls = format!(r#"[{{"url":"http://{echo}/","arguments":{{}}}}]"#);
    let mut connection = service.connect();
    let reply = connection.post(
        "/test",
        "b3: 0000000000000000000000000000cafe-00000000000000bb-1\r\n",
        &calls,
    );
    assert_eq!(reply.expect("an answer").status, 200);
    let called = eventually("the called server's span", || {
        let mut all = receiver.spans().into_iter();
        all.find(|s| s.trace_id().ends_with("cafe") && s.span.kind == 2 && s.span.name == "POST /")
    });
    assert_ne!(called.parent_id(), "");
    end(service);
}

#[test]
fn the_report_names_the_variable_and_hides_the_header() {
    let report = Launch::conformance()
        .env("OTEL_SERVICE_NAME", "renamed")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2")
        .args(["--config-report"])
        .run();
    let named = |line: &&str| line.starts_with("service.name ");
    let line = report.stdout.lines().find(named).expect("the key is there");
    assert!(
        line.contains("\"renamed\"") && line.contains("OTEL_SERVICE_NAME"),
        "{line}"
    );
    assert!(!report.stdout.contains("hunter2"));
}

#[test]
fn malformed_otel_variables_are_all_named_and_nothing_is_bound() {
    let ended = Launch::conformance()
        .env("OTEL_BSP_SCHEDULE_DELAY", "soon")
        .env("OTEL_PROPAGATORS", "pigeon")
        .env("OTEL_SDK_DISABLED", "perhaps")
        .run();
    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    for variable in [
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_PROPAGATORS",
        "OTEL_SDK_DISABLED",
    ] {
        assert!(ended.stderr.contains(variable), "{}", ended.stderr);
    }
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_disabled_sdk_exports_nothing() {
    let receiver = Receiver::start(Answer::Accept);
    let service = Launch::conformance()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint())
        .env("OTEL_BSP_SCHEDULE_DELAY", "10")
        .env("OTEL_SDK_DISABLED", "true")
        .start();
    assert_eq!(ask(service.http(), "GET", "/", "").status, 200);
    let lines = end(service);
    assert!(lines.iter().any(|line| line["target"] == "http.access"));
    assert_eq!(receiver.requests(), 0);
}
