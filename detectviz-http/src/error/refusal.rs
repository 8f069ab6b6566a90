//! An error that knows its own status.
use http::StatusCode;
use std::{borrow::Cow, error, fmt};

/// A request is answered with this status, and the client may read why.
///
/// What a handler or a layer returns, or gives as the source of its error, when it rather than the
/// [table](super::status_of) decides the answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    detail: Cow<'static, str>,
}

impl Refusal {
    /// Refuses with `status`; `detail` is shown to the client, so it must be safe to show.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }

    /// The same, for a `static`: what an error of your own gives as its source to be answered with this status.
    #[must_use]
    pub const fn from_static(status: StatusCode, detail: &'static str) -> Self {
        Self {
            status,
            detail: Cow::Borrowed(detail),
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client reads.
    #[must_use]
    pub fn detail(&self) -> &Cow<'static, str> {
        &self.detail
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}: {}", self.status, self.detail)
    }
}

impl error::Error for Refusal {}
