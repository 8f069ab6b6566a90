//! A place that is taken and given back, and a call that is refused.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::{Answers, call},
};
use detectviz_core::resilience::bulkhead::{Admission, Bulkhead, BulkheadConfig, Priority};
use std::{
    convert::Infallible,
    future::{Pending, pending},
    hint::black_box,
    task::{Context, Poll, Waker},
    time::Instant,
};
use tower::Layer;
use tower::{limit::ConcurrencyLimit, load_shed::LoadShed};
use tower_resilience::bulkhead::BulkheadLayer;
use tower_service::Service;

pub(crate) fn rows(table: &mut Table) {
    if table.wants("bulkhead, take and give") {
        taken(table);
    }
    if table.wants("bulkhead, refusal") {
        refused(table);
    }
}

fn taken(table: &mut Table) {
    let bulkhead = Bulkhead::new(&BulkheadConfig::default());
    let ours = Contestant::batches("detectviz", |calls| {
        let now = Instant::now();
        for _ in 0..calls {
            let admitted = bulkhead.admit_ref(black_box(Priority::Normal), black_box(now));
            drop(black_box(admitted));
        }
    });
    let mut limit = ConcurrencyLimit::new(Answers, 1024);
    let theirs = Contestant::new("tower's limit, a service", move || {
        let _ = black_box(call(&mut limit, ()));
    });
    let mut other = BulkheadLayer::builder()
        .max_concurrent_calls(1024)
        .build()
        .expect("it is valid")
        .layer(Answers);
    let row = Row::new("bulkhead, take and give", ours);
    let row = row.beside(theirs, Bounds::most(1.0 / 2.0));
    table.row(
        row.shown(Contestant::new("tower-resilience, a service", move || {
            let _ = black_box(call(&mut other, ()));
        })),
    );
}

fn refused(table: &mut Table) {
    let config = BulkheadConfig::default().max_concurrent(1).max_queue(0);
    let bulkhead = Bulkhead::new(&config);
    let _running = bulkhead.try_acquire().expect("nothing runs yet");
    let ours = Contestant::batches("detectviz", |calls| {
        let now = Instant::now();
        for _ in 0..calls {
            let refused = bulkhead.admit_ref(black_box(Priority::Normal), black_box(now));
            assert!(matches!(black_box(refused), Admission::Refused(_)));
        }
    });
    let mut limit = ConcurrencyLimit::new(Forever, 1);
    let mut shed = LoadShed::new(limit.clone());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Service::<()>::poll_ready(&mut limit, &mut cx).is_ready());
    let _also_running = limit.call(());
    // A service that has been refused once waits in the queue of its limit; a stack that is cloned for each request, as axum
    // does it, queues and leaves each time.
    let cloned = shed.clone();
    let theirs = Contestant::new("tower's load shed, cloned per call", move || {
        assert!(black_box(call(&mut cloned.clone(), ())).is_err());
    });
    let kept = Contestant::new("tower's load shed, one that waits already", move || {
        assert!(black_box(call(&mut shed, ())).is_err());
    });
    // tower-resilience's refusal is a timer of no time, which passes a millisecond later: CPU time does not show that.
    let row = Row::new("bulkhead, refusal", ours);
    let row = row.beside(theirs, Bounds::most(1.0 / 4.0));
    table.row(row.shown(kept));
}

/// Never answers.
#[derive(Clone, Copy, Debug)]
struct Forever;

impl Service<()> for Forever {
    type Response = ();
    type Error = Infallible;
    type Future = Pending<Result<(), Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        pending()
    }
}
