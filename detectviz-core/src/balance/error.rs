//! Why no endpoint was chosen.
use std::{error, fmt};

/// The service is known, and none of its endpoints may be given a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoEndpoints {
    /// The service.
    pub service: String,
    /// How many endpoints are known, none of them usable.
    pub known: usize,
}

impl fmt::Display for NoEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, known } = self;
        write!(
            f,
            "service `{service}` has no usable endpoint ({known} known): start an instance, or look at the readiness and \
             weight of those that run"
        )
    }
}

impl error::Error for NoEndpoints {}
