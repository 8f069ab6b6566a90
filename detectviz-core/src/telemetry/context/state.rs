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
        let version = byte(known[0], known[1])?;
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
        let flags = byte(known[53], known[54])?;
        Ok(Self::new(trace_id, span_id, flags))
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

/// Reads lower-case hexadecimal digits, two a byte. All of them are read before what is wrong is looked at.
#[inline]
fn hex<const N: usize>(digits: &[u8]) -> Result<[u8; N], MalformedTraceparent> {
    let mut out = [0; N];
    let mut valid = true;
    let (words, _) = out.as_chunks_mut::<4>();
    let (digits, _) = digits.as_chunks::<8>();
    for (word, digits) in words.iter_mut().zip(digits) {
        let (value, are_digits) = eight_digits(*digits);
        *word = value.to_be_bytes();
        valid &= are_digits;
    }
    if valid {
        Ok(out)
    } else {
        Err(MalformedTraceparent)
    }
}

/// Reads two digits.
#[inline]
fn byte(high: u8, low: u8) -> Result<u8, MalformedTraceparent> {
    match eight_digits([b'0', b'0', b'0', b'0', b'0', b'0', high, low]) {
        (value, true) => Ok(value as u8),
        (_, false) => Err(MalformedTraceparent),
    }
}

/// The value of eight digits, and whether they are digits. The bytes of one word are looked at together: what is added to
/// each sets its highest bit where it is at least `0`, above `9`, at least `a`, above `f`.
#[inline]
fn eight_digits(digits: [u8; 8]) -> (u32, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = 0x80 * ONES;
    let word = u64::from_be_bytes(digits);
    let low = word & !HIGHEST;
    let at_least = |byte: u8| low + u64::from(0x80 - byte) * ONES;
    let decimal = at_least(b'0') & !at_least(b'9' + 1);
    let letter = at_least(b'a') & !at_least(b'f' + 1) & HIGHEST;
    let valid = (decimal | letter) & !word & HIGHEST == HIGHEST;
    let mut value = (word & (0x0f * ONES)) + (letter >> 7) * 9;
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    (((value | value >> 16) & 0xffff_ffff) as u32, valid)
}

#[cfg(test)]
mod hex_tests {
    use super::*;

    #[test]
    fn each_byte_is_a_digit_or_it_is_not() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut digits = *b"01234567";
                digits[place] = byte;
                let plain = match byte {
                    b'0'..=b'9' | b'a'..=b'f' => {
                        let text = str::from_utf8(&digits).expect("ASCII");
                        u32::from_str_radix(text, 16).ok()
                    }
                    _ => None,
                };
                let (value, valid) = eight_digits(digits);
                assert_eq!(valid.then_some(value), plain, "{byte:#x} at {place}");
            }
        }
    }
}
