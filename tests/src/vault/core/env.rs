//! What the thinking is given: the time, and a generator.
use super::text::date;
use std::time::Duration;

/// Time and randomness of one request.
#[derive(Debug)]
pub(super) struct Env {
    /// Vault's time since the server started.
    pub now: Duration,
    /// What a calendar said when it started, in seconds since 1970.
    pub unix_start: u64,
    pub rng: fastrand::Rng,
}

impl Env {
    /// Seconds since 1970 at `at`.
    pub(super) fn unix(&self, at: Duration) -> u64 {
        self.unix_start + at.as_secs()
    }

    /// `at` as RFC 3339 prints it, with nanoseconds as Vault does.
    pub(super) fn date(&self, at: Duration) -> String {
        date(self.unix(at), at.subsec_nanos())
    }

    /// Seconds since 1970 as RFC 3339 prints them.
    pub(super) fn calendar(&self, unix: u64) -> String {
        date(unix, 0)
    }

    /// `len` letters and digits.
    pub(super) fn word(&mut self, len: usize) -> String {
        (0..len).map(|_| self.rng.alphanumeric()).collect()
    }

    /// A random UUID.
    pub(super) fn uuid(&mut self) -> String {
        let digits = format!("{:032x}", self.rng.u128(..));
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
        parts.map(|part| &digits[part]).join("-")
    }
}
