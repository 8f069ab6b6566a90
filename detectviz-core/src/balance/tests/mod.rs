//! Behaviour of the balancer on a clock of its own.
mod ejection;
mod ewma;
mod gate;
mod limits;
mod policies;
mod shown;
mod simulation;
mod threads;
mod updates;

use super::*;
use crate::discovery::{Endpoint, EndpointSet};
use std::time::{Duration, Instant};

/// A balancer whose transport is the endpoint's number, with a clock and chance of its own.
struct Bench {
    balancer: Balancer<u16>,
    now: Instant,
    chance: fastrand::Rng,
}

impl Bench {
    fn new(config: &BalanceConfig, endpoints: u16) -> Self {
        let now = Instant::now();
        let bench = Self {
            balancer: Balancer::new("orders", config, now, |e| Some(e.port)),
            now,
            chance: fastrand::Rng::with_seed(7),
        };
        bench.tell(endpoints);
        bench
    }

    /// Endpoints of weight 1, by number.
    fn tell(&self, endpoints: u16) {
        self.tell_all((0..endpoints).map(endpoint).collect());
    }

    fn tell_all(&self, endpoints: Vec<Endpoint>) {
        let set = EndpointSet::new("orders", endpoints);
        self.balancer.update(&set, self.now);
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
    }

    fn context(&mut self) -> PickContext<'static> {
        PickContext::new(self.now, self.chance.u64(..))
    }

    fn try_pick(&mut self) -> Result<Picked<u16>, NoEndpoints> {
        let cx = self.context();
        self.balancer.pick(&cx)
    }

    fn pick(&mut self) -> Picked<u16> {
        self.try_pick().unwrap()
    }

    /// Picks until `number` is chosen; the others are ignored.
    fn pick_of(&mut self, number: u16) -> Picked<u16> {
        for _ in 0..100_000 {
            let picked = self.pick();
            if *picked.transport() == number {
                return picked;
            }
        }
        panic!("endpoint {number} is not chosen");
    }

    /// A call at `number` that ends after `took`.
    fn call(&mut self, number: u16, took: Duration, outcome: Outcome) {
        let picked = self.pick_of(number);
        self.later(took);
        picked.finish(outcome, self.now);
    }

    /// Who is chosen in `calls` calls that end at once.
    fn counts(&mut self, endpoints: u16, calls: u32) -> Vec<u32> {
        let mut counts = vec![0; usize::from(endpoints)];
        for _ in 0..calls {
            counts[usize::from(*self.pick().transport())] += 1;
        }
        counts
    }

    fn views(&self) -> Vec<EndpointView> {
        let mut views = self.balancer.handle().endpoints(self.now);
        views.sort_by_key(|view| number_of(&view.authority));
        views
    }

    fn statuses(&self) -> Vec<EndpointStatus> {
        self.views().iter().map(|view| view.status).collect()
    }

    fn ejected(&self) -> usize {
        let out = [EndpointStatus::Ejected, EndpointStatus::HalfOpen];
        self.statuses().iter().filter(|s| out.contains(s)).count()
    }
}

fn endpoint(number: u16) -> Endpoint {
    Endpoint::new("10.0.0.1", number)
}

fn number_of(authority: &str) -> u16 {
    let (_, port) = authority.rsplit_once(':').unwrap();
    port.parse().unwrap()
}

/// Endpoints of these weights, by number.
fn weighted(weights: &[u32]) -> Vec<Endpoint> {
    let weights = weights.iter().zip(0..);
    weights.map(|(&w, n)| endpoint(n).with_weight(w)).collect()
}

fn config(policy: Policy) -> BalanceConfig {
    BalanceConfig::default().policy(policy)
}

const POLICIES: [Policy; 5] = [
    Policy::P2cEwma,
    Policy::LeastRequest,
    Policy::RoundRobin,
    Policy::WeightedRandom,
    Policy::RingHash,
];
const FAILED: Outcome = Outcome::Failure(FailureKind::Answer);
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
