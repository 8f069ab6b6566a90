//! A server of so many workers with a queue inside, offered more than it can do, in simulated time.
use super::*;
use fastrand::Rng;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

/// A server and its callers.
#[derive(Clone, Copy, Debug)]
struct Server {
    workers: usize,
    /// How long a call takes on average, in milliseconds.
    millis: f64,
    /// What is offered, as a share of what the workers can do.
    load: f64,
}

/// What came of it, after it has settled.
#[derive(Debug)]
struct Seen {
    /// Answers, as a share of what the workers can do.
    goodput: f64,
    refused: f64,
    /// The 99th percentile of the latency, in times of the average without a queue.
    p99: f64,
    least_limit: u32,
    most_limit: u32,
    baseline: f64,
}

const SECOND: u64 = 1_000_000_000;

struct Simulation {
    random: Rng,
    begun: Instant,
    limiter: Limiter,
    now: u64,
    /// When calls end, and when they were let in.
    busy: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: VecDeque<u64>,
    latencies: Vec<u64>,
    limits: Vec<u32>,
    refused: u64,
    offered: u64,
}

impl Simulation {
    fn new(rules: Rules, seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            begun: Instant::now(),
            limiter: Limiter::new(rules, seed),
            now: 0,
            busy: BinaryHeap::new(),
            waiting: VecDeque::new(),
            latencies: Vec::new(),
            limits: Vec::new(),
            refused: 0,
            offered: 0,
        }
    }

    /// Offers calls at random moments for so many seconds, and says what came of those in the second half.
    fn run(&mut self, server: Server, seconds: u64) -> Seen {
        let capacity = server.workers as f64 / (server.millis / 1e3);
        let gap = SECOND as f64 / (capacity * server.load);
        let (middle, end) = (self.now + seconds * SECOND / 2, self.now + seconds * SECOND);
        let mut next = self.now;
        let mut settled = false;
        while self.now < end {
            if self.now >= middle && !settled {
                settled = true;
                self.latencies.clear();
                self.limits.clear();
                (self.refused, self.offered) = (0, 0);
            }
            match self.busy.peek() {
                Some(Reverse((ends, _))) if *ends <= next => self.end(server),
                _ => {
                    self.now = next;
                    self.arrive(server);
                    let wait = -gap * (1.0 - self.random.f64()).ln();
                    next += (wait as u64).max(1);
                }
            }
        }
        let answered = self.latencies.len();
        self.latencies.sort_unstable();
        let p99 = self.latencies[answered * 99 / 100] as f64;
        Seen {
            goodput: answered as f64 / (capacity * seconds as f64 / 2.0),
            refused: self.refused as f64 / self.offered as f64,
            p99: p99 / (server.millis * MILLI),
            least_limit: *self.limits.iter().min().expect("calls ended"),
            most_limit: *self.limits.iter().max().expect("calls ended"),
            baseline: self.limiter.baseline().as_secs_f64() * 1e3 / server.millis,
        }
    }

    fn in_flight(&self) -> usize {
        self.busy.len() + self.waiting.len()
    }

    fn arrive(&mut self, server: Server) {
        self.offered += 1;
        if self.in_flight() >= self.limiter.limit() as usize {
            self.refused += 1;
        } else if self.busy.len() < server.workers {
            self.start(server, self.now);
        } else {
            self.waiting.push_back(self.now);
        }
    }

    fn start(&mut self, server: Server, since: u64) {
        // From 0.7 to 1.3 of the average.
        let takes = server.millis * MILLI * (0.7 + 0.6 * self.random.f64());
        self.busy.push(Reverse((self.now + takes as u64, since)));
    }

    fn end(&mut self, server: Server) {
        let Some(Reverse((now, since))) = self.busy.pop() else {
            return;
        };
        self.now = now;
        let sample = Sample {
            latency: Duration::from_nanos(now - since),
            in_flight: self.in_flight() as u32 + 1,
            is_dropped: false,
        };
        self.limiter
            .sample(self.begun + Duration::from_nanos(now), sample);
        self.latencies.push(now - since);
        self.limits.push(self.limiter.limit());
        if let Some(since) = self.waiting.pop_front() {
            self.start(server, since);
        }
    }
}

