//! Why a call could not be sent, and whether anything was.
use super::super::Body;
use detectviz_core::error::BoxError;
use http::Request;
use std::{error, fmt};

/// A call got no response.
#[derive(Debug)]
pub(in super::super) struct SendError {
    pub(in super::super) source: BoxError,
    /// The request, when not a byte of it was sent: then it may be sent again whatever it does.
    pub(in super::super) unsent: Option<Box<Request<Body>>>,
}

/// An endpoint has all the connections that it may have, and as many calls wait for one as may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooManyPending {
    /// The endpoint, as `host:port`.
    pub authority: String,
    /// How many connections it may have.
    pub max_connections: usize,
    /// How many calls may wait.
    pub max_pending: usize,
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

// === impl TooManyPending ===

impl TooManyPending {
    pub(super) fn new(authority: &str, max_connections: usize, max_pending: usize) -> Self {
        Self {
            authority: authority.to_owned(),
            max_connections,
            max_pending,
        }
    }
}

impl fmt::Display for TooManyPending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            authority,
            max_connections,
            max_pending,
        } = self;
        write!(
            f,
            "`{authority}` is busy: {max_connections} connections are in use and {max_pending} calls wait for one; the limits \
             are client.max_connections and client.max_pending"
        )
    }
}

impl error::Error for TooManyPending {}
