//! The access log's line, and a user's `tracing` event within a request, beside tracing-subscriber's JSON.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
};
use detectviz_benches::{
    lines::{Kind, Lines, user_event},
    rounds::settle,
};
use detectviz_core::{
    task::Tasks,
    telemetry::{context::TraceContext, span::Spans},
};
use std::{hint::black_box, io, time::Instant};
use tracing::{Dispatch, Span, dispatcher::with_default, info_span};

pub(crate) fn rows(table: &mut Table) {
    let (line, event) = (
        "log line, about 270 B",
        "user's event, in the request's span",
    );
    if !table.wants(line) && !table.wants(event) {
        return;
    }
    let tasks = Tasks::new();
    let lines = Lines::new(&tasks).expect("the log starts");
    let theirs = theirs();
    if table.wants(line) {
        access(table, line, &lines, &theirs);
    }
    if table.wants(event) {
        user(table, event, &lines, &theirs);
    }
    tasks.cancel();
}

fn access(table: &mut Table, name: &str, lines: &Lines, theirs: &Dispatch) {
    let trace = TraceContext::root(true);
    let (trace_id, span_id) = (trace.trace_id().to_string(), trace.span_id().to_string());
    let peer = Contestant::batches("tracing-subscriber's JSON, flat", |calls| {
        with_default(theirs, || {
            (0..calls).for_each(|_| flat(&trace_id, &span_id));
        });
    });
    let row = Row::new(
        name,
        ours("detectviz, by its template", lines, Kind::Template),
    );
    let row = row.beside(peer, Bounds::parts(12.0, 20.0));
    table.row(row.shown(ours("detectviz, without a template", lines, Kind::Event)));
}

fn user(table: &mut Table, name: &str, lines: &Lines, theirs: &Dispatch) {
    let event = Contestant::batches("detectviz", |calls| {
        lines.in_request(|| {
            let now = Instant::now();
            (0..calls).for_each(|_| lines.write(Kind::User, now));
        });
    });
    let with_span = Contestant::batches("tracing-subscriber's JSON, a new span", |calls| {
        with_default(theirs, || {
            (0..calls).for_each(|_| request_span().in_scope(user_event));
        });
    });
    let open = Contestant::batches("tracing-subscriber's JSON, open span", |calls| {
        with_default(theirs, || {
            request_span().in_scope(|| (0..calls).for_each(|_| user_event()));
        });
    });
    let row = Row::new(name, event.pause(|| flush(lines)));
    let row = row.beside(with_span, Bounds::parts(15.0, 20.0));
    table.row(row.shown(open));
    let also = Contestant::batches("detectviz, a new span of the user", |calls| {
        lines.in_request(|| {
            let now = Instant::now();
            for _ in 0..calls {
                request_span().in_scope(|| lines.write(Kind::User, now));
            }
        });
    });
    let row = Row::new(
        "user's event, in a span of the user",
        also.pause(|| flush(lines)),
    );
    let with_span = Contestant::batches("tracing-subscriber's JSON, a new span", |calls| {
        with_default(theirs, || {
            (0..calls).for_each(|_| request_span().in_scope(user_event));
        });
    });
    // The span that a user makes is the user's.
    table.row(row.allocates().shown(with_span));
}

fn ours<'a>(name: &'static str, lines: &'a Lines, kind: Kind) -> Contestant<'a> {
    let contestant = Contestant::batches(name, move |calls| {
        // A request has read the clock already, and the line is given what it read.
        let now = Instant::now();
        (0..calls).for_each(|_| lines.write(kind, now));
    });
    contestant.pause(|| flush(lines))
}

fn flush(lines: &Lines) {
    settle(lines.logs(), &Spans::disabled());
}

/// One flat event of as many fields as the access log's line has.
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
