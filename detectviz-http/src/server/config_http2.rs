//! What a user may set about HTTP/2.
use detectviz_core::config::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of HTTP/2 connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Http2Config {
    /// Whether HTTP/2 is spoken: by prior knowledge, and over TLS by ALPN.
    pub enabled: bool,
    /// How many requests one connection may have in flight.
    pub max_concurrent_streams: u32,
    /// How large the headers of one request may be, decoded; more is answered with 431.
    pub max_header_list_size: ByteSize,
    /// How much of one request body may be on its way before the handler reads it.
    pub stream_window: ByteSize,
    /// How much of all request bodies of one connection may be on its way.
    pub connection_window: ByteSize,
    /// How many streams that a client opened and reset at once may wait to be noticed before the connection is closed:
    /// the guard against CVE-2023-44487 (Rapid Reset).
    pub max_pending_reset_streams: u32,
    /// How many streams may be reset for errors of the client before the connection is closed.
    pub max_error_reset_streams: u32,
    /// How often a ping asks whether the other end still lives; `0s` never.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub keep_alive_interval: Duration,
    /// How long that ping may stay unanswered.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "detectviz_core::config::DurationText")]
    pub keep_alive_timeout: Duration,
}

/// RFC 9113 §6.9.1: the largest flow-control window.
const MAX_WINDOW: u64 = (1 << 31) - 1;

// === impl Http2Config ===

impl Http2Config {
    /// What is wrong: the key below `http2`, what about it, and what to write instead.
    pub(super) fn problems(&self) -> Vec<(&'static str, String, String)> {
        let mut problems = Vec::new();
        let mut problem = |key, what: &str, remedy: &str| {
            problems.push((key, what.to_owned(), remedy.to_owned()))
        };
        if self.max_concurrent_streams == 0 {
            problem(
                "http2.max_concurrent_streams",
                "lets no request in",
                "write at least 1, such as 200",
            );
        }
        for (key, size) in [
            ("http2.stream_window", self.stream_window),
            ("http2.connection_window", self.connection_window),
        ] {
            if size.0 < 65_535 || size.0 > MAX_WINDOW {
                problem(
                    key,
                    "is not between 65535B and 2147483647B",
                    "write a size in between, such as `1MiB`",
                );
            }
        }
        if self.max_header_list_size.0 < 1024 || self.max_header_list_size.0 > 1 << 20 {
            problem(
                "http2.max_header_list_size",
                "is not between 1KiB and 1MiB",
                "write a size in between, such as `32KiB`",
            );
        }
        if !self.keep_alive_interval.is_zero() && self.keep_alive_timeout.is_zero() {
            problem(
                "http2.keep_alive_timeout",
                "gives no time to answer",
                "write a longer time, such as `10s`",
            );
        }
        problems
    }
}

impl Default for Http2Config {
    fn default() -> Self {
        Self {
            enabled: true,
            max_concurrent_streams: 200,
            max_header_list_size: ByteSize(32 * 1024),
            stream_window: ByteSize(256 * 1024),
            connection_window: ByteSize(1024 * 1024),
            max_pending_reset_streams: 20,
            max_error_reset_streams: 256,
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(10),
        }
    }
}
