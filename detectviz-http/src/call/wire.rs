//! How a head is read.
use http::{StatusCode, Version};

/// How a request came, as far as this hop knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wire {
    /// Whether it was encrypted.
    pub(crate) secure: bool,
    pub(crate) version: Version,
}

/// Whether no content follows the head of a response (RFC 9110 §6.4.1).
pub(crate) fn bodiless(head: bool, status: StatusCode) -> bool {
    let without = matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS
    );
    head || without
}

// === impl Wire ===

impl Wire {
    /// What OpenTelemetry calls `url.scheme`.
    pub(crate) fn scheme(self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// What OpenTelemetry calls `network.protocol.version`.
    pub(crate) fn version(self) -> &'static str {
        match self.version {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        }
    }
}
