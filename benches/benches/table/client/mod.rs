//! The whole client stack, over a service instead of connections, and over a connection.
mod theirs;
mod wire;

use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::runtime,
};
use detectviz_benches::{
    client::Stack,
    request::{answer, request},
    rounds::settle,
    subject::Handler,
    usual,
};
use detectviz_core::{
    task::Tasks,
    telemetry::{context::Slot, context::TraceContext, span::Spans},
};
use std::{hint::black_box, io, time::Instant};
use tracing::dispatcher::with_default;

pub(crate) fn rows(table: &mut Table) {
    let name = "client stack, 100 endpoints";
    if table.wants(name) {
        over_a_service(table, name);
    }
    if table.wants(wire::NAME) {
        wire::row(table);
    }
}

/// What the client does to a call, in its order, of the same parts: the client owns its connections, so that nothing can be
/// put below it.
fn over_a_service(table: &mut Table, name: &str) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let tasks = Tasks::new();
    let mut ours = Stack::new(Handler, &tasks).expect("it starts");
    let logs = ours.logs().clone();
    let request = request(false);
    let slot = Slot::started_at(TraceContext::root(false), Instant::now());
    let contestant = Contestant::batches("detectviz, core's parts in its order", |calls| {
        slot.clone().sync_scope(|| {
            for _ in 0..calls {
                black_box(ours.answer(request.clone()));
            }
        });
    });
    let spans = Spans::disabled();
    let contestant = contestant.pause(|| {
        settle(&logs, &spans);
        runtime.block_on(tokio::task::yield_now());
    });
    let mut bare = Handler;
    let base = Contestant::new("bare service", || {
        black_box(answer(&mut bare, request.clone()));
    });
    let dispatch = usual::dispatch(true, io::sink);
    let mut with_log = theirs::with_log(Handler);
    let with_log = Contestant::batches("tower: JSON, retry, breaker, limit, timeout", |calls| {
        with_default(&dispatch, || {
            for _ in 0..calls {
                black_box(answer(&mut with_log, request.clone()));
            }
        });
    });
    let mut silent = theirs::without_observability(Handler);
    let silent = Contestant::new("tower-resilience, five layers, silent", || {
        black_box(answer(&mut silent, request.clone()));
    });
    let drive = || runtime.block_on(tokio::task::yield_now());
    let row = Row::new(name, contestant).over(base);
    let row = row.beside(with_log.pause(drive), Bounds::parts(12.0, 20.0));
    table.row(row.beside(silent.pause(drive), Bounds::most(1.0 / 3.5)));
    tasks.cancel();
}
