//! Which traces are recorded.
use crate::telemetry::context::{TraceContext, TraceId};

/// Decides which traces are recorded.
///
/// The decision is taken where a trace starts, by the trace id alone, so that every service that uses the same ratio decides
/// alike. Whoever is called follows the caller, unless told [otherwise](Self::ignoring_parent). After OpenTelemetry's
/// `ParentBased` and `TraceIdRatioBased`; the threshold is compared as its SDKs for Go and Rust do, with 63 bits of the last
/// 8 bytes of the trace id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// From 0, no trace, to 2⁶³, every trace.
    threshold: u64,
    parent_based: bool,
}

const ALWAYS: u64 = 1 << 63;

// === impl Sampler ===

impl Sampler {
    /// Records every trace that starts here.
    #[must_use]
    pub const fn always_on() -> Self {
        Self {
            threshold: ALWAYS,
            parent_based: true,
        }
    }

    /// Records no trace that starts here.
    #[must_use]
    pub const fn always_off() -> Self {
        Self {
            threshold: 0,
            parent_based: true,
        }
    }

    /// Records this share of the traces that start here, from 0.0 to 1.0; what is outside counts as the nearer end, and not
    /// a number as 0.0.
    #[must_use]
    pub fn ratio(share: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "the product lies between 0 and 2^63, and the cast saturates"
        )]
        let threshold = (share.max(0.0) * ALWAYS as f64) as u64;
        Self {
            threshold: threshold.min(ALWAYS),
            parent_based: true,
        }
    }

    /// Decides for every span by the trace id, whatever the caller decided.
    #[must_use]
    pub const fn ignoring_parent(mut self) -> Self {
        self.parent_based = false;
        self
    }

    /// Whether a trace that starts here is recorded.
    #[inline]
    #[must_use]
    pub fn sample_root(&self, trace_id: TraceId) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace_id.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1 < self.threshold
    }

    /// Whether a span in a trace that the caller handed over is recorded.
    #[inline]
    #[must_use]
    pub fn sample_child(&self, parent: &TraceContext) -> bool {
        if self.parent_based {
            parent.is_sampled()
        } else {
            self.sample_root(parent.trace_id())
        }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::always_on()
    }
}
