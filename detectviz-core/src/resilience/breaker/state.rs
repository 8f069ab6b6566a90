//! The circuit itself: who may call, and what results mean. Lock-free; the time and a random number are arguments.
use super::{
    last::Last,
    limits::{Geometry, Limits, Live, OFF},
    tally::Tally,
    ticket::Ticket,
    transition::{Cause, Counts, Transition},
    window::{Held, Window},
    word::{State, Trial, Word},
};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// A circuit. Times are nanoseconds since a moment of its own.
#[derive(Debug)]
pub(super) struct Core {
    word: AtomicU64,
    /// From how long on a call is slow, or [`OFF`].
    slow_after: AtomicU64,
    tally: Tally,
    window: Window,
    limits: Live,
    last: Last,
}

/// Why a call may not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) state: State,
    /// Nanoseconds until the circuit lets a probe through; `None` when that is not known.
    pub(super) left: Option<u64>,
}

/// What became of a result that looked good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It is counted, and that is all.
    Done,
    /// It is counted, and the circuit has to be judged.
    Watched,
    /// It is not counted yet.
    Unsettled,
}

/// A result, once more: what the slow ways need to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) ticket: Ticket,
    pub(super) shard: usize,
    pub(super) failed: bool,
    pub(super) now: u64,
    /// For the jitter.
    pub(super) random: u64,
}

const MILLI: u64 = 1_000_000;

// === impl Core ===

impl Core {
    pub(super) fn new(
        state: State,
        limits: &Limits,
        slow_after: u64,
        geometry: Geometry,
        shards: usize,
        slots: usize,
    ) -> Self {
        Self {
            word: AtomicU64::new(Word::new(state).0),
            slow_after: AtomicU64::new(slow_after),
            tally: Tally::new(shards),
            window: Window::new(geometry, slots),
            limits: Live::new(limits),
            last: Last::new(),
        }
    }

    pub(super) fn state(&self) -> State {
        self.word().state()
    }

    /// A ticket, when every call goes through. The clock is read only where calls are timed.
    #[inline]
    pub(super) fn admit(&self, clock: impl FnOnce() -> u64) -> Option<Ticket> {
        let word = self.word();
        word.admits_all().then(|| self.ticket(word, clock))
    }

    /// A ticket, or why there is none; and what changed by asking.
    pub(super) fn ask(
        &self,
        shard: usize,
        now: u64,
        random: u64,
    ) -> (Result<Ticket, Refusal>, Option<Transition>) {
        let limits = self.limits.get();
        loop {
            let word = self.word();
            let state = word.state();
            let (next, left) = match state {
                _ if word.admits_all() => return (Ok(self.ticket(word, || now)), None),
                State::Open => match Self::left(word, now, &limits) {
                    Some(left) => (None, Some(left)),
                    None => (Some(word.next(State::HalfOpen)), None),
                },
                State::HalfOpen => (Some(word), None),
                _ => (None, None),
            };
            let next = next.and_then(|next| {
                let mut trial = next.trial();
                trial.granted += 1;
                (trial.granted <= limits.probes).then(|| next.with_trial(trial))
            });
            let Some(next) = next else {
                // Fewer probes may decide now than when the last result came.
                let decided = state == State::HalfOpen && word.trial().calls >= limits.probes;
                let decided =
                    decided.then(|| self.decide(word, word.trial(), &limits, now, random));
                self.tally.refused(shard);
                return (Err(Refusal { state, left }), decided.flatten());
            };
            if self.swap(word, next) {
                let begun = state == State::Open;
                let transition = begun.then(|| self.changed(word, next, Cause::Waited, None));
                return (Ok(self.ticket(next, || now)), transition);
            }
        }
    }

    /// Refuses a call that did not ask.
    pub(super) fn refuse(&self, shard: usize, now: u64) -> Refusal {
        self.tally.refused(shard);
        let word = self.word();
        let state = word.state();
        let limits = self.limits.get();
        let left = (state == State::Open).then(|| Self::left(word, now, &limits));
        let left = left.flatten();
        Refusal { state, left }
    }

    /// Whether a call that is made now would be refused; changes nothing.
    pub(super) fn refuses(&self, clock: impl FnOnce() -> u64) -> bool {
        let word = self.word();
        match word.state() {
            State::Open => Self::left(word, clock(), &self.limits.get()).is_some(),
            State::HalfOpen => word.trial().granted >= self.limits.get().probes,
            State::ForcedOpen => true,
            _ => false,
        }
    }

