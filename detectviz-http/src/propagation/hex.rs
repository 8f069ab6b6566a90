//! Ids in hexadecimal, as the older formats write them.
use detectviz_core::telemetry::context::{SpanId, TraceId};

/// Reads 1 to 32 digits of either case; `None` for anything else and for zero.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    TraceId::from_bytes(number(digits, 32)?.to_be_bytes())
}

/// Reads 1 to 16 digits of either case; `None` for anything else and for zero.
pub(super) fn span_id(digits: &[u8]) -> Option<SpanId> {
    let id = u64::try_from(number(digits, 16)?).ok()?;
    SpanId::from_bytes(id.to_be_bytes())
}

/// Reads 1 to `most` digits of either case, `most` being at most 32.
pub(super) fn number(digits: &[u8], most: usize) -> Option<u128> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits.iter().try_fold(0_u128, |sum, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(sum << 4 | u128::from(value))
    })
}
