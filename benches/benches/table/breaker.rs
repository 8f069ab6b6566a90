//! A breaker that is closed, asked before a call that succeeds and told after it.
use crate::{
    contestant::Contestant,
    harness::{Bounds, Row, Table},
    services::{Answers, call},
    threads::{self, Caller},
};
use detectviz_core::{
    resilience::breaker::{BreakerConfig, Circuit, Outcome, WindowConfig},
    telemetry::metrics::Registry,
};
use failsafe::CircuitBreaker as _;
use recloser::Recloser;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use tower::Layer;
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

const BOUNDS: Bounds = Bounds::times(1.1, 0.8);
/// On two threads over one.
const THREADS: Bounds = Bounds::times(2.0, 1.2);
const CALLS: u32 = 100;
const TIME: Duration = Duration::from_secs(30);

pub(crate) fn rows(table: &mut Table) {
    for (name, window) in [
        (
            "breaker, closed, window of calls",
            WindowConfig::Calls(CALLS),
        ),
        ("breaker, closed, window of time", WindowConfig::Time(TIME)),
    ] {
        if table.wants(name) {
            closed(table, name, window);
        }
    }
    if table.wants("breaker, two threads over one") {
        two_threads(table);
    }
}

fn closed(table: &mut Table, name: &str, window: WindowConfig) {
    let (circuit, recloser) = (circuit(window), recloser());
    let row = Row::new(
        name,
        Contestant::batches("detectviz", |calls| {
            // A request has read the clock already.
            let now = Instant::now();
            (0..calls).for_each(|_| ours(&circuit, now));
        }),
    );
    let row = row.beside(Contestant::new("recloser", || theirs(&recloser)), BOUNDS);
    let failsafe = failsafe::Config::new().build();
    let row = row.shown(Contestant::new("failsafe", move || {
        let _ = black_box(failsafe.call(|| black_box(Ok::<_, ()>(()))));
    }));
    let builder = CircuitBreakerLayer::standard();
    let builder = match window {
        WindowConfig::Time(time) => builder
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(time),
        _ => builder.sliding_window_size(CALLS as usize),
    };
    let mut service = builder.build().expect("it is valid").layer(Answers);
    table.row(
        row.shown(Contestant::new("tower-resilience, a service", move || {
            let _ = black_box(call(&mut service, ()));
        })),
    );
}

fn two_threads(table: &mut Table) {
    let what = "breaker, two threads over one";
    for (who, window) in [
        ("detectviz, window of calls", WindowConfig::Calls(CALLS)),
        ("detectviz, window of time", WindowConfig::Time(TIME)),
    ] {
        let circuit = circuit(window);
        let caller = || {
            let now = Instant::now();
            let circuit = &circuit;
            Caller::new(move || ours(circuit, now))
        };
        table.figure((what, who), (threads::over_one(caller), "x"), Some(THREADS));
    }
    let recloser = recloser();
    let cost = threads::over_one(|| Caller::new(|| theirs(&recloser)));
    table.figure((what, "recloser"), (cost, "x"), None);
    let service = CircuitBreakerLayer::standard()
        .build()
        .expect("it is valid");
    let service = service.layer(Answers);
    let cost = threads::over_one(|| {
        let mut service = service.clone();
        Caller::new(move || {
            let _ = black_box(call(&mut service, ()));
        })
    });
    table.figure((what, "tower-resilience"), (cost, "x"), None);
}

fn circuit(window: WindowConfig) -> Circuit {
    let config = BreakerConfig::default().window(window);
    Circuit::new("orders", &config, &Registry::new())
}

fn recloser() -> Recloser {
    Recloser::custom().closed_len(CALLS as usize).build()
}

#[inline]
fn ours(circuit: &Circuit, now: Instant) {
    if let Ok(permit) = circuit.try_acquire(black_box(now)) {
        permit.record(black_box(Outcome::Success), black_box(now));
    }
}

#[inline]
fn theirs(recloser: &Recloser) {
    let _ = black_box(recloser.call(|| black_box(Ok::<_, ()>(()))));
}
