//! What a protocol knows of its requests and answers.
use super::Outcome;
use std::time::Instant;

/// What a protocol knows: which requests may be sent again, from what, and what an answer means.
///
/// tower's `Policy` clones every request, headers and all, for the few that fail. Here a policy says what it keeps: nothing of
/// a request that must not be sent twice, else as little as it can be made anew from, a [`Snapshot`](super::Snapshot) of its
/// headers for instance. Attempts, waits and the budget are not its business.
///
/// ```
/// use detectviz_core::resilience::retry::{Outcome, Policy, Reason};
///
/// /// Reads by key, which may be repeated, from a store that is sometimes busy.
/// #[derive(Clone)]
/// struct Reads;
///
/// impl Policy<u64, String, std::io::Error> for Reads {
///     type Saved = u64;
///
///     fn save(&self, key: &u64) -> Option<u64> {
///         Some(*key)
///     }
///
///     fn restore(&self, key: &u64, _attempt: u32) -> u64 {
///         *key
///     }
///
///     fn classify(&self, _: Option<&Self::Saved>, answer: &Result<String, std::io::Error>) -> Outcome {
///         match answer {
///             Ok(_) => Outcome::Success,
///             Err(err) if err.kind() == std::io::ErrorKind::TimedOut => Outcome::retryable(Reason::Timeout),
///             Err(_) => Outcome::Fatal,
///         }
///     }
/// }
/// ```
pub trait Policy<Req, Res, E> {
    /// What is kept of a request until its call ends.
    type Saved;

    /// Keeps what is needed to send `req` again; `None` when that must not or cannot be done.
    fn save(&self, req: &Req) -> Option<Self::Saved>;

    /// Makes the request of attempt number `attempt`, which is 2 or more.
    fn restore(&self, saved: &Self::Saved, attempt: u32) -> Req;

    /// How an attempt ended, of a request of which `saved` was kept, if anything. A response may be one that is worth another
    /// attempt; if there is none, it is what the caller gets.
    ///
    /// A request that must not take effect twice may be kept all the same, and tried again when nothing of it was sent;
    /// all its other failures are [`NotSafe`](Outcome::NotSafe).
    fn classify(&self, saved: Option<&Self::Saved>, answer: &Result<Res, E>) -> Outcome;

    /// Whether the request may take effect twice. Only such a one is [hedged](crate::resilience::hedge).
    fn idempotent(&self, saved: &Self::Saved) -> bool {
        let _ = saved;
        true
    }

    /// When the caller stops waiting, if the request says so. The deadline of the current request's
    /// [slot](crate::telemetry::context::Slot::deadline) counts without this.
    fn deadline(&self, saved: &Self::Saved) -> Option<Instant> {
        let _ = saved;
        None
    }
}