    /// Counts a success of a closed circuit, unless there is more to do.
    #[inline]
    pub(super) fn pass(&self, ticket: Ticket, shard: usize, clock: impl Fn() -> u64) -> Passed {
        let word = self.word();
        if word.generation() != ticket.generation() || !word.has_window() {
            return Passed::Unsettled;
        }
        let slow_after = self.slow_after.load(Relaxed);
        let timed = (slow_after != OFF).then(&clock);
        if timed.is_some_and(|now| ticket.took(now) >= slow_after) {
            return Passed::Unsettled;
        }
        let millis = || timed.unwrap_or_else(clock) / MILLI;
        if !self.window.takes(word.series(), millis) {
            return Passed::Unsettled;
        }
        self.tally.success(shard);
        // Only now: whoever asked for the watch before has not seen this success, or this sees that it was asked for.
        let after = Word(self.word.load(Relaxed));
        match after == word && !word.is_watched() {
            true => Passed::Done,
            false => Passed::Watched,
        }
    }

    /// Records any result, as far as it is not late.
    pub(super) fn settle(&self, report: Report) -> Option<Transition> {
        let Report { ticket, now, .. } = report;
        let slow = ticket.took(now) >= self.slow_after.load(Relaxed);
        let word = self.word();
        if word.generation() != ticket.generation() {
            return None;
        }
        match word.state() {
            State::Closed | State::MetricsOnly => self.keep(word, report, slow),
            State::HalfOpen => self.probed(report, slow),
            _ => None,
        }
    }

    /// Gives back the permit of a probe that has no report.
    pub(super) fn cancel(&self, ticket: Ticket) {
        loop {
            let word = self.word();
            if word.generation() != ticket.generation() || word.state() != State::HalfOpen {
                return;
            }
            let mut trial = word.trial();
            trial.granted = trial.granted.saturating_sub(1);
            if self.swap(word, word.with_trial(trial)) {
                return;
            }
        }
    }

    /// Opens the circuit, or tells, when a threshold is reached. `run` is the number of failures in a row; `bad` says that
    /// the last result was not a good one.
    pub(super) fn judge(&self, report: Report, run: u64, bad: bool) -> Option<Transition> {
        let limits = self.limits.get();
        let millis = report.now / MILLI;
        loop {
            let word = self.word();
            let late = word.generation() != report.ticket.generation() || !word.has_window();
            if late || word.is_told() {
                return None;
            }
            let view = self.window.view(&self.tally, word.series(), millis, 1)?;
            let held = self.window.held(&self.tally, view);
            if let Some((cause, counts)) = exceeded(held, &limits, run) {
                let (now, random) = (report.now, report.random);
                match self.trip(word, &limits, now, random, cause, counts) {
                    Some(transition) => return Some(transition),
                    None => continue,
                }
            }
            let watch = self.window.can_exceed(view, held, &limits);
            match (watch, word.is_watched()) {
                (true, true) if !bad => return None,
                (true, _) => {
                    if self.swap(word, word.watched()) {
                        // Successes that were counted before the watch, and did not see it, are seen by this.
                        self.tally.settled();
                        let held = self.window.held(&self.tally, view);
                        exceeded(held, &limits, run)?;
                    }
                }
                (false, true) => {
                    // In vain when somebody asked for the watch since.
                    self.swap(word, word.unwatched());
                    return None;
                }
                (false, false) => return None,
            }
        }
    }

    /// Goes to `state` because somebody said so, with an empty window.
    ///
    /// # Errors
    /// The present state, when there is no way from it.
    pub(super) fn force(&self, to: State, now: u64) -> Result<Transition, State> {
        loop {
            let word = self.word();
            let from = word.state();
            if to == State::HalfOpen && !matches!(from, State::Open | State::ForcedOpen) {
                return Err(from);
            }
            let next = word.next(to);
            if self.swap(word, next) {
                if to.has_window() {
                    self.window.view(&self.tally, next.series(), now / MILLI, 0);
                }
                return Ok(self.changed(word, next, Cause::ByHand, None));
            }
        }
    }

    /// Changes what is judged by; counts stay.
    pub(super) fn change(&self, limits: &Limits, slow_after: u64, geometry: Geometry, now: u64) {
        self.limits.set(limits);
        self.slow_after.store(slow_after, Release);
        let series = self.word().series();
        self.window.cut(&self.tally, series, now / MILLI, geometry);
    }

    /// Judges the circuit by what it knows, without a new result.
    pub(super) fn review(&self, now: u64, random: u64) -> Option<Transition> {
        let report = Report {
            ticket: self.ticket(self.word(), || now),
            shard: 0,
            failed: false,
            now,
            random,
        };
        self.judge(report, 0, true)
    }

    /// What the present state knows: the window, the trial, or what opened the circuit; and the calls it refused.
    pub(super) fn counts(&self, now: u64) -> Counts {
        let limits = self.limits.get();
        let word = self.word();
        let counts = match word.state() {
            State::Closed | State::MetricsOnly => {
                let (tally, series) = (&self.tally, word.series());
                // Looking does not begin a window: the first call does.
                let begun = self.window.has_begun(series);
                let view = || self.window.view(tally, series, now / MILLI, 1);
                let view = begun.then(view).flatten();
                let held = view.map(|view| self.window.held(tally, view));
                Counts::of_window(held.unwrap_or_default(), &limits)
            }
            State::HalfOpen => Counts::of_trial(word.trial(), &limits),
            State::Open => self.last.counts(word),
            _ => Counts::default(),
        };
        let refused = self.last.refused_since(self.tally.refusals());
        Counts { refused, ..counts }
    }

