//! What RFC 9112 §3.2 asks of the `Host` header.
use http::{HeaderMap, Version, header::HOST};

/// What a name may hold beside percent-encoded bytes: unreserved / sub-delims.
static PLAIN: [bool; 256] = plain();

/// Whether the request may be served: HTTP/1.1 has exactly one `Host`, HTTP/1.0 at most one, and it is well formed.
pub(super) fn is_acceptable(version: Version, headers: &HeaderMap) -> bool {
    let mut host = None;
    // A look-up hashes the name; a request has few headers, and this one is among the first.
    for (name, value) in headers {
        if name == HOST && host.replace(value).is_some() {
            return false;
        }
    }
    match host {
        Some(host) => is_well_formed(host.as_bytes()),
        None => version < Version::HTTP_11,
    }
}

/// `uri-host [ ":" port ]` of RFC 3986, or nothing at all, for a target that has no authority.
fn is_well_formed(host: &[u8]) -> bool {
    let Some(literal) = host.strip_prefix(b"[") else {
        let plain = host.iter().position(|byte| !PLAIN[usize::from(*byte)]);
        let (name, rest) = host.split_at(plain.unwrap_or(host.len()));
        return match rest {
            [] => true,
            [b':', ..] => is_port(rest) && !name.is_empty(),
            _ => is_encoded(rest),
        };
    };
    let Some(end) = literal.iter().position(|byte| *byte == b']') else {
        return false;
    };
    is_ip_literal(&literal[..end]) && is_port(&literal[end + 1..])
}

/// What may stand from the first percent sign of a name on.
#[cold]
fn is_encoded(mut rest: &[u8]) -> bool {
    loop {
        rest = match rest {
            [] => return true,
            [b':', ..] => return is_port(rest),
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                tail
            }
            [first, tail @ ..] if is_plain(*first) => tail,
            _ => return false,
        };
    }
}

fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

const fn plain() -> [bool; 256] {
    let mut plain = [false; 256];
    let others = b"-._~!$&'()*+,;=";
    let mut at = 0;
    while at < others.len() {
        plain[others[at] as usize] = true;
        at += 1;
    }
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] |= byte.is_ascii_alphanumeric();
        byte += 1;
    }
    plain
}

fn is_ip_literal(literal: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = literal {
        let dot = rest.iter().position(|byte| *byte == b'.').unwrap_or(0);
        return dot > 0
            && rest.len() > dot + 1
            && rest[..dot].iter().all(u8::is_ascii_hexdigit)
            && rest[dot + 1..]
                .iter()
                .all(|byte| is_plain(*byte) || *byte == b':');
    }
    str::from_utf8(literal).is_ok_and(|literal| literal.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Nothing, or a colon and digits of a port, possibly none (RFC 3986 §3.2.3).
fn is_port(port: &[u8]) -> bool {
    let Some((colon, digits)) = port.split_first() else {
        return true;
    };
    let mut number = 0_u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return false;
        }
        // Far beyond a port it stays there.
        number = (number * 10 + u32::from(digit - b'0')).min(1 << 20);
    }
    *colon == b':' && number <= u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn one_well_formed_host_is_asked_for() {
        for (host, fine) in [
            ("", true),
            ("example.com", true),
            ("example.com:8080", true),
            ("example.com:", true),
            ("10.0.0.1:80", true),
            ("[::1]", true),
            ("[::1]:443", true),
            ("[v1.fe80::a+en1]", true),
            ("my_host", true),
            ("a%41b", true),
            ("a%41b:80", true),
            ("%41", true),
            ("a%4", false),
            ("a%41:x", false),
            ("a%41/", false),
            ("a:00080", true),
            ("a:99999999999999999999", false),
            ("a b", false),
            ("a/b", false),
            ("user@host", false),
            ("a:b", false),
            ("a:70000", false),
            (":80", false),
            ("a:1:2", false),
            ("[::1", false),
            ("[::g]", false),
            ("[::1]x", false),
            ("[v1]", false),
            ("a?b", false),
            ("a#b", false),
            ("a\\b", false),
            ("http://a", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            assert_eq!(is_acceptable(Version::HTTP_11, &headers), fine, "{host:?}");
            assert_eq!(is_acceptable(Version::HTTP_10, &headers), fine, "{host:?}");
            headers.append(HOST, HeaderValue::from_static("other"));
            assert!(!is_acceptable(Version::HTTP_11, &headers), "two, {host:?}");
        }
        assert!(is_acceptable(Version::HTTP_10, &HeaderMap::new()));
        assert!(!is_acceptable(Version::HTTP_11, &HeaderMap::new()));
    }
}
