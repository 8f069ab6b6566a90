//! One pass over the headers of a request, which finds all that the layers read.
//!
//! A look-up in a [`HeaderMap`] hashes the name byte by byte, which costs more than a look at every header of a usual request.
//! What several layers of one stack want is therefore found together: [`scan`] compares lengths first and then a word or
//! two, and reads no value.
//!
//! ```
//! use detectviz_http::head_scan::{Known, scan};
//! use http::{HeaderMap, header};
//!
//! let mut headers = HeaderMap::new();
//! headers.insert(header::USER_AGENT, "curl/8.5.0".parse()?);
//! headers.append("tracestate", "a=1".parse()?);
//! headers.append("tracestate", "b=2".parse()?);
//!
//! let found = scan(&headers);
//! assert_eq!(found.first(Known::UserAgent), Some(&b"curl/8.5.0"[..]));
//! assert!(found.is_repeated(Known::Tracestate));
//! assert!(found.all(Known::Tracestate).eq([&b"a=1"[..], b"b=2"]));
//! assert_eq!(found.first(Known::GrpcTimeout), None);
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A header that a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Known {
    /// `host`
    Host,
    /// `baggage`
    Baggage,
    /// `tracestate`
    Tracestate,
    /// `user-agent`
    UserAgent,
    /// `traceparent`
    Traceparent,
    /// `grpc-timeout`
    GrpcTimeout,
    /// `x-request-id`
    XRequestId,
    /// `content-length`
    ContentLength,
    /// `x-request-timeout-ms`
    XRequestTimeoutMs,
}

/// What [`scan`] found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    headers: &'a HeaderMap,
    first: [Option<&'a HeaderValue>; Known::ALL.len()],
    /// A bit for each header that came more than once.
    repeated: u16,
}

/// Finds every [`Known`] header in one pass.
#[inline]
#[must_use]
pub fn scan(headers: &HeaderMap) -> Found<'_> {
    scan_for(headers, Known::of)
}

/// Finds in one pass the headers that `known` knows.
#[inline]
pub(crate) fn scan_for(
    headers: &HeaderMap,
    known: impl Fn(&HeaderName) -> Option<Known>,
) -> Found<'_> {
    let mut found = Found {
        headers,
        first: [None; Known::ALL.len()],
        repeated: 0,
    };
    for (name, value) in headers {
        let Some(known) = known(name) else {
            continue;
        };
        let first = &mut found.first[known as usize];
        if first.is_some() {
            found.repeated |= 1 << known as u16;
        } else {
            *first = Some(value);
        }
    }
    found
}

// === impl Known ===

impl Known {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Host,
        Self::Baggage,
        Self::Tracestate,
        Self::UserAgent,
        Self::Traceparent,
        Self::GrpcTimeout,
        Self::XRequestId,
        Self::ContentLength,
        Self::XRequestTimeoutMs,
    ];

    /// The header with that name.
    #[inline]
    #[must_use]
    pub fn of(name: &HeaderName) -> Option<Self> {
        let name = name.as_str().as_bytes();
        let is = |text: &[u8], known| (name == text).then_some(known);
        match name.len() {
            4 => is(b"host", Self::Host),
            7 => is(b"baggage", Self::Baggage),
            10 => {
                is(b"tracestate", Self::Tracestate).or_else(|| is(b"user-agent", Self::UserAgent))
            }
            11 => is(b"traceparent", Self::Traceparent),
            12 => is(b"grpc-timeout", Self::GrpcTimeout)
                .or_else(|| is(b"x-request-id", Self::XRequestId)),
            14 => is(b"content-length", Self::ContentLength),
            20 => is(b"x-request-timeout-ms", Self::XRequestTimeoutMs),
            _ => None,
        }
    }

    /// The header with that name, of those that carry a trace.
    #[inline]
    pub(crate) fn of_trace(name: &HeaderName) -> Option<Self> {
        let name = name.as_str().as_bytes();
        let is = |text: &[u8], known| (name == text).then_some(known);
        match name.len() {
            7 => is(b"baggage", Self::Baggage),
            10 => is(b"tracestate", Self::Tracestate),
            11 => is(b"traceparent", Self::Traceparent),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> HeaderName {
        match self {
            Self::Host => header::HOST,
            Self::Baggage => HeaderName::from_static("baggage"),
            Self::Tracestate => HeaderName::from_static("tracestate"),
            Self::UserAgent => header::USER_AGENT,
            Self::Traceparent => HeaderName::from_static("traceparent"),
            Self::GrpcTimeout => HeaderName::from_static("grpc-timeout"),
            Self::XRequestId => HeaderName::from_static("x-request-id"),
            Self::ContentLength => header::CONTENT_LENGTH,
            Self::XRequestTimeoutMs => HeaderName::from_static("x-request-timeout-ms"),
        }
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    /// The headers that were looked through.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The first value of a header, as it came.
    #[inline]
    #[must_use]
    pub fn first(&self, known: Known) -> Option<&'a [u8]> {
        self.first[known as usize].map(HeaderValue::as_bytes)
    }

    /// The first value of a header, as text; empty where it is absent, or holds anything but visible ASCII and tabs.
    #[inline]
    #[must_use]
    pub fn text(&self, known: Known) -> &'a str {
        let value = self.first[known as usize];
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Whether a header came more than once.
    #[inline]
    #[must_use]
    pub fn is_repeated(&self, known: Known) -> bool {
        self.repeated & 1 << known as u16 != 0
    }

    /// All values of a header, in the order in which they came. Those of a header that came once are not looked up.
    #[inline]
    pub fn all(&self, known: Known) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let first = self.first[known as usize];
        let rest = self.is_repeated(known).then(|| {
            let values = self.headers.get_all(known.name());
            values.into_iter().skip(1)
        });
        first
            .into_iter()
            .chain(rest.into_iter().flatten())
            .map(HeaderValue::as_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OTHERS: [&str; 6] = [
        "accept",
        "x-abc",
        "x-trace-tag",
        "content-type",
        "tracestates",
        "if-modified-since",
    ];

    #[test]
    fn a_name_is_known_by_itself_and_by_no_other() {
        for (at, known) in Known::ALL.into_iter().enumerate() {
            assert_eq!(known as usize, at);
            assert_eq!(Known::of(&known.name()), Some(known));
            let of_trace = matches!(
                known,
                Known::Traceparent | Known::Tracestate | Known::Baggage
            );
            let found = Known::of_trace(&known.name());
            assert_eq!(found, of_trace.then_some(known));
        }
        for name in OTHERS {
            assert_eq!(Known::of(&HeaderName::from_static(name)), None);
        }
    }

    proptest! {
        #[test]
        fn a_pass_finds_what_look_ups_find(list in prop::collection::vec((0..15_usize, "[ -~]{0,9}"), 0..40)) {
            let mut headers = HeaderMap::new();
            for (name, value) in &list {
                let name = match Known::ALL.get(*name) {
                    Some(known) => known.name(),
                    None => HeaderName::from_static(OTHERS[*name - Known::ALL.len()]),
                };
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            let found = scan(&headers);
            for known in Known::ALL {
                let name = known.name();
                let plain = || headers.get_all(&name).iter().map(HeaderValue::as_bytes);
                prop_assert_eq!(found.first(known), plain().next());
                prop_assert_eq!(found.is_repeated(known), plain().count() > 1);
                prop_assert!(found.all(known).eq(plain()));
            }
        }
    }
}
