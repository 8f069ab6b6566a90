//! How much time each step of a shutdown has left: no clock, no async.
use super::ShutdownConfig;
use std::time::{Duration, Instant};

/// One step of a shutdown, in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Not ready, still serving.
    PreStop,
    /// Accepted work is finished.
    Drain,
    /// The user's hooks run.
    Hooks,
    /// The telemetry of the work that was drained is sent.
    Flush,
    /// Parts release what they hold.
    Stop,
    /// The telemetry of the last steps is sent.
    LastFlush,
    /// The remaining tasks end.
    Join,
}

/// The budget of one shutdown. `now` never runs backwards.
#[derive(Debug)]
pub(super) struct Budget {
    pre_stop: Duration,
    drain_end: Instant,
    hooks_end: Instant,
    end: Instant,
    stop: Duration,
    flush_left: Duration,
}

/// How long tasks may take to notice that they are cancelled: at least this, even after the grace, and…
const JOIN_AT_LEAST: Duration = Duration::from_millis(250);
/// …at most this, however much of the grace is left: whoever still runs then does not listen.
const JOIN_AT_MOST: Duration = Duration::from_secs(1);
/// What an aborted shutdown still gets for letting go and for flushing, each.
const ABORTED: Duration = Duration::from_millis(250);
/// What it still gets for finding out whether anything is in flight at all.
const ABORTED_DRAIN: Duration = Duration::from_millis(100);

// === impl Step ===

impl Step {
    /// The step in lower case, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreStop => "pre-stop",
            Self::Drain => "drain",
            Self::Hooks => "hooks",
            Self::Flush => "flush",
            Self::Stop => "stop",
            Self::LastFlush => "last flush",
            Self::Join => "join",
        }
    }
}

// === impl Budget ===

impl Budget {
    pub(super) fn new(config: &ShutdownConfig, pre_stop: Duration, started: Instant) -> Self {
        let end = started + config.grace;
        let cut =
            |at: Instant, share: Duration| at.checked_add(share).map_or(end, |at| at.min(end));
        let pre_stop_end = cut(started, pre_stop);
        let drain_end = cut(pre_stop_end, config.drain);
        let hooks_end = cut(drain_end, config.hooks);
        Self {
            pre_stop: pre_stop_end - started,
            drain_end,
            hooks_end,
            end,
            stop: config.stop,
            flush_left: config.flush,
        }
    }

    /// When the drain will be cut.
    pub(super) fn drain_until(&self) -> Instant {
        self.drain_end
    }

    /// A second signal: what is still to come gets next to nothing, and hooks nothing.
    pub(super) fn abort(&mut self, now: Instant) {
        self.pre_stop = Duration::ZERO;
        self.drain_end = self.drain_end.min(now + ABORTED_DRAIN);
        self.hooks_end = self.hooks_end.min(now);
        self.flush_left = self.flush_left.min(ABORTED);
        self.stop = self.stop.min(ABORTED);
        self.end = self.end.min(now + ABORTED_DRAIN + ABORTED + ABORTED);
    }

    /// How long `step` may take when it begins now.
    pub(super) fn limit(&self, step: Step, now: Instant) -> Duration {
        let until = |end: Instant| end.saturating_duration_since(now);
        let left = until(self.end);
        match step {
            Step::PreStop => self.pre_stop.min(left),
            Step::Drain => until(self.drain_end),
            Step::Hooks => until(self.hooks_end),
            // A slow collector does not eat what the parts need in order to let go.
            Step::Flush => self.flush_left.min(left.saturating_sub(self.stop)),
            Step::Stop => left.saturating_sub(self.flush_left),
            Step::LastFlush => self.flush_left.min(left),
            Step::Join => left.clamp(JOIN_AT_LEAST, JOIN_AT_MOST),
        }
    }

    /// Takes what flushing has used out of what it may still use.
    pub(super) fn flushed(&mut self, took: Duration) {
        self.flush_left = self.flush_left.saturating_sub(took);
    }
}
