//! One trace through gateway and orders: in both logs, in the exported spans, and in an exemplar.
use crate::support::{ask, end, quickstart, traceparent};
use detectviz_tests::{
    Launch, eventually,
    foreign::{Foreign, TempDir, free_ports, rotel},
    receiver::{Answer, Receiver},
};
use serde_json::Value;
use std::process::Command;

/// What matters of an exported span.
#[derive(Clone, Debug)]
struct Seen {
    service: String,
    kind: Kind,
    trace: String,
    span: String,
    parent: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Server,
    Client,
    Other,
}

fn exporting(launch: Launch, endpoint: &str, protocol: &str) -> Launch {
    launch
        .set("telemetry.otlp.enabled", true)
        .set("telemetry.otlp.endpoint", endpoint)
        .set("telemetry.otlp.protocol", protocol)
        .set("telemetry.otlp.traces.schedule_delay", "50ms")
}

/// Asks the gateway once, and follows the trace everywhere.
fn one_trace(endpoint: &str, protocol: &str, spans: impl Fn() -> Vec<Seen>) {
    let shop = exporting(quickstart(), endpoint, protocol).start();
    let (header, trace, caller) = traceparent(0xabc);
    let reply = ask(shop.http(), "GET", "/orders", &header);
    assert_eq!(reply.status, 200, "{}", reply.text());

    let of = |service: &str, kind| {
        let all = spans();
        let mut ours = all.into_iter().filter(|s| s.trace == trace);
        ours.find(|s| s.service == service && s.kind == kind)
    };
    let gateway = eventually("the gateway's span", || of("gateway", Kind::Server));
    let call = eventually("the gateway's call", || of("gateway", Kind::Client));
    let orders = eventually("the span of orders", || of("orders", Kind::Server));
    assert_eq!(gateway.parent, caller);
    assert_eq!(call.parent, gateway.span);
    assert_eq!(orders.parent, call.span);

    let accept = "Accept: application/openmetrics-text\r\n";
    let page = ask(shop.admin(), "GET", "/metrics", accept).text();
    let exemplar = format!("# {{trace_id=\"{trace}\",span_id=\"{}\"}}", gateway.span);
    let with_exemplar = page.lines().find(|line| line.contains(&exemplar));
    let with_exemplar = with_exemplar.unwrap_or_else(|| panic!("{exemplar}: {page}"));
    assert!(with_exemplar.starts_with("http_server_request_duration_seconds_bucket{"));

    let lines = end(shop);
    let logged = |service: &str, span: &str| {
        let ours = |line: &&Value| {
            line["service"] == service && line["trace_id"] == *trace && line["span_id"] == span
        };
        lines.iter().filter(ours).count()
    };
    assert_eq!(logged("gateway", &gateway.span), 1, "{lines:?}");
    assert_eq!(logged("orders", &orders.span), 1, "{lines:?}");
}

fn in_process(protocol: &str) {
    let receiver = Receiver::start(Answer::Accept);
    one_trace(&receiver.endpoint(), protocol, || {
        let all = receiver.spans().into_iter();
        all.map(|received| Seen {
            service: received.service.clone(),
            kind: match received.span.kind {
                2 => Kind::Server,
                3 => Kind::Client,
                _ => Kind::Other,
            },
            trace: received.trace_id(),
            span: received.span_id(),
            parent: received.parent_id(),
        })
        .collect()
    });
}

fn with_rotel(protocol: &str) {
    let dir = TempDir::new();
    let [grpc, http] = free_ports();
    let mut command = Command::new(rotel());
    command
        .env_clear()
        .arg("start")
        .args(["--otlp-grpc-endpoint", &grpc.to_string()])
        .args(["--otlp-http-endpoint", &http.to_string()])
        .args(["--exporter", "blackhole"])
        .args(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
        .arg("--pid-file")
        .arg(dir.path().join("pid"))
        .arg("--log-file")
        .arg(dir.path().join("log"));
    let mut rotel = Foreign::start(command, "rotel");
    rotel.listens(grpc);
    rotel.listens(http);
    let port = if protocol == "grpc" { grpc } else { http };
    one_trace(&format!("http://{port}"), protocol, || {
        printed(&rotel.said())
    });
}

/// The spans that rotel printed.
fn printed(text: &str) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    let mut service = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("-> service.name: Str(") {
            service = name.trim_end_matches(')').to_owned();
        }
        if line.starts_with("Span #") {
            all.push(Seen {
                service: service.clone(),
                kind: Kind::Other,
                trace: String::new(),
                span: String::new(),
                parent: String::new(),
            });
        }
        let (Some(seen), Some((key, value))) = (all.last_mut(), line.split_once(':')) else {
            continue;
        };
        let value = value.trim().to_owned();
        match key.trim() {
            "Trace ID" => seen.trace = value,
            "Parent ID" => seen.parent = value,
            "ID" => seen.span = value,
            "Kind" if value == "SPAN_KIND_SERVER" => seen.kind = Kind::Server,
            "Kind" if value == "SPAN_KIND_CLIENT" => seen.kind = Kind::Client,
            _ => {}
        }
    }
    all
}

#[test]
fn one_trace_goes_through_both_services_over_http() {
    in_process("http/protobuf");
}

#[test]
fn one_trace_goes_through_both_services_over_grpc() {
    in_process("grpc");
}

#[test]
fn a_real_receiver_reads_the_trace_over_http() {
    with_rotel("http/protobuf");
}

#[test]
fn a_real_receiver_reads_the_trace_over_grpc() {
    with_rotel("grpc");
}
