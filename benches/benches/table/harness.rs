//! Interleaved rounds, medians, ratios.
use detectviz_benches::allocations;
use rustix::time::{ClockId, clock_gettime};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Rounds of which the median is taken.
const ROUNDS: usize = 9;
/// How long one contestant runs in one round.
const SLICE: Duration = Duration::from_millis(20);
/// Calls between two pauses; what waits to be written or exported is let go in them.
const CALLS: u32 = 256;

/// What is measured, under a name.
pub(crate) struct Contestant<'a> {
    name: &'static str,
    call: Box<dyn FnMut(u32) + 'a>,
    pause: Box<dyn FnMut() + 'a>,
}

/// One line of the table: ours, then peers.
pub(crate) struct Row<'a> {
    name: &'static str,
    base: Option<Contestant<'a>>,
    ours: Contestant<'a>,
    peers: Vec<(Contestant<'a>, Bounds)>,
}

/// What ours may cost, as a part of what the peer costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// It must not cost more.
    pub(crate) must: f64,
    /// It should not.
    pub(crate) reach: f64,
}

/// Prints rows.
pub(crate) struct Table {
    word: Option<String>,
}

/// What one contestant costs.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    nanos: f64,
    allocations: f64,
}

// === impl Contestant ===

impl<'a> Contestant<'a> {
    /// Calls `work` once for each call that is measured.
    pub(crate) fn new(name: &'static str, mut work: impl FnMut() + 'a) -> Self {
        Self::batches(name, move |calls| (0..calls).for_each(|_| work()))
    }

    /// Lets `work` make as many calls as it is told.
    pub(crate) fn batches(name: &'static str, work: impl FnMut(u32) + 'a) -> Self {
        Self {
            name,
            call: Box::new(work),
            pause: Box::new(|| {}),
        }
    }

    /// Runs `pause`, untimed, after each [`CALLS`] calls.
    pub(crate) fn pause(mut self, pause: impl FnMut() + 'a) -> Self {
        self.pause = Box::new(pause);
        self
    }

    /// CPU time of the thread and allocations, for at least that many calls.
    fn run(&mut self, calls: u32) -> (Duration, u64, u32) {
        let (mut took, mut allocated, mut done) = (Duration::ZERO, 0, 0);
        while done < calls {
            let before = allocations::so_far();
            let start = cpu_time();
            (self.call)(CALLS);
            took += cpu_time().saturating_sub(start);
            allocated += allocations::so_far() - before;
            done += CALLS;
            (self.pause)();
        }
        (took, allocated, done)
    }

    /// How many calls fill a slice; warms up on the way.
    fn calibrate(&mut self) -> u32 {
        let mut calls = CALLS;
        loop {
            let (took, _, done) = self.run(calls);
            if took >= SLICE / 2 || done >= 1 << 24 {
                let each = took.as_secs_f64() / f64::from(done);
                let fits = SLICE.as_secs_f64() / each.max(1e-10);
                return (fits as u32).clamp(CALLS, 1 << 24);
            }
            calls = done.saturating_mul(4);
        }
    }
}

// === impl Row ===

impl<'a> Row<'a> {
    pub(crate) fn new(name: &'static str, ours: Contestant<'a>) -> Self {
        Self {
            name,
            base: None,
            ours,
            peers: Vec::new(),
        }
    }

    /// What all of them do beside what is asked: its cost is taken off.
    pub(crate) fn over(mut self, base: Contestant<'a>) -> Self {
        self.base = Some(base);
        self
    }

    pub(crate) fn beside(mut self, peer: Contestant<'a>, bounds: Bounds) -> Self {
        self.peers.push((peer, bounds));
        self
    }
}

// === impl Table ===

impl Table {
    pub(crate) fn new(word: Option<String>) -> Self {
        print(format_args!(
            "{:<44} {:<30} {:>9} {:>8} {:>9} {:>7} {:>7}",
            "what", "who", "ns", "allocs", "ours/it", "must", "reach"
        ));
        Self { word }
    }

    /// Whether rows of that name are asked for; those that are not need not be built.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.word.as_ref().is_none_or(|word| name.contains(word))
    }

    /// Measures a row and prints it.
    pub(crate) fn row(&mut self, row: Row<'_>) {
        let Row {
            name,
            base,
            ours,
            peers,
        } = row;
        let has_base = base.is_some();
        let (peers, bounds): (Vec<_>, Vec<_>) = peers.into_iter().unzip();
        let mut all: Vec<_> = base.into_iter().chain([ours]).chain(peers).collect();
        let calls: Vec<_> = all.iter_mut().map(Contestant::calibrate).collect();
        let mut rounds = vec![Vec::with_capacity(ROUNDS); all.len()];
        for _ in 0..ROUNDS {
            for (at, contestant) in all.iter_mut().enumerate() {
                let (took, allocated, done) = contestant.run(calls[at]);
                rounds[at].push(Cost {
                    nanos: took.as_secs_f64() * 1e9 / f64::from(done),
                    allocations: allocated as f64 / f64::from(done),
                });
            }
        }
        let mut costs = rounds.into_iter().map(median);
        let base = if has_base { costs.next() } else { None };
        if let Some(base) = base {
            line(name, all[0].name, base, None, None);
        }
        let costs: Vec<_> = costs
            .map(|cost| cost.over(base.unwrap_or_default()))
            .collect();
        let names = all.iter().skip(usize::from(has_base)).map(|c| c.name);
        for (at, (who, cost)) in names.zip(&costs).enumerate() {
            let bounds = at.checked_sub(1).map(|peer| bounds[peer]);
            line(
                name,
                who,
                *cost,
                (at > 0).then(|| costs[0].nanos / cost.nanos),
                bounds,
            );
        }
    }

    pub(crate) fn end(self) {
        print(format_args!(
            "clock: std::time::Instant (clock_gettime); figures: CPU time of the thread, medians of {ROUNDS} interleaved rounds"
        ));
    }
}

// === impl Cost ===

impl Cost {
    fn over(self, base: Self) -> Self {
        Self {
            nanos: self.nanos - base.nanos,
            allocations: self.allocations - base.allocations,
        }
    }
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.nanos.total_cmp(&b.nanos));
    costs[costs.len() / 2]
}

fn line(what: &str, who: &str, cost: Cost, ratio: Option<f64>, bounds: Option<Bounds>) {
    let part = |part: f64| format!("1/{:.1}", 1.0 / part);
    let ratio_text = ratio.map(part).unwrap_or_default();
    let (must, reach) = bounds.map_or_else(Default::default, |b| (part(b.must), part(b.reach)));
    let verdict = match (ratio, bounds) {
        (Some(ratio), Some(bounds)) if ratio > bounds.must => "  MISSED",
        (Some(ratio), Some(bounds)) if ratio > bounds.reach => "  met",
        (Some(_), Some(_)) => "  reached",
        _ => "",
    };
    print(format_args!(
        "{what:<44} {who:<30} {:>9.1} {:>8.2} {ratio_text:>9} {must:>7} {reach:>7}{verdict}",
        cost.nanos, cost.allocations
    ));
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

fn print(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{text}");
}
