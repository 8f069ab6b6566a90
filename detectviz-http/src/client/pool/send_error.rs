//! Why a call could not be sent, and whether anything was.
use super::super::Body;
use detectviz_core::error::BoxError;
use http::Request;

/// A call got no response.
#[derive(Debug)]
pub(in super::super) struct SendError {
    pub(in super::super) source: BoxError,
    /// The request, when not a byte of it was sent: then it may be sent again whatever it does.
    pub(in super::super) unsent: Option<Box<Request<Body>>>,
}

// === impl SendError ===

impl SendError {
    pub(super) fn unsent(source: impl Into<BoxError>, request: Request<Body>) -> Self {
        Self {
            source: source.into(),
            unsent: Some(Box::new(request)),
        }
    }

    pub(super) fn sent(source: impl Into<BoxError>) -> Self {
        Self {
            source: source.into(),
            unsent: None,
        }
    }
}
