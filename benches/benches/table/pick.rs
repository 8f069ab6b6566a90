//! The choice of an endpoint among 10, 1,000 and 100,000, beside tower's balancer.
use crate::{
    contestant::{Contestant, Held},
    harness::{Bounds, Row, Table},
};
use detectviz_core::{
    balance::{BalanceConfig, Balancer, Outcome, PickContext, Policy},
    discovery::{Endpoint, EndpointSet},
};
use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tower::{
    balance::p2c::Balance,
    discover::ServiceList,
    load::{CompleteOnResponse, Constant, Load, PeakEwma},
};
use tower_service::Service;

/// An endpoint of tower's that answers at once.
#[derive(Debug)]
struct Endpoints;

pub(crate) fn rows(table: &mut Table) {
    for (name, endpoints) in [
        ("pick among 10", 10),
        ("pick among 1,000", 1000),
        ("pick among 100,000", 100_000),
    ] {
        if table.wants(name) {
            pick(table, name, endpoints);
        }
    }
    for (name, policy) in [
        ("pick among 1,000, least request", Policy::LeastRequest),
        ("pick among 1,000, round robin", Policy::RoundRobin),
        ("pick among 1,000, weighted random", Policy::WeightedRandom),
        ("pick among 1,000, ring hash", Policy::RingHash),
    ] {
        if table.wants(name) {
            let balancer = balancer(policy, 1000);
            table.row(Row::new(
                name,
                Contestant::batches("detectviz, choice and end", |calls| {
                    let now = Instant::now();
                    (0..calls).for_each(|_| end(&balancer, now));
                }),
            ));
        }
    }
}

fn pick(table: &mut Table, name: &str, endpoints: usize) {
    let balancer = balancer(Policy::P2cEwma, endpoints);
    // The choice alone: the calls end in the pauses.
    let held = RefCell::new(Held::new());
    let ours = Contestant::batches("detectviz", |calls| {
        // A request has read the clock already.
        let now = Instant::now();
        let mut held = held.borrow_mut();
        for _ in 0..calls {
            held.keep(balancer.pick(&PickContext::new(now, fastrand::u64(..))));
        }
    });
    let ours = ours.pause(|| held.borrow_mut().let_go());
    let ours = ours.calls(Held::<()>::MOST);
    let mut p2c = peer(endpoints, || Constant::new(Endpoints, 1));
    let mut ewma = peer(endpoints, || {
        let (rtt, decay) = (Duration::from_millis(5), 10e9);
        PeakEwma::new(Endpoints, rtt, decay, CompleteOnResponse::default())
    });
    let row = Row::new(name, ours)
        .beside(
            Contestant::new("tower's P2C", || call(&mut p2c)),
            Bounds::parts(6.0, 12.0),
        )
        .shown(Contestant::new("tower's P2C, PeakEwma", || call(&mut ewma)));
    table.row(row);
    let mut picker = balancer.picker();
    let row = Row::new(
        format!("{name}, and the end of the call"),
        Contestant::batches("detectviz", |calls| {
            let now = Instant::now();
            (0..calls).for_each(|_| end(&balancer, now));
        }),
    );
    table.row(row.shown(Contestant::batches(
        "detectviz, a picker of the thread",
        |calls| {
            let now = Instant::now();
            for _ in 0..calls {
                if let Ok(picked) = picker.pick(&PickContext::new(now, fastrand::u64(..))) {
                    picked.finish(Outcome::Success, now);
                }
            }
        },
    )));
}

/// Endpoints of which all is known, and none has a call.
pub(crate) fn balancer(policy: Policy, endpoints: usize) -> Balancer<usize> {
    let now = Instant::now();
    let config = BalanceConfig::default().policy(policy);
    let balancer = Balancer::new("orders", &config, now, |e| Some(usize::from(e.port)));
    let endpoint = |n| Endpoint::new(format!("10.{}.0.1", n / 50_000), (n % 50_000) as u16);
    let set = EndpointSet::new("orders", (0..endpoints).map(endpoint).collect());
    balancer.update(&set, now);
    // Enough that each has been called.
    for _ in 0..endpoints * 20 {
        let picked = balancer.pick(&PickContext::new(now, fastrand::u64(..)));
        let picked = picked.expect("all are ready");
        picked.finish(Outcome::Success, now + Duration::from_millis(5));
    }
    balancer
}

#[inline]
fn end(balancer: &Balancer<usize>, now: Instant) {
    if let Ok(picked) = balancer.pick(&PickContext::new(now, fastrand::u64(..))) {
        black_box(picked.transport());
        picked.finish(Outcome::Success, now);
    }
}

/// Tower's balancer with endpoints that are all ready.
fn peer<S>(endpoints: usize, endpoint: impl Fn() -> S) -> Balance<ServiceList<Vec<S>>, ()>
where
    S: Service<(), Error = Infallible> + Load,
    S::Metric: std::fmt::Debug,
{
    let all: Vec<S> = (0..endpoints).map(|_| endpoint()).collect();
    let mut balance = Balance::new(ServiceList::new(all));
    let mut cx = Context::from_waker(Waker::noop());
    while balance.len() < endpoints || balance.poll_ready(&mut cx).is_pending() {
        assert!(balance.poll_ready(&mut cx).is_ready());
    }
    balance
}

/// A choice and the call, as tower does them together; what the call returns is dropped at once.
fn call<S>(balance: &mut Balance<ServiceList<Vec<S>>, ()>)
where
    S: Service<(), Error = Infallible> + Load,
    S::Metric: std::fmt::Debug,
{
    let mut cx = Context::from_waker(Waker::noop());
    let ready = balance.poll_ready(&mut cx);
    black_box(ready.is_ready());
    drop(black_box(balance.call(())));
}

// === impl Endpoints ===

impl Service<()> for Endpoints {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}