    fn keep(&self, word: Word, report: Report, slow: bool) -> Option<Transition> {
        let Report {
            shard, failed, now, ..
        } = report;
        let view = self
            .window
            .view(&self.tally, word.series(), now / MILLI, 0)?;
        if !failed {
            self.tally.success(shard);
        }
        if failed || slow {
            self.window.add(view, failed, slow);
        }
        let run = match failed {
            true => self.window.run(&self.tally, view),
            false => 0,
        };
        self.judge(report, run, failed || slow)
    }

    fn probed(&self, report: Report, slow: bool) -> Option<Transition> {
        let limits = self.limits.get();
        loop {
            let word = self.word();
            let late = word.generation() != report.ticket.generation();
            if late || word.state() != State::HalfOpen {
                return None;
            }
            let mut trial = word.trial();
            trial.calls += 1;
            trial.failures += u64::from(report.failed);
            trial.slow += u64::from(slow);
            if trial.calls < limits.probes {
                if self.swap(word, word.with_trial(trial)) {
                    return None;
                }
                continue;
            }
            let decided = self.decide(word, trial, &limits, report.now, report.random);
            if decided.is_some() {
                return decided;
            }
        }
    }

    /// Ends a trial; `None` when another thread was faster.
    fn decide(
        &self,
        word: Word,
        trial: Trial,
        limits: &Limits,
        now: u64,
        random: u64,
    ) -> Option<Transition> {
        let counts = Counts::of_trial(trial, limits);
        if limits.fails(trial.calls, trial.failures, trial.slow) {
            return self.trip(word, limits, now, random, Cause::Probes, counts);
        }
        let next = word.next(State::Closed);
        let closed = || self.changed(word, next, Cause::Probes, Some(counts));
        self.swap(word, next).then(closed)
    }

    /// Opens the circuit; one that only measures tells that it would have. `None` when another thread was faster.
    fn trip(
        &self,
        word: Word,
        limits: &Limits,
        now: u64,
        random: u64,
        cause: Cause,
        counts: Counts,
    ) -> Option<Transition> {
        if word.state() == State::MetricsOnly {
            let told = Transition::told(cause, counts);
            return self.swap(word, word.told()).then_some(told);
        }
        let streak = match word.state() {
            State::HalfOpen => word.streak() + 1,
            _ => 0,
        };
        let open_for = limits.open_for(streak, random);
        let until = now.saturating_add(open_for).div_ceil(MILLI);
        let next = word.opened(until);
        self.swap(word, next).then(|| {
            let transition = self.changed(word, next, cause, Some(counts));
            transition.open_for(open_for)
        })
    }

    /// What the one who changed the state leaves for others to see.
    fn changed(&self, from: Word, to: Word, cause: Cause, counts: Option<Counts>) -> Transition {
        let refused = self.last.refused_until(self.tally.refusals());
        let counts = Counts {
            refused,
            ..counts.unwrap_or_default()
        };
        if to.state() == State::Open {
            self.last.keep(to, counts);
        }
        Transition::new(from.state(), to.state(), cause, counts)
    }

    /// How many nanoseconds an open circuit still refuses calls.
    fn left(word: Word, now: u64, limits: &Limits) -> Option<u64> {
        let left = word.left(now / MILLI, limits.longest_open())?;
        Some(left * MILLI - now % MILLI)
    }

    #[inline]
    fn ticket(&self, word: Word, clock: impl FnOnce() -> u64) -> Ticket {
        let started = match self.slow_after.load(Relaxed) {
            OFF => OFF,
            _ => clock(),
        };
        Ticket::new(word.generation(), started)
    }

    #[inline]
    fn word(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    fn swap(&self, from: Word, to: Word) -> bool {
        self.word
            .compare_exchange(from.0, to.0, AcqRel, Relaxed)
            .is_ok()
    }
}

/// Which threshold is reached, if one is.
fn exceeded(held: Held, limits: &Limits, run: u64) -> Option<(Cause, Counts)> {
    let enough = held.calls > 0 && (held.calls >= limits.minimum || held.is_full);
    let cause = if run >= limits.consecutive {
        Cause::Consecutive
    } else if enough && limits.exceeded(held.calls, held.failures, 0) {
        Cause::FailureRate
    } else if enough && limits.exceeded(held.calls, 0, held.slow) {
        Cause::SlowRate
    } else {
        return None;
    };
    Some((cause, Counts::of_window(held, limits)))
}
