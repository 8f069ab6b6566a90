//! When a connection has been silent, slow or open for too long.
use std::time::Duration;
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Nothing that names a protocol has come yet.
    Opening,
    /// Between two requests.
    Idle,
    /// A request head has begun and not ended.
    Head,
    /// A request is being served.
    Busy,
    /// The response is complete and being written.
    Flushing,
    /// The connection left HTTP.
    Upgraded,
}

/// What can be seen of a connection without stopping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) phase: Phase,
    /// Changes with every change of phase.
    pub(super) serial: u32,
    /// Changes with every successful read.
    pub(super) read: u32,
    /// Changes with every successful write.
    pub(super) written: u32,
    /// Whether the last write found the socket full.
    pub(super) blocked: bool,
    /// Whether nothing of the last request is left in the connection, so that it can be parked.
    pub(super) clean: bool,
}

/// How long a connection may take for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) header: Duration,
    pub(super) idle: Duration,
    pub(super) progress: Duration,
    /// After this much time the client is asked to leave, and cut after that much more.
    pub(super) age: Option<Duration>,
    pub(super) age_grace: Option<Duration>,
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Idle,
    HeaderTimeout,
    WriteTimeout,
    MaxAge,
    Drain,
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing before that time, unless something happens.
    Until(Instant),
    /// Ask the client to leave, then ask again here.
    Retire,
    /// Give up the buffers until the client says something.
    Park,
    Close(Reason),
}

/// Follows one connection.
///
/// The clock is read only where a client is slow: a busy connection is looked at from time to time, more and more rarely.
#[derive(Debug)]
pub(super) struct Watch {
    limits: Limits,
    opened: Instant,
    seen: Seen,
    since: Instant,
    blocked_since: Instant,
    retired: bool,
    drain: Option<Draining>,
    silent_since: Instant,
    tick: Duration,
}

/// How long a connection is idle before it gives up its buffers, which are most of what it costs.
const PARK: Duration = Duration::from_millis(100);
/// How rarely a connection is looked at that is always busy.
const LONGEST_TICK: Duration = Duration::from_secs(4);

/// Since when the server drains, and how long a silent connection is still kept.
#[derive(Clone, Copy, Debug)]
struct Draining {
    since: Instant,
    linger: Duration,
}

// === impl Seen ===

impl Seen {
    pub(super) const NEW: Self = Self {
        phase: Phase::Opening,
        serial: 0,
        read: 0,
        written: 0,
        blocked: false,
        clean: false,
    };
}

// === impl Watch ===

