//! The whole server stack, beside the stack that people put together of tower-http's layers; around a handler, and around axum.
mod in_flight;
mod shared;

use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::runtime,
};
use axum::{Router, routing::get};
use bytes::Bytes;
use detectviz_benches::{
    request::{answer, request},
    rounds::settle,
    subject::{Handler, Subject, Variant},
    usual,
};
use detectviz_core::task::Tasks;
use http::Request;
use http_body_util::Empty;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{cell::RefCell, fmt, hint::black_box, io};
use tokio::runtime::Runtime;
use tower_service::Service;
use tracing::dispatcher::with_default;

const ROWS: [&str; 6] = [
    "server stack, JSON line",
    "server stack, JSON line, sampled",
    "server stack, no line",
    "server stack around axum",
    "server stack, two threads over one",
    "in flight, server stack",
];
const BOUNDS: Bounds = Bounds::parts(20.0, 40.0);

pub(crate) fn rows(table: &mut Table) {
    if !ROWS.iter().any(|name| table.wants(name)) {
        return;
    }
    let runtime = runtime();
    let _entered = runtime.enter();
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::set_global_recorder(recorder).expect("there is no other");
    let tasks = Tasks::new();
    for (name, variant) in [
        (ROWS[0], Variant::Logged),
        (ROWS[1], Variant::Sampled),
        (ROWS[2], Variant::Quiet),
    ] {
        if table.wants(name) {
            around_a_handler(table, name, variant, &runtime, &tasks);
        }
    }
    if table.wants(ROWS[3]) {
        around_axum(table, &runtime, &tasks);
    }
    if table.wants(ROWS[4]) {
        shared::rows(table, &runtime, &tasks);
    }
    if table.wants(ROWS[5]) {
        in_flight::rows(table, &tasks);
    }
    tasks.cancel();
}

fn around_a_handler(
    table: &mut Table,
    name: &str,
    variant: Variant,
    runtime: &Runtime,
    tasks: &Tasks,
) {
    let ours = RefCell::new(Subject::new(variant, tasks).expect("it starts"));
    let bare = RefCell::new(Subject::new(Variant::Bare, tasks).expect("it starts"));
    let call = |subject: &RefCell<Subject>| {
        let mut subject = subject.borrow_mut();
        let request = subject.request();
        black_box(subject.answer(request));
    };
    let contestant = Contestant::new("detectviz", || call(&ours)).pause(|| {
        let ours = ours.borrow();
        settle(ours.logs(), ours.spans());
        drive(runtime);
    });
    let row = Row::new(name, contestant);
    let row = row.over(Contestant::new("bare handler", || call(&bare)));
    let request = request(variant == Variant::Sampled);
    let logged = variant != Variant::Quiet;
    let peer = peer(
        "tower-http, metrics",
        usual::stack(Handler),
        &request,
        logged,
    );
    table.row(row.beside(peer.pause(|| drive(runtime)), BOUNDS));
}

/// What axum allocates is not ours: it is taken off, and its line says how much that is.
fn around_axum(table: &mut Table, runtime: &Runtime, tasks: &Tasks) {
    let subject = Subject::new(Variant::Logged, tasks).expect("it starts");
    let stack = subject.stack().expect("it is no bare handler");
    let app: Router = Router::new().route("/orders/{id}", get(|| async { "hello" }));
    let request = request(false);
    let mut ours = stack.service(app.clone());
    let contestant = Contestant::new("detectviz", || {
        let _entered = subject.conn().enter();
        black_box(answer(&mut ours, request.clone()));
    });
    let contestant = contestant.pause(|| {
        settle(subject.logs(), subject.spans());
        drive(runtime);
    });
    let mut bare = app.clone();
    let base = Contestant::new("axum's Router alone", || {
        black_box(answer(&mut bare, request.clone()));
    });
    let peer = peer("tower-http, metrics", usual::stack(app), &request, true);
    let row = Row::new(ROWS[3], contestant).over(base);
    table.row(row.beside(peer.pause(|| drive(runtime)), BOUNDS));
}

fn peer<'a, S, B>(
    name: &'static str,
    mut service: S,
    request: &'a Request<Empty<Bytes>>,
    logged: bool,
) -> Contestant<'a>
where
    S: Service<Request<Empty<Bytes>>, Response = http::Response<B>, Error: fmt::Debug> + 'a,
    B: http_body::Body<Error: fmt::Debug>,
{
    let dispatch = usual::dispatch(logged, io::sink);
    Contestant::batches(name, move |calls| {
        with_default(&dispatch, || {
            for _ in 0..calls {
                black_box(answer(&mut service, request.clone()));
            }
        });
    })
}

/// Lets the tasks of a runtime and its timers go on.
fn drive(runtime: &Runtime) {
    runtime.block_on(tokio::task::yield_now());
}
