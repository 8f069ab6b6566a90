//! The endpoint that a call was given.
use super::{EndpointId, Outcome, endpoint::EndpointState, gate::Gate, vitals::Ended};
use crate::discovery::Endpoint;
use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

/// The endpoint that a call was given; as long as it lives the call is in flight, and the endpoint's transport stays, whatever
/// discovery says meanwhile.
///
/// [`finish`](Self::finish) says how the call ended.
///
/// # Cancel safety
/// Dropped without that, the call counts for nothing: its place, and the right to probe an ejected endpoint, are free again.
#[must_use = "a call that is dropped at once counts for nothing"]
pub struct Picked<T> {
    state: Arc<EndpointState<T>>,
    /// When it began, and the two flags; [`DONE`] once it has ended.
    word: u64,
}

/// The call decides whether an ejected endpoint comes back.
const PROBE: u64 = 1 << 63;
/// The call is counted among all of the service.
const COUNTED: u64 = 1 << 62;
/// The call was taken under a limit.
const LIMITED: u64 = 1 << 61;
const DONE: u64 = u64::MAX;

// === impl Picked ===

impl<T> Picked<T> {
    #[inline]
    pub(super) fn new(state: Arc<EndpointState<T>>, now: u64) -> Self {
        Self {
            state,
            word: now & Gate::LATEST,
        }
    }

    /// A call that is more than that.
    #[inline]
    pub(super) fn with(mut self, probe: bool, counted: bool, limited: bool) -> Self {
        for (is, flag) in [(probe, PROBE), (counted, COUNTED), (limited, LIMITED)] {
            self.word |= if is { flag } else { 0 };
        }
        self
    }

    /// What the transport keeps for the endpoint.
    #[inline]
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.state.about.transport
    }

    /// The endpoint as discovery described it last.
    #[must_use]
    pub fn endpoint(&self) -> Arc<Endpoint> {
        self.state.about.endpoint.load_full()
    }

    /// `host:port` of the endpoint.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.state.about.authority
    }

    /// Names the endpoint, for the [`exclude`](super::PickContext::exclude) of the next attempt.
    #[inline]
    #[must_use]
    pub fn id(&self) -> EndpointId {
        EndpointId(self.state.vitals.rare.id)
    }

    /// Whether this call is the one that decides if an ejected endpoint comes back. Until it has [finished](Self::finish) there is
    /// no other, so that for a long stream the arrival of the answer's head is a good time.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.word & PROBE != 0
    }

    /// The call has ended at `now`.
    #[inline]
    pub fn finish(mut self, outcome: Outcome, now: Instant) {
        let call = Ended {
            outcome,
            started: self.started(),
            now: self.state.shared.nanos(now),
            probe: self.is_probe(),
        };
        self.uncount();
        self.word = DONE;
        self.state.vitals.ended(call, &self.state.shared);
    }

    fn started(&self) -> u64 {
        self.word & Gate::LATEST
    }

    #[inline]
    fn uncount(&self) {
        if self.word & (COUNTED | LIMITED) != 0 {
            self.uncount_flagged();
        }
    }

    fn uncount_flagged(&self) {
        if self.word & COUNTED != 0 {
            self.state.shared.in_flight.fetch_sub(1, Relaxed);
        }
        if self.word & LIMITED != 0 {
            self.state.vitals.give_back();
        }
    }
}

impl<T> Drop for Picked<T> {
    #[inline]
    fn drop(&mut self) {
        if self.word != DONE {
            self.uncount();
            let probe = self.is_probe().then(|| self.started());
            self.state.vitals.ignored(probe);
        }
    }
}

impl<T> fmt::Debug for Picked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picked")
            .field("authority", &self.authority())
            .field("probe", &self.is_probe())
            .finish_non_exhaustive()
    }
}