impl Watch {
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            opened: now,
            seen: Seen::NEW,
            since: now,
            blocked_since: now,
            retired: false,
            drain: None,
            silent_since: now,
            tick: PARK,
        }
    }

    /// From now on a connection without a request is closed once it was silent for `linger`, and after twice that whatever
    /// it says: who sends a head byte by byte, or blank lines, does not hold the drain.
    pub(super) fn drain(&mut self, linger: Duration, now: Instant) {
        if self.drain.is_none() {
            self.drain = Some(Draining { since: now, linger });
            self.silent_since = now;
        }
    }

    /// Whether the client is to be asked to leave.
    pub(super) fn is_retired(&self) -> bool {
        self.retired
    }

    /// Whether `seen` must be [observed](Self::observe) at once rather than when the timer fires.
    pub(super) fn is_urgent(&self, seen: &Seen) -> bool {
        match seen.phase {
            Phase::Opening | Phase::Head => true,
            Phase::Idle => seen.blocked || self.drain.is_some(),
            Phase::Busy | Phase::Flushing | Phase::Upgraded => seen.blocked,
        }
    }

    pub(super) fn observe(&mut self, seen: Seen, now: Instant) -> Verdict {
        if seen.serial != self.seen.serial {
            self.since = now;
        }
        if seen.blocked && (!self.seen.blocked || seen.written != self.seen.written) {
            self.blocked_since = now;
        }
        if seen.read != self.seen.read || seen.serial != self.seen.serial {
            self.silent_since = now;
        }
        self.seen = seen;
        let mut until = now + self.tick.min(self.limits.idle / 8);
        self.tick = (self.tick * 2).min(LONGEST_TICK);
        for (deadline, reason) in self.deadlines() {
            if now >= deadline {
                return Verdict::Close(reason);
            }
            until = until.min(deadline);
        }
        if !self.retired
            && let Some(age) = self.limits.age
        {
            if now >= self.opened + age {
                self.retired = true;
                return Verdict::Retire;
            }
            until = until.min(self.opened + age);
        }
        if seen.phase == Phase::Idle && seen.clean {
            if now >= self.since + PARK {
                self.tick = PARK;
                return Verdict::Park;
            }
            until = until.min(self.since + PARK);
        }
        Verdict::Until(until)
    }

    /// The same for a connection that is parked or not yet greeted, and so cannot change unseen.
    pub(super) fn observe_parked(&mut self, seen: Seen, now: Instant) -> Verdict {
        match self.observe(
            Seen {
                clean: false,
                ..seen
            },
            now,
        ) {
            Verdict::Until(_) => {
                let next = self.deadlines().map(|(deadline, _)| deadline).min();
                let age = self.limits.age.filter(|_| !self.retired);
                let next = next
                    .into_iter()
                    .chain(age.map(|age| self.opened + age))
                    .min();
                Verdict::Until(next.unwrap_or(now + LONGEST_TICK))
            }
            other => other,
        }
    }

    fn deadlines(&self) -> impl Iterator<Item = (Instant, Reason)> {
        let Self { limits, seen, .. } = self;
        let phase = match seen.phase {
            Phase::Opening => Some((self.opened + limits.header, Reason::HeaderTimeout)),
            Phase::Head => Some((self.since + limits.header, Reason::HeaderTimeout)),
            Phase::Idle => Some((self.since + limits.idle, Reason::Idle)),
            Phase::Busy | Phase::Flushing | Phase::Upgraded => None,
        };
        let blocked = seen
            .blocked
            .then(|| (self.blocked_since + limits.progress, Reason::WriteTimeout));
        let linger = self.drain.filter(|_| phase.is_some()).map(|drain| {
            let silent = self.silent_since + drain.linger;
            let talks = self.since.max(drain.since) + drain.linger * 2;
            (silent.min(talks), Reason::Drain)
        });
        let aged = match (limits.age, limits.age_grace) {
            (Some(age), Some(grace)) if self.retired => {
                Some((self.opened + age + grace, Reason::MaxAge))
            }
            _ => None,
        };
        [phase, blocked, linger, aged].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reason::{Drain, HeaderTimeout, Idle, MaxAge, WriteTimeout};

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits {
            header: 10 * SECOND,
            idle: 75 * SECOND,
            progress: 30 * SECOND,
            age: None,
            age_grace: None,
        }
    }

    fn seen(phase: Phase, serial: u32) -> Seen {
        Seen {
            phase,
            serial,
            ..Seen::NEW
        }
    }

    /// Looks whenever the watch asks for it, up to `until`, at what `at` shows; gives the second of the first verdict.
    fn first(
        watch: &mut Watch,
        start: Instant,
        until: u64,
        at: impl Fn(u64) -> Seen,
    ) -> Option<(u64, Verdict)> {
        let mut now = start;
        while now <= start + until as u32 * SECOND {
            let second = (now - start).as_secs();
            match watch.observe(at(second), now) {
                Verdict::Until(next) => {
                    assert!(next > now);
                    now = next;
                }
                verdict => return Some((second, verdict)),
            }
        }
        None
    }

    #[test]
    fn every_phase_has_its_limit() {
        let blocked = Seen {
            blocked: true,
            ..seen(Phase::Busy, 1)
        };
        for (seen, end) in [
            (seen(Phase::Opening, 0), Some((10, HeaderTimeout))),
            (seen(Phase::Head, 1), Some((10, HeaderTimeout))),
            (seen(Phase::Idle, 1), Some((75, Idle))),
            (seen(Phase::Busy, 1), None),
            (seen(Phase::Flushing, 1), None),
            (blocked, Some((30, WriteTimeout))),
        ] {
            let start = Instant::now();
            let mut watch = Watch::new(limits(), start);
            let end = end.map(|(second, reason)| (second, Verdict::Close(reason)));
            assert_eq!(first(&mut watch, start, 200, |_| seen), end, "{seen:?}");
        }
    }

    #[test]
    fn progress_puts_the_write_limit_off() {
        let start = Instant::now();
        let mut watch = Watch::new(limits(), start);
        let slow = |second| Seen {
            blocked: true,
            written: second as u32 / 20,
            ..seen(Phase::Busy, 1)
        };
        assert_eq!(first(&mut watch, start, 300, slow), None);
    }

    #[test]
    fn a_clean_connection_is_parked_and_still_closed_when_idle() {
        let start = Instant::now();
        let mut watch = Watch::new(limits(), start);
        let idle = Seen {
            clean: true,
            ..seen(Phase::Idle, 1)
        };
        assert_eq!(
            first(&mut watch, start, 9, |_| idle),
            Some((0, Verdict::Park))
        );
        let parked = watch.observe_parked(idle, start + SECOND);
        assert_eq!(parked, Verdict::Until(start + 75 * SECOND));
        let end = watch.observe_parked(idle, start + 75 * SECOND);
        assert_eq!(end, Verdict::Close(Idle));
    }

    #[test]
    fn a_drain_closes_what_is_silent_for_the_linger_and_nothing_else() {
        for (phase, closes) in [
            (Phase::Opening, true),
            (Phase::Idle, true),
            (Phase::Head, true),
            (Phase::Busy, false),
            (Phase::Flushing, false),
        ] {
            let start = Instant::now();
            let mut watch = Watch::new(limits(), start);
            watch.observe(seen(phase, 1), start);
            watch.drain(2 * SECOND, start + SECOND);
            watch.drain(9 * SECOND, start + 2 * SECOND);
            let mut later = |read, second| {
                let seen = Seen {
                    read,
                    ..seen(phase, 1)
                };
                watch.observe(seen, start + second * SECOND)
            };
            assert!(matches!(later(1, 2), Verdict::Until(_)), "{phase:?}");
            assert!(matches!(later(1, 3), Verdict::Until(_)), "{phase:?}");
            let closed = later(1, 4) == Verdict::Close(Drain);
            assert_eq!(closed, closes, "{phase:?}");
        }
    }

    #[test]
    fn a_drain_closes_who_talks_without_a_request_after_twice_the_linger() {
        for (phase, end) in [
            (Phase::Opening, Some(4)),
            (Phase::Idle, Some(4)),
            (Phase::Head, Some(4)),
            (Phase::Busy, None),
        ] {
            let start = Instant::now();
            let mut watch = Watch::new(limits(), start);
            watch.drain(2 * SECOND, start);
            let talks = |second| Seen {
                read: second as u32,
                ..seen(phase, 0)
            };
            let closed = (0..9).find(|second| {
                let now = start + *second as u32 * SECOND;
                watch.observe(talks(*second), now) == Verdict::Close(Drain)
            });
            assert_eq!(closed, end, "{phase:?}");
        }
    }

    #[test]
    fn a_head_that_begins_in_a_drain_has_twice_the_linger_for_itself() {
        let start = Instant::now();
        let mut watch = Watch::new(limits(), start);
        watch.drain(2 * SECOND, start);
        let begins = |second| match second {
            0 => seen(Phase::Idle, 0),
            _ => Seen {
                read: second as u32,
                ..seen(Phase::Head, 1)
            },
        };
        let closed = (0..9).find(|second| {
            let now = start + *second as u32 * SECOND;
            watch.observe(begins(*second), now) == Verdict::Close(Drain)
        });
        assert_eq!(closed, Some(5));
    }

    #[test]
    fn an_old_connection_is_retired_once_and_cut_after_the_grace() {
        let start = Instant::now();
        let limits = Limits {
            age: Some(20 * SECOND),
            age_grace: Some(5 * SECOND),
            ..limits()
        };
        let mut watch = Watch::new(limits, start);
        let busy = seen(Phase::Busy, 1);
        assert_eq!(
            first(&mut watch, start, 60, |_| busy),
            Some((20, Verdict::Retire))
        );
        let cut = start + 25 * SECOND;
        assert_eq!(
            watch.observe(busy, start + 21 * SECOND),
            Verdict::Until(cut)
        );
        assert_eq!(watch.observe(busy, cut), Verdict::Close(MaxAge));
    }
}
