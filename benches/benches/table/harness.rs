//! Interleaved rounds, medians, ratios, verdicts.
use crate::contestant::{Contestant, Cost};
use std::io::{self, Write};

/// Rounds of which the median is taken.
pub(crate) const ROUNDS: usize = 9;
/// Allocations per call that count as none: a buffer that grows now and then.
const NONE: f64 = 0.01;

/// One comparison: ours, then peers, each over the same base.
pub(crate) struct Row<'a> {
    name: String,
    base: Option<Contestant<'a>>,
    ours: Contestant<'a>,
    allocates: bool,
    peers: Vec<(Contestant<'a>, Option<Bounds>)>,
}

/// What ours may cost, as a part of what the peer costs, or as a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// It must not cost more.
    pub(crate) must: f64,
    /// It should not.
    pub(crate) reach: Option<f64>,
}

/// Prints rows, and counts verdicts.
pub(crate) struct Table {
    word: Option<String>,
    met: u32,
    reached: u32,
    missed: Vec<String>,
}

/// One line as it is printed.
#[derive(Default)]
struct Line<'a> {
    what: &'a str,
    who: &'a str,
    value: f64,
    unit: &'static str,
    allocations: Option<f64>,
    ratio: Option<f64>,
    must: String,
    reach: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Nothing,
    /// What is taken off the lines below.
    Base,
    Missed,
    Met,
    Reached,
}

// === impl Row ===

impl<'a> Row<'a> {
    /// Ours must not allocate unless [`allocates`](Self::allocates) says so.
    pub(crate) fn new(name: impl Into<String>, ours: Contestant<'a>) -> Self {
        Self {
            name: name.into(),
            base: None,
            ours,
            allocates: false,
            peers: Vec::new(),
        }
    }

    /// What all of them do beside what is asked: its cost is taken off.
    pub(crate) fn over(mut self, base: Contestant<'a>) -> Self {
        self.base = Some(base);
        self
    }

    /// Ours may allocate.
    pub(crate) fn allocates(mut self) -> Self {
        self.allocates = true;
        self
    }

    pub(crate) fn beside(mut self, peer: Contestant<'a>, bounds: Bounds) -> Self {
        self.peers.push((peer, Some(bounds)));
        self
    }

    /// A peer that nothing is promised about.
    pub(crate) fn shown(mut self, peer: Contestant<'a>) -> Self {
        self.peers.push((peer, None));
        self
    }
}

// === impl Bounds ===

impl Bounds {
    /// One `must`-th of what the peer costs, and one `reach`-th.
    pub(crate) const fn parts(must: f64, reach: f64) -> Self {
        Self {
            must: 1.0 / must,
            reach: Some(1.0 / reach),
        }
    }

    /// So many times what the peer costs.
    pub(crate) const fn times(must: f64, reach: f64) -> Self {
        let reach = Some(reach);
        Self { must, reach }
    }

    /// At most so many times what the peer costs, or so much.
    pub(crate) const fn most(must: f64) -> Self {
        Self { must, reach: None }
    }

    fn verdict(self, of: f64) -> Verdict {
        if of.is_nan() || of > self.must {
            Verdict::Missed
        } else if self.reach.is_some_and(|reach| of <= reach) {
            Verdict::Reached
        } else {
            Verdict::Met
        }
    }
}

// === impl Table ===

