//! The `traceparent` header, after W3C Trace Context level 2.
use super::{SpanId, TraceId};
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
    pub fn parse(header: &[u8]) -> Result<Self, MalformedTraceparent> {
        let (known, rest) = header
            .split_at_checked(Self::LEN)
            .ok_or(MalformedTraceparent)?;
        let version = hex::<1>(&known[..2])?[0];
        let ends_well = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let dashes = [2, 35, 52].iter().all(|&at| known[at] == b'-');
        if !ends_well || !dashes {
            return Err(MalformedTraceparent);
        }
        let trace_id = TraceId::from_bytes(hex(&known[3..35])?).ok_or(MalformedTraceparent)?;
        let span_id = SpanId::from_bytes(hex(&known[36..52])?).ok_or(MalformedTraceparent)?;
        Ok(Self::new(trace_id, span_id, hex::<1>(&known[53..55])?[0]))
    }

    /// Writes the header, in version 00.
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

/// Reads lower-case hexadecimal digits, two a byte.
fn hex<const N: usize>(digits: &[u8]) -> Result<[u8; N], MalformedTraceparent> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(MalformedTraceparent),
    };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Ok(out)
}
