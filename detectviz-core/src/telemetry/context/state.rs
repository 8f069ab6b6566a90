//! The `traceparent` header, after W3C Trace Context level 2.
use super::{SpanId, TraceId, hex};
use std::{error, fmt};

/// The part of a trace that crosses a process boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
}

/// A `traceparent` that does not follow the specification; the trace starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedTraceparent;

const SAMPLED: u8 = 0b01;
const RANDOM: u8 = 0b10;

// === impl TraceContext ===

impl TraceContext {
    /// The length of a version 00 header in bytes.
    pub const LEN: usize = 55;

    /// A context from its parts. Of `flags`, only the two bits that level 2 defines are kept: 1 is sampled, 2 says that
    /// the trace id is random.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, flags: u8) -> Self {
        Self {
            trace_id,
            span_id,
            flags: flags & (SAMPLED | RANDOM),
        }
    }

    /// A new trace with random ids.
    #[must_use]
    pub fn root(sampled: bool) -> Self {
        let flags = RANDOM | u8::from(sampled);
        Self::new(TraceId::random(), SpanId::random(), flags)
    }

    /// The same trace, in a new span.
    #[inline]
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: SpanId::random(),
            ..*self
        }
    }

    /// Reads a `traceparent` header. Higher versions are read as far as version 00 goes, as the specification asks.
    ///
    /// # Errors
    /// [`MalformedTraceparent`] for anything that must restart the trace: version `ff`, upper-case digits, ids of zeros,
    /// a wrong length, data after the flags in version 00.
    #[inline]
    pub fn parse(header: &[u8]) -> Result<Self, MalformedTraceparent> {
        let (known, rest) = header
            .split_first_chunk::<{ Self::LEN }>()
            .ok_or(MalformedTraceparent)?;
        let plain = known[0] == b'0' && known[1] == b'0' && rest.is_empty();
        if !plain && !is_later_version(known[0], known[1], rest) {
            return Err(MalformedTraceparent);
        }
        if known[2] != b'-' || known[35] != b'-' || known[52] != b'-' {
            return Err(MalformedTraceparent);
        }
        let (digits, _) = known[3..35].as_chunks::<16>();
        let ((high, high_valid), (low, low_valid)) = (hex::read(&digits[0]), hex::read(&digits[1]));
        let (digits, _) = known[36..52].as_chunks::<16>();
        let (span_id, span_valid) = hex::read(&digits[0]);
        let flags = two_digits(known[53], known[54]).ok_or(MalformedTraceparent)?;
        // All digits have been read before what is wrong is looked at.
        if !(high_valid & low_valid & span_valid) {
            return Err(MalformedTraceparent);
        }
        let trace_id = u128::from(high) << 64 | u128::from(low);
        let trace_id = TraceId::from_bytes(trace_id.to_be_bytes()).ok_or(MalformedTraceparent)?;
        let span_id = SpanId::from_bytes(span_id.to_be_bytes()).ok_or(MalformedTraceparent)?;
        Ok(Self::new(trace_id, span_id, flags))
    }

    /// Writes the header, in version 00.
    #[inline]
    #[must_use]
    pub fn to_header(&self) -> [u8; Self::LEN] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
        out[3..35].copy_from_slice(&self.trace_id.to_hex());
        out[36..52].copy_from_slice(&self.span_id.to_hex());
        out[54] = b'0' + self.flags;
        out
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span within it.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// The flags: 1 is sampled, 2 says that the trace id is random.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The same with another decision on sampling.
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.flags = (self.flags & !SAMPLED) | u8::from(sampled);
        self
    }
}

// === impl MalformedTraceparent ===

impl fmt::Display for MalformedTraceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the traceparent header is malformed: the trace starts anew")
    }
}

impl error::Error for MalformedTraceparent {}

/// Whether this is a version after 00, and what follows the flags is set off as the specification asks (§3.2.4).
#[cold]
fn is_later_version(high: u8, low: u8, rest: &[u8]) -> bool {
    let version = two_digits(high, low);
    let known = matches!(version, Some(1..=0xfe));
    known && rest.first().is_none_or(|byte| *byte == b'-')
}

/// The value of two digits.
#[inline]
fn two_digits(high: u8, low: u8) -> Option<u8> {
    Some(hex::digit(high)? << 4 | hex::digit(low)?)
}
