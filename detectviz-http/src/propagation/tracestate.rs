//! The `tracestate` header, after W3C Trace Context level 2 §3.3.
use super::pool;
use bytes::Bytes;

/// Members of a list, at most; a longer list is dropped whole (§3.3.1.1).
const MEMBERS: usize = 32;
/// Bytes that are passed on; the specification asks for at least as many (§3.3.1.5).
const LIMIT: usize = 512;
/// When a list must be cut, members longer than this go first (§3.3.1.5).
const LARGE: usize = 128;
/// Bytes of a key and of a value (§3.3.1.3.1, §3.3.1.3.2).
const PART: usize = 256;

/// The list breaks the grammar or has too many members; it is dropped.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

/// Reads the headers of one request, in the order in which they came, as one list; empty when they hold no member.
///
/// Members of the same key are kept as they are, which the specification allows.
pub(super) fn read<'a, I>(headers: impl Fn() -> I) -> Result<Bytes, Malformed>
where
    I: Iterator<Item = &'a [u8]>,
{
    let mut first = None;
    let (mut filled, mut count) = (0, 0);
    for header in headers().map(trim).filter(|header| !header.is_empty()) {
        filled += 1;
        first.get_or_insert(header);
        for member in members(header) {
            count += 1;
            if count > MEMBERS || !is_member(member) {
                return Err(Malformed);
            }
        }
    }
    match first {
        Some(header) if filled == 1 && count > 0 && header.len() <= LIMIT => Ok(pool::keep(header)),
        _ if count == 0 => Ok(Bytes::new()),
        _ => Ok(join(headers().flat_map(members).collect())),
    }
}

/// Writes a list of valid members in at most 512 bytes.
fn join(mut members: Vec<&[u8]>) -> Bytes {
    let length = |members: &[&[u8]]| members.iter().map(|member| member.len() + 1).sum::<usize>();
    while length(&members) > LIMIT + 1 {
        let large = members.iter().rposition(|member| member.len() > LARGE);
        members.remove(large.unwrap_or(members.len() - 1));
    }
    Bytes::from(members.join(&b','))
}

/// The members of a list, without the space around them and without empty ones.
fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',')
        .map(trim)
        .filter(|member| !member.is_empty())
}

fn is_member(member: &[u8]) -> bool {
    match member.iter().position(|byte| *byte == b'=') {
        Some(equals) => is_key(&member[..equals]) && is_value(&member[equals + 1..]),
        None => false,
    }
}

fn is_key(key: &[u8]) -> bool {
    let Some((first, rest)) = key.split_first() else {
        return false;
    };
    let starts = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let continues = |byte: u8| starts(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= PART && starts(*first) && rest.iter().all(|byte| continues(*byte))
}

/// The member was trimmed: a last space cannot occur.
fn is_value(value: &[u8]) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b'=' && byte != b',';
    !value.is_empty() && value.len() <= PART && value.iter().all(|byte| allowed(*byte))
}

/// Without optional white space (RFC 9110 §5.6.3) at both ends.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
