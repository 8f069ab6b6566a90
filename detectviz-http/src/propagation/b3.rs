//! Zipkin's B3 headers, in one and in several (github openzipkin/b3-propagation).
use super::hex;
use detectviz_core::telemetry::context::TraceContext;

/// What a caller said in B3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum B3 {
    /// A trace to continue. Where the caller left the sampling to us, it counts as not sampled.
    Parent(TraceContext),
    /// No trace, but whether to record the one that starts here.
    Decision(bool),
}

/// `{trace id}-{span id}[-{0|1|d}[-{parent span id}]]`, or the decision alone.
pub(super) const SINGLE: usize = 32 + 1 + 16 + 2;

/// Reads the header `b3`; `None` when it is malformed.
pub(super) fn read_single(header: &[u8]) -> Option<B3> {
    if let Some(sampled) = decision(header) {
        return Some(B3::Decision(sampled));
    }
    let mut parts = header.split(|byte| *byte == b'-');
    let (trace, span) = (parts.next()?, parts.next()?);
    let sampled = match parts.next() {
        Some(part) => decision(part)?,
        None => false,
    };
    let parent_is_valid = parts
        .next()
        .is_none_or(|part| hex::number(part, 16).is_some());
    if !parent_is_valid || parts.next().is_some() {
        return None;
    }
    parent(trace, span, sampled).map(B3::Parent)
}

/// Reads `x-b3-traceid`, `-spanid`, `-sampled` and `-flags`; `None` when they are malformed.
pub(super) fn read_multi(
    trace: Option<&[u8]>,
    span: Option<&[u8]>,
    sampled: Option<&[u8]>,
    flags: Option<&[u8]>,
) -> Option<B3> {
    let sampled = match (flags, sampled) {
        (Some(b"1"), _) => Some(true),
        (_, Some(b"true")) => Some(true),
        (_, Some(b"false")) => Some(false),
        (_, Some(part)) => Some(decision(part)?),
        (_, None) => None,
    };
    match (trace, span) {
        (Some(trace), Some(span)) => parent(trace, span, sampled.unwrap_or(false)).map(B3::Parent),
        (None, None) => sampled.map(B3::Decision),
        _ => None,
    }
}

/// Writes the header `b3`.
pub(super) fn write_single(context: &TraceContext) -> [u8; SINGLE] {
    let mut out = [b'-'; SINGLE];
    out[..32].copy_from_slice(&context.trace_id().to_hex());
    out[33..49].copy_from_slice(&context.span_id().to_hex());
    out[50] = b'0' + u8::from(context.is_sampled());
    out
}

fn decision(part: &[u8]) -> Option<bool> {
    match part {
        b"1" | b"d" => Some(true),
        b"0" => Some(false),
        _ => None,
    }
}

/// Ids of B3 have exactly 16 or 32 digits, those of spans 16.
fn parent(trace: &[u8], span: &[u8], sampled: bool) -> Option<TraceContext> {
    if !matches!(trace.len(), 16 | 32) || span.len() != 16 {
        return None;
    }
    let (trace, span) = (hex::trace_id(trace)?, hex::span_id(span)?);
    Some(TraceContext::new(trace, span, u8::from(sampled)))
}
