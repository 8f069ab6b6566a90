//! What the probes answer, decided from what is known: no clock, no I/O.
use super::{CheckConfig, CheckReport, Criticality, Report, Status, report::bounded};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Everything that the probes of one runtime are answered from.
#[derive(Debug, Default)]
pub(super) struct HealthState {
    /// Parts that have not started yet.
    waiting: Vec<String>,
    started: bool,
    /// Whether startup was complete once; it never becomes incomplete again.
    startup_complete: bool,
    ending: bool,
    checks: BTreeMap<u64, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    name: String,
    criticality: Criticality,
    state: CheckState,
}

/// The results of one check.
#[derive(Debug)]
pub(super) struct CheckState {
    failure_threshold: u32,
    success_threshold: u32,
    stale_after: Duration,
    passing: bool,
    /// How many results in a row spoke against `passing`.
    against: u32,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    took: Duration,
    error: Option<String>,
}

// === impl HealthState ===

impl HealthState {
    /// Names the parts that have to start.
    pub(super) fn expect(&mut self, parts: impl IntoIterator<Item = String>) {
        self.waiting.extend(parts);
    }

    /// One part has started.
    pub(super) fn part_started(&mut self, part: &str) {
        if let Some(at) = self.waiting.iter().position(|p| p == part) {
            self.waiting.remove(at);
        }
    }

    /// Every part has started.
    pub(super) fn started(&mut self) {
        self.waiting.clear();
        self.started = true;
    }

    /// The process was told to end.
    pub(super) fn shutting_down(&mut self) {
        self.ending = true;
    }

    /// Adds a check and says by which key and name it goes: a name that is taken gets a number.
    pub(super) fn register(&mut self, name: &str, config: &CheckConfig) -> (u64, String) {
        let taken = |name: &str| self.checks.values().any(|entry| entry.name == name);
        let mut unique = name.to_owned();
        let mut number = 2_u32;
        while taken(&unique) {
            unique = format!("{name}-{number}");
            number += 1;
        }
        let key = self.next;
        self.next += 1;
        let entry = Entry {
            name: unique.clone(),
            criticality: config.criticality,
            state: CheckState::new(config),
        };
        self.checks.insert(key, entry);
        (key, unique)
    }

    pub(super) fn unregister(&mut self, key: u64) {
        self.checks.remove(&key);
    }

    /// Takes a result and says whether the check's verdict changed, and to what.
    pub(super) fn record(
        &mut self,
        key: u64,
        now: Instant,
        took: Duration,
        error: Option<String>,
    ) -> Option<Verdict> {
        let entry = self.checks.get_mut(&key)?;
        Some(entry.state.record(now, took, error))
    }

    /// Whether readiness is answered with 200.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.started
            && !self.ending
            && !self
                .checks
                .values()
                .any(|e| e.criticality == Criticality::Critical && !e.state.passes(now))
    }

    /// Whether this process deserves traffic.
    pub(super) fn readiness(&self, now: Instant) -> Report {
        let mut report = if self.ending {
            Report::because(Status::Fail, "shutting down".to_owned())
        } else if !self.started {
            self.starting()
        } else {
            self.judged(now)
        };
        report.checks = self.checks.values().map(|e| e.report(now)).collect();
        report.checks.sort_by(|a, b| a.name.cmp(&b.name));
        report
    }

    /// Whether every part has started and every critical check has a first result, good or bad: to restart a process
    /// because what it depends on is away helps nobody.
    pub(super) fn startup(&mut self) -> Report {
        if !self.started {
            return self.starting();
        }
        let unchecked: Vec<_> = self
            .checks
            .values()
            .filter(|e| e.criticality == Criticality::Critical && e.state.last.is_none())
            .map(|e| e.name.as_str())
            .collect();
        self.startup_complete |= unchecked.is_empty();
        if self.startup_complete {
            Report::pass()
        } else {
            Report::because(
                Status::Fail,
                format!("not checked yet: {}", unchecked.join(", ")),
            )
        }
    }

    fn starting(&self) -> Report {
        let cause = if self.waiting.is_empty() {
            "starting".to_owned()
        } else {
            format!("starting: {}", self.waiting.join(", "))
        };
        Report::because(Status::Fail, cause)
    }

    fn judged(&self, now: Instant) -> Report {
        let failing = |criticality| {
            let names: Vec<_> = self
                .checks
                .values()
                .filter(|e| e.criticality == criticality && !e.state.passes(now))
                .map(|e| e.name.as_str())
                .collect();
            (!names.is_empty()).then(|| format!("failing: {}", names.join(", ")))
        };
        if let Some(cause) = failing(Criticality::Critical) {
            Report::because(Status::Fail, cause)
        } else if let Some(cause) = failing(Criticality::Optional) {
            Report::because(Status::Degraded, cause)
        } else {
            Report::pass()
        }
    }
}

// === impl Entry ===

impl Entry {
    fn report(&self, now: Instant) -> CheckReport {
        let last = self.state.last.as_ref();
        let age = last.map(|last| now.saturating_duration_since(last.at));
        let passes = self.state.passes(now);
        CheckReport {
            name: self.name.clone(),
            status: if passes { Status::Pass } else { Status::Fail },
            criticality: self.criticality,
            age_ms: age.map(millis),
            duration_ms: last.map(|last| millis(last.took)),
            error: self.state.trouble(now),
        }
    }
}

/// What a result made of its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) passing: bool,
    pub(super) changed: bool,
}

// === impl CheckState ===

impl CheckState {
    pub(super) fn new(config: &CheckConfig) -> Self {
        Self {
            failure_threshold: config.failure_threshold,
            success_threshold: config.success_threshold,
            stale_after: config.stale_after(),
            passing: false,
            against: 0,
            last: None,
        }
    }

    pub(super) fn record(
        &mut self,
        now: Instant,
        took: Duration,
        error: Option<String>,
    ) -> Verdict {
        let first = self.last.is_none();
        let success = error.is_none();
        self.last = Some(Last {
            at: now,
            took,
            error: error.map(bounded),
        });
        let before = self.passing;
        if success == self.passing {
            self.against = 0;
        } else {
            self.against += 1;
            let needed = if self.passing {
                self.failure_threshold
            } else {
                self.success_threshold
            };
            if self.against >= needed {
                self.passing = success;
                self.against = 0;
            }
        }
        Verdict {
            passing: self.passing,
            changed: first || before != self.passing,
        }
    }

    /// Whether the check counts as passing: it has passed, and recently.
    pub(super) fn passes(&self, now: Instant) -> bool {
        self.passing
            && self
                .last
                .as_ref()
                .is_some_and(|last| !self.is_stale(last, now))
    }

    /// What there is to say against the last result, even where a threshold still forgives it.
    fn trouble(&self, now: Instant) -> Option<String> {
        match &self.last {
            None => Some("not checked yet".to_owned()),
            Some(last) if self.is_stale(last, now) => Some(format!(
                "stale: the last result is older than {} ms",
                millis(self.stale_after)
            )),
            Some(last) => last.error.clone(),
        }
    }

    fn is_stale(&self, last: &Last, now: Instant) -> bool {
        now.saturating_duration_since(last.at) > self.stale_after
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
