//! Why an upstream could not be reached or did not answer.
use detectviz_core::{
    config::show_duration,
    error::{BoxError, cause_ref},
};
use std::{error::Error, fmt, time::Duration};

/// No connection was made in time: name, TCP and TLS together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectTimeout {
    /// Who was called, as `host:port`.
    pub authority: String,
    /// The limit that was exceeded.
    pub limit: Duration,
}

/// No connection was made: nobody listens, the name has no address, the certificate is not trusted.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectFailed {
    /// Who was called, as `host:port`.
    pub authority: String,
    source: BoxError,
}

/// A call failed on its way: no connection, or one that broke before the response was complete. What happened is among
/// its causes.
#[derive(Debug)]
#[non_exhaustive]
pub struct SendFailed {
    /// Who was called: the host of the request.
    pub host: String,
    source: BoxError,
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

// === impl ConnectTimeout ===

impl fmt::Display for ConnectTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no connection to `{}` within {}: is it up, and does the network let us through? The limit is \
             client.connect_timeout",
            self.authority,
            show_duration(self.limit)
        )
    }
}

impl Error for ConnectTimeout {}

// === impl ConnectFailed ===

impl ConnectFailed {
    pub(crate) fn new(authority: String, source: impl Into<BoxError>) -> Self {
        Self {
            authority,
            source: source.into(),
        }
    }
}

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = Root(&*self.source);
        write!(f, "no connection to `{}`: {cause}", self.authority)
    }
}

impl Error for ConnectFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

// === impl SendFailed ===

impl SendFailed {
    pub(crate) fn new(host: &str, source: impl Into<BoxError>) -> Self {
        Self {
            host: host.to_owned(),
            source: source.into(),
        }
    }
}

impl fmt::Display for SendFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, source } = self;
        write!(f, "the call to `{host}` failed: ")?;
        if let Some(cause) = cause_ref::<ConnectFailed>(&**source) {
            return fmt::Display::fmt(cause, f);
        }
        fmt::Display::fmt(&Root(&**source), f)
    }
}

impl Error for SendFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

// === impl TooManyPending ===

impl TooManyPending {
    pub(crate) fn new(authority: &str, max_connections: usize, max_pending: usize) -> Self {
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
             are connections and pending in balance.limits of the client's policy"
        )
    }
}

impl Error for TooManyPending {}

/// Shows the end of a chain of causes, where drivers say what happened.
struct Root<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Root<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0;
        while let Some(next) = last.source() {
            last = next;
        }
        write!(f, "{last}")
    }
}
