//! Jaeger's `uber-trace-id`: `{trace id}:{span id}:{parent span id}:{flags}`, leading zeros left out.
use super::hex;
use detectviz_core::telemetry::context::TraceContext;

/// The length of the header as it is written here, ids in full.
pub(super) const LEN: usize = 32 + 1 + 16 + 1 + 1 + 1 + 1;

/// Bit 1 of the flags is sampled, bit 2 is debug, which implies it.
const RECORDED: u128 = 0b11;

/// Reads the header; `None` when it is malformed. Some clients send its colons percent-encoded.
pub(super) fn read(header: &[u8]) -> Option<TraceContext> {
    let mut rest = header;
    let trace = hex::trace_id(next(&mut rest)?)?;
    let span = hex::span_id(next(&mut rest)?)?;
    // The parent is not used any more, and "0" for most.
    hex::number(next(&mut rest)?, 16)?;
    let flags = hex::number(rest, 2)?;
    Some(TraceContext::new(
        trace,
        span,
        u8::from(flags & RECORDED != 0),
    ))
}

/// Writes the header.
pub(super) fn write(context: &TraceContext) -> [u8; LEN] {
    let mut out = [b':'; LEN];
    out[..32].copy_from_slice(&context.trace_id().to_hex());
    out[33..49].copy_from_slice(&context.span_id().to_hex());
    out[50] = b'0';
    out[52] = b'0' + u8::from(context.is_sampled());
    out
}

/// Takes what stands before the next colon.
fn next<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let at = rest.iter().position(|byte| matches!(byte, b':' | b'%'))?;
    let (part, tail) = rest.split_at(at);
    *rest = tail
        .strip_prefix(b":")
        .or_else(|| tail.strip_prefix(b"%3A"))
        .or_else(|| tail.strip_prefix(b"%3a"))?;
    Some(part)
}