impl Table {
    pub(crate) fn new(word: Option<String>) -> Self {
        print(format_args!(
            "{:<42} {:<44} {:>12}    {:>9} {:>8} {:>8} {:>8}  verdict",
            "what", "who", "median", "allocs", "ours/it", "must", "reach"
        ));
        Self {
            word,
            met: 0,
            reached: 0,
            missed: Vec::new(),
        }
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
            allocates,
            peers,
        } = row;
        let has_base = base.is_some();
        let (peers, bounds): (Vec<_>, Vec<_>) = peers.into_iter().unzip();
        let mut all: Vec<_> = base.into_iter().chain([ours]).chain(peers).collect();
        let mut costs = measure(&mut all).into_iter();
        let base = if has_base { costs.next() } else { None };
        let names: Vec<_> = all.iter().map(|contestant| contestant.name).collect();
        if let Some(base) = base {
            self.line(Line {
                verdict: Verdict::Base,
                ..Line::of(&name, names[0], base)
            });
        }
        let mut costs = costs.map(|cost| cost.over(base.unwrap_or_default()));
        let mut names = names.into_iter().skip(usize::from(has_base));
        let (Some(ours), Some(who)) = (costs.next(), names.next()) else {
            return;
        };
        let mut first = Line::of(&name, who, ours);
        if !allocates {
            first.must = "0 allocs".to_owned();
            first.verdict = match ours.allocations {
                some if some > NONE => Verdict::Missed,
                _ => Verdict::Met,
            };
        }
        self.line(first);
        for ((who, cost), bounds) in names.zip(costs).zip(bounds) {
            let ratio = (ours.nanos / cost.nanos).max(0.0);
            self.line(Line {
                ratio: Some(ratio),
                must: shown(bounds.map(|bounds| bounds.must), part),
                reach: shown(bounds.and_then(|bounds| bounds.reach), part),
                verdict: bounds.map_or(Verdict::Nothing, |bounds| bounds.verdict(ratio)),
                ..Line::of(&name, who, cost)
            });
        }
    }

    /// Prints a figure that was measured otherwise.
    pub(crate) fn figure(
        &mut self,
        (what, who): (&str, &str),
        (value, unit): (f64, &'static str),
        bounds: Option<Bounds>,
    ) {
        let number = |bound: f64| format!("{bound}");
        self.line(Line {
            what,
            who,
            value,
            unit,
            must: shown(bounds.map(|bounds| bounds.must), number),
            reach: shown(bounds.and_then(|bounds| bounds.reach), number),
            verdict: bounds.map_or(Verdict::Nothing, |bounds| bounds.verdict(value)),
            ..Line::default()
        });
    }

    /// Prints what to make of it.
    pub(crate) fn end(self) {
        print(format_args!(
            "\nCPU time of the thread, medians of {ROUNDS} interleaved rounds; allocations of the thread, by a counting allocator."
        ));
        print(format_args!("clock: {}", crate::clock::source()));
        print(format_args!(
            "met {} ({} of them reached), missed {}{}{}",
            self.met,
            self.reached,
            self.missed.len(),
            if self.missed.is_empty() { "" } else { ": " },
            self.missed.join("; ")
        ));
    }

    fn line(&mut self, line: Line<'_>) {
        match line.verdict {
            Verdict::Missed => self.missed.push(format!("{}: {}", line.what, line.who)),
            Verdict::Met => self.met += 1,
            Verdict::Reached => {
                self.met += 1;
                self.reached += 1;
            }
            Verdict::Nothing | Verdict::Base => {}
        }
        let allocations = line.allocations.map(|number| format!("{number:.2}"));
        print(format_args!(
            "{:<42} {:<44} {:>12} {:<2} {:>9} {:>8} {:>8} {:>8}  {}",
            line.what,
            line.who,
            match line.unit {
                "x" => format!("{:.3}", line.value),
                _ => format!("{:.1}", line.value),
            },
            line.unit,
            allocations.unwrap_or_default(),
            line.ratio.map(part).unwrap_or_default(),
            line.must,
            line.reach,
            line.verdict.as_str()
        ));
    }
}

// === impl Line ===

impl<'a> Line<'a> {
    fn of(what: &'a str, who: &'a str, cost: Cost) -> Self {
        Self {
            what,
            who,
            value: cost.nanos,
            unit: "ns",
            // A buffer that grew at another time than the base's leaves less than nothing.
            allocations: Some(cost.allocations.max(0.0)),
            ..Self::default()
        }
    }
}

// === impl Verdict ===

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Base => "taken off below",
            Self::Missed => "MISSED",
            Self::Met => "met",
            Self::Reached => "met, reached",
        }
    }
}

/// The median of each contestant, over rounds in which each runs once.
fn measure(all: &mut [Contestant<'_>]) -> Vec<Cost> {
    let calls: Vec<_> = all.iter_mut().map(Contestant::calibrate).collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); all.len()];
    for _ in 0..ROUNDS {
        for (at, contestant) in all.iter_mut().enumerate() {
            rounds[at].push(contestant.run(calls[at]).0);
        }
    }
    rounds.iter_mut().map(|costs| Cost::median(costs)).collect()
}

fn shown(bound: Option<f64>, show: impl Fn(f64) -> String) -> String {
    bound.map_or_else(String::new, show)
}

/// A ratio as people say it: a third is `1/3.0`, and one and a half is `1.50 x`.
fn part(ratio: f64) -> String {
    match ratio {
        ratio if ratio <= 0.0 => "0".to_owned(),
        ratio if ratio > 0.8 => format!("{ratio:.2} x"),
        ratio => format!("1/{:.1}", 1.0 / ratio),
    }
}

fn print(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{text}");
}