/// Overloads, for limits that begin at 20.
const OVERLOADED: [Server; 5] = [
    Server {
        workers: 20,
        millis: 5.0,
        load: 10.0,
    },
    Server {
        workers: 8,
        millis: 20.0,
        load: 10.0,
    },
    Server {
        workers: 4,
        millis: 20.0,
        load: 10.0,
    },
    Server {
        workers: 50,
        millis: 5.0,
        load: 2.0,
    },
    Server {
        workers: 100,
        millis: 50.0,
        load: 3.0,
    },
];

/// What the algorithm settles at: the tolerance times what runs at once, and its queue.
fn expected(server: Server) -> f64 {
    1.5 * server.workers as f64 + 4.0
}

fn settles(seen: &Seen, server: Server) {
    let expected = expected(server);
    assert!(seen.goodput >= 0.95, "{server:?}: {seen:?}");
    assert!(
        seen.baseline > 0.85 && seen.baseline < 1.15,
        "{server:?}: {seen:?}"
    );
    assert!(
        f64::from(seen.most_limit) <= 1.15 * expected + 1.0,
        "{server:?}: {seen:?}"
    );
    assert!(
        seen.p99 <= 1.4 * expected / server.workers as f64,
        "{server:?}: {seen:?}"
    );
}

#[test]
fn an_overload_settles_at_what_the_server_can_do() {
    for server in OVERLOADED {
        let mut simulation = Simulation::new(AdaptiveConfig::default().rules(), 7);
        simulation.run(server, 30);
        settles(&simulation.run(server, 20), server);
    }
}

#[test]
fn a_server_that_becomes_slower_is_learned_anew() {
    for server in [OVERLOADED[0], OVERLOADED[3]] {
        let mut simulation = Simulation::new(AdaptiveConfig::default().rules(), 8);
        simulation.run(server, 20);
        let slower = Server {
            millis: 3.0 * server.millis,
            ..server
        };
        settles(&simulation.run(slower, 60), slower);
        settles(&simulation.run(server, 60), server);
    }
}

#[test]
fn ten_times_the_load_leaves_goodput_and_latency() {
    let server = OVERLOADED[0];
    let mut simulation = Simulation::new(AdaptiveConfig::default().rules(), 9);
    for _ in 0..2 {
        let seen = simulation.run(server, 60);
        assert!(seen.goodput >= 0.95 && seen.p99 <= 3.0, "{seen:?}");
        assert!(seen.refused > 0.89 && seen.refused < 0.91, "{seen:?}");
    }
}

#[test]
fn who_offers_less_than_the_server_can_do_is_not_refused() {
    for load in [0.2, 0.5, 0.8] {
        let server = Server {
            load,
            ..OVERLOADED[0]
        };
        let mut simulation = Simulation::new(AdaptiveConfig::default().rules(), 10);
        simulation.run(server, 20);
        let seen = simulation.run(server, 20);
        assert!(seen.refused < 0.001, "{load}: {seen:?}");
        assert!((seen.goodput - load).abs() < 0.02, "{load}: {seen:?}");
        assert!(seen.least_limit >= 20, "{load}: {seen:?}");
    }
}

#[test]
fn without_looks_the_queue_of_a_lasting_overload_is_taken_for_usual() {
    let server = OVERLOADED[0];
    let seen = Simulation::new(published(), 7).run(server, 60);
    assert!(
        f64::from(seen.least_limit) > 1.5 * expected(server),
        "{seen:?}"
    );
    assert!(seen.goodput >= 0.95, "{seen:?}");
}
