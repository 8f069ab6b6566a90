//! What RFC 9112 §3.2 asks of the `Host` header.
use http::{HeaderMap, Version, header::HOST};

/// Whether the request may be served: HTTP/1.1 has exactly one `Host`, HTTP/1.0 at most one, and it is well formed.
pub(super) fn is_acceptable(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_well_formed(host.as_bytes()),
        (None, None) => version < Version::HTTP_11,
        _ => false,
    }
}

/// `uri-host [ ":" port ]` of RFC 3986, or nothing at all, for a target that has no authority.
fn is_well_formed(host: &[u8]) -> bool {
    let Some(literal) = host.strip_prefix(b"[") else {
        let colon = host.iter().position(|byte| *byte == b':');
        let (name, port) = host.split_at(colon.unwrap_or(host.len()));
        return is_name(name) && is_port(port) && (port.is_empty() || !name.is_empty());
    };
    let Some(end) = literal.iter().position(|byte| *byte == b']') else {
        return false;
    };
    is_ip_literal(&literal[..end]) && is_port(&literal[end + 1..])
}

fn is_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                tail
            }
            (b'%', _) => return false,
            _ if is_plain(*first) => tail,
            _ => return false,
        };
    }
    true
}

/// unreserved / sub-delims
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
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
    match port {
        [] => true,
        [b':', digits @ ..] => {
            digits.iter().all(u8::is_ascii_digit)
                && (digits.is_empty()
                    || str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok()))
        }
        _ => false,
    }
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
            ("a%4", false),
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
