//! The access log's line, with a template and without, and a user's `tracing` event within a request, beside
//! tracing-subscriber's JSON: a flat event, and an event with the span that stands for the request there.
use criterion::{Criterion, criterion_group, criterion_main};
use detectviz_benches::{
    allocations,
    lines::{Kind, Lines, user_event},
    rounds,
};
use detectviz_core::{
    task::Tasks,
    telemetry::{context::TraceContext, span::Spans},
};
use rustix::time::{ClockId, clock_gettime};
use std::{
    hint::black_box,
    io,
    time::{Duration, Instant},
};
use tracing::{Dispatch, Span, dispatcher, info_span};

/// One flat event of as many fields.
fn flat(trace_id: &str, span_id: &str) {
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
        bytes_in = black_box(0),
        bytes_out = black_box(5),
        peer = black_box("10.0.200.1:41820"),
        protocol = black_box("HTTP/1.1"),
        user_agent = black_box("curl/8.5.0"),
        "GET /orders/{{id}} 200"
    );
}

/// A span of four fields, which stands for the request at tracing-subscriber's.
fn request_span() -> Span {
    info_span!(
        "request",
        method = black_box("GET"),
        path = black_box("/orders/7"),
        user = black_box("ann"),
        tenant = black_box(7)
    )
}

fn theirs() -> Dispatch {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true);
    Dispatch::new(subscriber.with_writer(io::sink).finish())
}

fn log_line(c: &mut Criterion) {
    let tasks = Tasks::new();
    let lines = Lines::new(&tasks).expect("the log starts");
    let trace = TraceContext::root(true);
    let (trace_id, span_id) = (trace.trace_id().to_string(), trace.span_id().to_string());
    let theirs = theirs();
    let flat = || flat(&trace_id, &span_id);

    let mut group = c.benchmark_group("access line");
    for kind in [Kind::Template, Kind::Event] {
        let write = |at| lines.write(kind, at);
        ours(&mut group, &lines, &format!("ours, {}", kind.name()), write);
    }
    dispatcher::with_default(&theirs, || {
        peer(&mut group, "tracing-subscriber, flat", flat)
    });
    group.finish();

    let mut group = c.benchmark_group("user event");
    lines.in_request(|| {
        let write = |at| lines.write(Kind::User, at);
        ours(&mut group, &lines, "ours, in a request", write);
        request_span().in_scope(|| {
            ours(&mut group, &lines, "ours, in a span in a request", write);
        });
        let with_span = |at| request_span().in_scope(|| lines.write(Kind::User, at));
        ours(&mut group, &lines, "ours, with a new span", with_span);
    });
    dispatcher::with_default(&theirs, || {
        let with_span = || request_span().in_scope(user_event);
        peer(&mut group, "tracing-subscriber, with its span", with_span);
        request_span().in_scope(|| {
            peer(
                &mut group,
                "tracing-subscriber, in an open span",
                user_event,
            );
        });
    });
    group.finish();
    tasks.cancel();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn ours(group: &mut Group<'_>, lines: &Lines, name: &str, write: impl Fn(Instant)) {
    let pause = || rounds::settle(lines.logs(), &Spans::disabled());
    // A request has read the clock already, and the line is given what it read.
    let now = Instant::now();
    timed(100 * rounds::CALLS, pause, || write(now));
    pause();
    allocations::print(name, 256, || write(now));
    group.bench_function(name, |b| {
        let now = Instant::now();
        b.iter_custom(|times| timed(times, pause, || write(now)));
    });
}

fn peer(group: &mut Group<'_>, name: &str, write: impl Fn()) {
    write();
    allocations::print(name, 256, &write);
    group.bench_function(name, |b| {
        b.iter_custom(|times| timed(times, || {}, &write));
    });
}

/// How long `times` calls of `work` keep the thread busy, with a pause between rounds of [`rounds::CALLS`]. Another process
/// that takes the processor meanwhile does not count: after a pause it is less likely to, which would favour ours.
fn timed(times: u64, pause: impl Fn(), work: impl Fn()) -> Duration {
    let mut took = Duration::ZERO;
    let mut left = times;
    while left > 0 {
        let calls = left.min(rounds::CALLS);
        left -= calls;
        pause();
        let start = thread_time();
        for _ in 0..calls {
            work();
        }
        took += thread_time().saturating_sub(start);
    }
    took
}

/// How long this thread has been on a processor.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

criterion_group!(benches, log_line);
criterion_main!(benches);
