//! Many calls at once, in virtual time.
use super::*;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Calls arrive at random at a constant rate, and end when the endpoint has answered.
struct Simulation {
    bench: Bench,
    rate: f64,
    /// What a call at an endpoint takes, and whether it works.
    answer: fn(u16) -> (Duration, Outcome),
    /// When the calls in flight end, and which they are.
    ends: BinaryHeap<Reverse<(Instant, usize)>>,
    in_flight: Vec<Option<(Picked<u16>, Outcome)>>,
    next_tick: Instant,
    counts: Vec<u32>,
}

impl Simulation {
    fn new(
        config: &BalanceConfig,
        endpoints: u16,
        rate: f64,
        answer: fn(u16) -> (Duration, Outcome),
    ) -> Self {
        let bench = Bench::new(config, endpoints);
        Self {
            next_tick: bench.now,
            bench,
            rate,
            answer,
            ends: BinaryHeap::new(),
            in_flight: Vec::new(),
            counts: vec![0; 1000],
        }
    }

    /// Lets so many calls arrive, and counts them from 0.
    fn run(&mut self, calls: u32) {
        self.counts.fill(0);
        for _ in 0..calls {
            let gap = -self.bench.chance.f64().max(1e-12).ln() / self.rate;
            let arrival = self.bench.now + Duration::from_secs_f64(gap);
            self.until(arrival);
            let picked = self.bench.pick();
            let number = *picked.transport();
            self.counts[usize::from(number)] += 1;
            let (took, outcome) = (self.answer)(number);
            // Half to one and a half of it.
            let took = took.mul_f64(0.5 + self.bench.chance.f64());
            self.ends
                .push(Reverse((arrival + took, self.in_flight.len())));
            self.in_flight.push(Some((picked, outcome)));
        }
    }

    fn until(&mut self, moment: Instant) {
        while let Some(&Reverse((end, call))) = self.ends.peek() {
            if end > moment {
                break;
            }
            self.ends.pop();
            let (picked, outcome) = self.in_flight[call].take().unwrap();
            picked.finish(outcome, end);
        }
        self.bench.now = moment;
        if self.next_tick <= moment {
            self.bench.balancer.tick(moment);
            self.next_tick = moment + SECOND;
        }
    }

    /// The part of the calls that `number` got.
    fn share(&self, number: u16) -> f64 {
        let all: u32 = self.counts.iter().sum();
        f64::from(self.counts[usize::from(number)]) / f64::from(all)
    }
}

fn one_slow(number: u16) -> (Duration, Outcome) {
    (
        if number == 0 { 100 * MS } else { 10 * MS },
        Outcome::Success,
    )
}

fn all_alike(_: u16) -> (Duration, Outcome) {
    (10 * MS, Outcome::Success)
}

fn one_fails_fast(number: u16) -> (Duration, Outcome) {
    match number {
        0 => (MS / 10, FAILED),
        _ => (10 * MS, Outcome::Success),
    }
}

fn one_is_overloaded(number: u16) -> (Duration, Outcome) {
    let retry_after = Some(2 * SECOND);
    match number {
        0 => (MS / 10, Outcome::Overloaded { retry_after }),
        _ => (10 * MS, Outcome::Success),
    }
}

#[test]
fn d16_a_slow_endpoint_gets_next_to_nothing_and_a_new_one_starts_slowly() {
    for rate in [100.0, 1_000.0, 5_000.0] {
        let mut all = Simulation::new(&BalanceConfig::default(), 10, rate, one_slow);
        all.run(100_000);
        assert!(all.share(0) <= 0.03, "{rate}/s: {}", all.share(0));
        all.bench.tell(11);
        all.run(rate as u32);
        assert!(all.share(10) <= 2.0 / 11.0, "{rate}/s: {}", all.share(10));
    }
}

#[test]
fn a_slow_endpoint_gets_the_less_the_more_others_there_are_to_compare_with() {
    for endpoints in [4, 20, 50] {
        let mut all = Simulation::new(&BalanceConfig::default(), endpoints, 2_000.0, one_slow);
        all.run(50_000);
        let fair = 1.0 / f64::from(endpoints);
        assert!(all.share(0) < 0.3 * fair, "{endpoints}: {}", all.share(0));
    }
}

#[test]
fn a_joining_endpoint_grows_to_its_share_within_its_slow_start() {
    for policy in [
        Policy::P2cEwma,
        Policy::LeastRequest,
        Policy::RoundRobin,
        Policy::WeightedRandom,
    ] {
        let mut all = Simulation::new(&config(policy), 9, 1_000.0, all_alike);
        all.run(20_000);
        all.bench.tell(10);
        let mut shares = Vec::new();
        // The seconds 0 to 1, 7 to 8 and 16 to 26 of a slow start of 15.
        for (skip, calls) in [(0, 1_000), (6_000, 1_000), (8_000, 10_000)] {
            all.run(skip);
            all.run(calls);
            shares.push(all.share(9) * 10.0);
        }
        let within = [0.0..0.5, 0.2..0.95, 0.8..1.2];
        for (share, within) in shares.iter().zip(within) {
            assert!(within.contains(share), "{policy:?}: {shares:?}");
        }
    }
}

#[test]
fn failing_fast_attracts_no_calls() {
    let answers: [fn(u16) -> (Duration, Outcome); 2] = [one_fails_fast, one_is_overloaded];
    for answer in answers {
        for (endpoints, enabled) in [(2, false), (10, false), (10, true)] {
            let outlier = OutlierConfig::default().enabled(enabled);
            let config = BalanceConfig::default().outlier(outlier);
            let mut all = Simulation::new(&config, endpoints, 1_000.0, answer);
            all.run(50_000);
            let fair = 1.0 / f64::from(endpoints);
            assert!(all.share(0) < 0.5 * fair, "{endpoints}: {}", all.share(0));
        }
    }
}

#[test]
fn what_failed_and_works_again_gets_its_share_again() {
    for policy in [Policy::P2cEwma, Policy::LeastRequest] {
        let mut all = Simulation::new(&config(policy), 10, 1_000.0, one_fails_fast);
        all.run(20_000);
        // Where latency decides it has hardly been called.
        let ejected = all.bench.statuses()[0] == EndpointStatus::Ejected;
        assert!(ejected || policy == Policy::P2cEwma);
        all.answer = all_alike;
        all.run(90_000);
        all.run(20_000);
        let share = all.share(0) * 10.0;
        assert!((0.7..1.3).contains(&share), "{policy:?}: {share}");
    }
}
