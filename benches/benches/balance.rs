//! The choice of an endpoint among 10, 1,000 and 100,000, beside tower's balancer.
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use detectviz_benches::allocations;
use detectviz_core::{
    balance::{BalanceConfig, Balancer, Outcome, PickContext, Policy},
    discovery::{Endpoint, EndpointSet},
};
use std::{
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

const ENDPOINTS: [usize; 3] = [10, 1_000, 100_000];
const POLICIES: [Policy; 4] = [
    Policy::LeastRequest,
    Policy::RoundRobin,
    Policy::WeightedRandom,
    Policy::RingHash,
];

/// An endpoint of tower's that answers at once.
#[derive(Debug)]
struct Answers;

impl Service<()> for Answers {
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

/// Endpoints of which all is known, and none has a call.
fn ours(policy: Policy, endpoints: usize) -> Balancer<usize> {
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

/// The choice alone: the calls end outside the measured time, a few at a time.
fn chosen<P>(times: u64, mut pick: impl FnMut() -> P) -> Duration {
    let mut took = Duration::ZERO;
    let mut held = Vec::with_capacity(64);
    let mut left = times;
    while left > 0 {
        let calls = left.min(64);
        left -= calls;
        let start = Instant::now();
        for _ in 0..calls {
            held.push(pick());
        }
        took += start.elapsed();
        held.clear();
    }
    took
}

fn pick(c: &mut Criterion) {
    for endpoints in ENDPOINTS {
        let balancer = ours(Policy::P2cEwma, endpoints);
        let mut picker = balancer.picker();
        // A request has read the clock already.
        let now = Instant::now();
        let context = || PickContext::new(now, fastrand::u64(..));
        let name = format!("pick, {endpoints} endpoints");
        allocations::print(&format!("{name}/ours"), 10_000, || {
            if let Ok(picked) = balancer.pick(&context()) {
                picked.finish(Outcome::Success, now);
            }
        });
        let mut p2c = peer(endpoints, || Constant::new(Answers, 1));
        let mut peak_ewma = peer(endpoints, || {
            let (rtt, decay) = (Duration::from_millis(5), 10e9);
            PeakEwma::new(Answers, rtt, decay, CompleteOnResponse::default())
        });
        allocations::print(&format!("{name}/tower p2c"), 10_000, || call(&mut p2c));

        let mut group = c.benchmark_group(name);
        group.bench_function("ours, choice", |b| {
            b.iter_custom(|times| chosen(times, || balancer.pick(&context())));
        });
        group.bench_function("ours, choice by a picker", |b| {
            b.iter_custom(|times| chosen(times, || picker.pick(&context())));
        });
        group.bench_function("ours, choice and end", |b| {
            b.iter(|| {
                if let Ok(picked) = balancer.pick(&context()) {
                    black_box(picked.transport());
                    picked.finish(Outcome::Success, now);
                }
            });
        });
        group.bench_function("ours, choice by a picker and end", |b| {
            b.iter(|| {
                if let Ok(picked) = picker.pick(&context()) {
                    black_box(picked.transport());
                    picked.finish(Outcome::Success, now);
                }
            });
        });
        group.bench_function("tower p2c", |b| b.iter(|| call(&mut p2c)));
        group.bench_function("tower p2c, PeakEwma", |b| b.iter(|| call(&mut peak_ewma)));
        group.finish();
    }
}

fn policies(c: &mut Criterion) {
    let mut group = c.benchmark_group("choice and end, by policy");
    for policy in POLICIES {
        for endpoints in ENDPOINTS {
            let balancer = ours(policy, endpoints);
            let now = Instant::now();
            let id = BenchmarkId::new(format!("{policy:?}"), endpoints);
            group.bench_function(id, |b| {
                b.iter(|| {
                    let picked = balancer.pick(&PickContext::new(now, fastrand::u64(..)));
                    if let Ok(picked) = picked {
                        picked.finish(Outcome::Success, now);
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, pick, policies);
criterion_main!(benches);
