//! One flat event of eight fields as a JSON line, beside tracing-subscriber's JSON.
use criterion::{Criterion, criterion_group, criterion_main};
use detectviz_benches::{allocations, rounds};
use detectviz_core::{
    task::Tasks,
    telemetry::{
        context::TraceContext,
        logs::{Caller, Logs, LogsConfig, Output},
        span::Spans,
    },
};
use std::{hint::black_box, io};
use tracing::{Level, subscriber::with_default};

const TARGET: &str = "http.access";

/// Writes the line that the access log writes.
fn ours(logs: &Logs, trace: &TraceContext) {
    let message = black_box("GET /orders/{id} 200");
    logs.event(
        Level::INFO,
        TARGET,
        Caller::here(),
        Some(trace),
        message,
        |fields| {
            fields.str("method", black_box("GET"));
            fields.str("route", black_box("/orders/{id}"));
            fields.str("path", black_box("/orders/7"));
            fields.u64("status", black_box(200));
            fields.str("outcome", black_box("ok"));
            fields.f64("duration_ms", black_box(1.234));
            fields.u64("bytes_out", black_box(5));
            fields.str("peer", black_box("10.0.200.1:41820"));
        },
    );
}

fn theirs(trace_id: &str, span_id: &str) {
    tracing::info!(
        target: "http.access",
        trace_id,
        span_id,
        method = black_box("GET"),
        route = black_box("/orders/{id}"),
        path = black_box("/orders/7"),
        status = black_box(200),
        outcome = black_box("ok"),
        duration_ms = black_box(1.234),
        bytes_out = black_box(5),
        peer = black_box("10.0.200.1:41820"),
        "GET /orders/{{id}} 200"
    );
}

fn log_line(c: &mut Criterion) {
    let tasks = Tasks::new();
    let output = Output::new(io::sink());
    let logs = LogsConfig::default().build("shop", output, &tasks);
    let logs = logs.expect("the log starts");
    let trace = TraceContext::root(true);
    let pause = |_| rounds::settle(&logs, &Spans::disabled());
    let ours = || ours(&logs, &trace);
    let (trace_id, span_id) = (trace.trace_id().to_string(), trace.span_id().to_string());
    let theirs = || theirs(&trace_id, &span_id);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(io::sink)
        .finish();
    rounds::timed(100 * rounds::CALLS, pause, ours);
    pause(0);
    allocations::print("log line/ours", 256, ours);
    let mut group = c.benchmark_group("log line");
    group.bench_function("ours", |b| {
        b.iter_custom(|times| rounds::timed(times, pause, ours));
    });
    with_default(subscriber, || {
        theirs();
        allocations::print("log line/tracing-subscriber", 256, theirs);
        group.bench_function("tracing-subscriber", |b| {
            b.iter_custom(|times| rounds::timed(times, |_| {}, theirs));
        });
    });
    group.finish();
    tasks.cancel();
}

criterion_group!(benches, log_line);
criterion_main!(benches);
