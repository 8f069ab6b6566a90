//! A deadline on a call that is pending once.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::{Waits, call, finish, runtime},
};
use detectviz_core::resilience::{
    timeout::{TimeoutConfig, TimeoutLayer},
    timer::Timer,
};
use http::{Request, StatusCode};
use std::{
    future::Future,
    hint::black_box,
    task::{Context, Waker},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tower::Layer;
use tower_http::timeout::TimeoutLayer as PeerLayer;
use tower_service::Service;

const LIMIT: Duration = Duration::from_secs(10);
/// Calls between two turns of a runtime.
const CALLS: u32 = 2048;
const BOUNDS: Bounds = Bounds::parts(3.5, 5.0);

pub(crate) fn rows(table: &mut Table) {
    for (name, layer) in [
        ("deadline, pending once, timeout_at", false),
        ("deadline, pending once, the layer", true),
    ] {
        if table.wants(name) {
            deadline(table, name, layer);
        }
    }
}

fn deadline(table: &mut Table, name: &str, as_layer: bool) {
    // Each has timers of its own.
    let (ours, idle, busy) = (runtime(), runtime(), runtime());
    let timer = {
        let _entered = ours.enter();
        Timer::new()
    };
    let mut service = TimeoutLayer::new(TimeoutConfig::default().limit(LIMIT))
        .with_timer(timer.clone())
        .layer(Waits);
    let contestant = Contestant::batches("detectviz", |calls| {
        let _entered = ours.enter();
        // A request has read the clock already.
        let deadline = Instant::now() + LIMIT;
        for _ in 0..calls {
            let request = black_box(Request::new(()));
            if as_layer {
                let _ = black_box(call(&mut service, request));
            } else {
                let inner = Waits.call(request);
                let _ = black_box(finish(timer.timeout_at(deadline, inner)));
            }
        }
    });
    let row = Row::new(name, contestant.pause(|| drive(&ours)).calls(CALLS));
    let row = row.over(Contestant::new("a service, pending once", || {
        let _ = black_box(call(&mut Waits, black_box(Request::new(()))));
    }));
    let theirs = |name, runtime| {
        let layer = PeerLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LIMIT);
        let mut service = layer.layer(Waits);
        let contestant = Contestant::batches(name, move |calls| {
            let runtime: &Runtime = runtime;
            let _entered = runtime.enter();
            for _ in 0..calls {
                let _ = black_box(call(&mut service, black_box(Request::new(()))));
            }
        });
        contestant.pause(|| drive(runtime)).calls(CALLS)
    };
    // Nothing wakes its driver earlier than the deadline that comes.
    let idle = theirs("tower-http's, no other timer", &idle);
    let mut earlier = {
        let _entered = busy.enter();
        Box::pin(tokio::time::sleep(LIMIT * 9 / 10))
    };
    let mut cx = Context::from_waker(Waker::noop());
    assert!(earlier.as_mut().poll(&mut cx).is_pending());
    let busy = theirs("tower-http's, an earlier timer", &busy);
    table.row(row.beside(idle, BOUNDS).beside(busy, BOUNDS));
}

/// Lets the tasks of a runtime and its timers go on.
fn drive(runtime: &Runtime) {
    runtime.block_on(tokio::task::yield_now());
}
