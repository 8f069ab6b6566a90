//! The `baggage` header, after W3C Baggage: passed through, within its limits.
use super::{pool, tracestate::trim};
use bytes::Bytes;

/// Members that are passed on; the specification asks for at least as many (§3.3.2).
const MEMBERS: usize = 64;
/// Bytes that are passed on; the specification asks for at least as many (§3.3.2).
const LIMIT: usize = 8192;

/// Reads the headers of one request, in the order in which they came, as one list. The second value says whether
/// members were left out: above the limits, the last ones.
pub(super) fn read<'a, I>(headers: impl Fn() -> I) -> (Bytes, bool)
where
    I: Iterator<Item = &'a [u8]>,
{
    let mut filled = headers().map(trim).filter(|header| !header.is_empty());
    match (filled.next(), filled.next()) {
        (None, _) => (Bytes::new(), false),
        (Some(header), None) if fits(header) => (pool::keep(header), false),
        _ => join(headers()),
    }
}

fn fits(header: &[u8]) -> bool {
    let commas = header.iter().filter(|byte| **byte == b',').count();
    header.len() <= LIMIT && commas < MEMBERS && header.is_ascii()
}

fn join<'a>(headers: impl Iterator<Item = &'a [u8]>) -> (Bytes, bool) {
    let members = headers
        .flat_map(|header| header.split(|byte| *byte == b','))
        .map(trim)
        .filter(|member| !member.is_empty());
    let mut out = Vec::new();
    for (at, member) in members.enumerate() {
        let needed = member.len() + usize::from(at > 0);
        if at == MEMBERS || out.len() + needed > LIMIT || !member.is_ascii() {
            return (out.into(), true);
        }
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(member);
    }
    (out.into(), false)
}
