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
    linger: Option<Duration>,
    silent_since: Instant,
    tick: Duration,
}

/// How long a connection is idle before it gives up its buffers, which are most of what it costs.
const PARK: Duration = Duration::from_millis(100);
/// How rarely a connection is looked at that is always busy.
const LONGEST_TICK: Duration = Duration::from_secs(4);

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
            linger: None,
            silent_since: now,
            tick: PARK,
        }
    }

    /// From now on a connection without a request is closed once it was silent for `linger`.
    pub(super) fn drain(&mut self, linger: Duration, now: Instant) {
        if self.linger.is_none() {
            self.linger = Some(linger);
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
            Phase::Idle => seen.blocked || self.linger.is_some(),
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
        let linger = self
            .linger
            .filter(|_| phase.is_some())
            .map(|linger| (self.silent_since + linger, Reason::Drain));
        let aged = match (limits.age, limits.age_grace) {
            (Some(age), Some(grace)) if self.retired => {
                Some((self.opened + age + grace, Reason::MaxAge))
            }
            _ => None,
        };
        [phase, blocked, linger, aged].into_iter().flatten()
    }
}
