//! How a head is read.
use http::{StatusCode, Version};

/// Whether no content follows the head of a response (RFC 9110 §6.4.1).
pub(crate) fn bodiless(head: bool, status: StatusCode) -> bool {
    let without = matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS
    );
    head || without
}

/// What OpenTelemetry calls `network.protocol.version`.
pub(crate) fn protocol_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
