//! Why no endpoint was chosen.
use std::{error, fmt, sync::Arc};

/// The service is known, and none of its endpoints may be given a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoEndpoints {
    /// The service.
    pub service: Arc<str>,
    /// How many endpoints are known, none of them usable.
    pub known: usize,
    /// Why none of them is.
    pub reason: NoEndpointsReason,
}

/// Why none of the endpoints may be given a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoEndpointsReason {
    /// None is ready and has a weight, or all that are have been ejected.
    Unusable,
    /// Those that may be called have as many calls in flight as they may have.
    Full,
}

// === impl NoEndpoints ===

impl NoEndpoints {
    /// The refusal of a call to `service`.
    #[must_use]
    pub fn new(service: impl Into<Arc<str>>, known: usize, reason: NoEndpointsReason) -> Self {
        Self {
            service: service.into(),
            known,
            reason,
        }
    }
}

impl fmt::Display for NoEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, known, .. } = self;
        match self.reason {
            NoEndpointsReason::Unusable => write!(
                f,
                "service `{service}` has no usable endpoint ({known} known): start an instance, or look at the readiness \
                 and weight of those that run"
            ),
            NoEndpointsReason::Full => write!(
                f,
                "every endpoint of service `{service}` ({known} known) has as many calls in flight as it may have: start \
                 instances, or raise `limits.in_flight`"
            ),
        }
    }
}

impl error::Error for NoEndpoints {}

// === impl NoEndpointsReason ===

impl NoEndpointsReason {
    pub(super) const ALL: [Self; 2] = [Self::Unusable, Self::Full];

    /// The value of the metric's label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unusable => "unusable",
            Self::Full => "full",
        }
    }
}
