//! A request that can be sent again.
use super::Body;
use bytes::Bytes;
use detectviz_core::resilience::retry::Snapshot;
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};

/// A request that can be sent again: its headers in memory that is used again, and its body when it is short and there as a
/// whole.
pub(super) struct Saved {
    method: Method,
    uri: Uri,
    version: Version,
    headers: Snapshot,
    body: Option<Bytes>,
}

/// The longest body that is kept to be sent again, in bytes: linkerd's `MAX_BUFFERED_BYTES`.
const MOST: usize = 64 * 1024;

// === impl Saved ===

impl Saved {
    /// Keeps `request`, if its body can be kept.
    pub(super) fn of(request: &Request<Body>) -> Option<Self> {
        let body = match request.body().whole() {
            Some(body) if body.len() <= MOST => body,
            _ => return None,
        };
        let mut headers = Snapshot::new();
        for (name, value) in request.headers() {
            headers.push(name.as_ref(), value.as_bytes(), value.is_sensitive());
        }
        Some(Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            headers,
            body: (!body.is_empty()).then_some(body),
        })
    }

    /// The request once more, without its extensions.
    pub(super) fn request(&self) -> Request<Body> {
        let mut request = Request::new(self.body.clone().map_or_else(Body::empty, Body::from));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        for (name, value, is_sensitive) in self.headers.iter() {
            // They were a header before.
            let name = HeaderName::from_bytes(name);
            if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_bytes(value)) {
                value.set_sensitive(is_sensitive);
                request.headers_mut().append(name, value);
            }
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;

    #[test]
    fn what_is_sent_again_is_what_was_sent() {
        let mut secret = HeaderValue::from_static("hunter2");
        secret.set_sensitive(true);
        let request = Request::put("http://orders/7?x=1")
            .header("accept", "a")
            .header("accept", "b")
            .header("authorization", secret)
            .body(Body::from("hello"))
            .unwrap();
        let again = Saved::of(&request).unwrap().request();
        assert_eq!(again.method(), request.method());
        assert_eq!(again.uri(), request.uri());
        assert_eq!(again.headers(), request.headers());
        assert!(again.headers()["authorization"].is_sensitive());
        assert_eq!(again.body().size_hint().exact(), Some(5));
    }

    #[test]
    fn r13_bodies_are_kept_up_to_64_kib() {
        for (length, kept) in [(0, true), (65_536, true), (65_537, false)] {
            let body = Body::from(Bytes::from(vec![b'x'; length]));
            let request = Request::put("http://orders/7").body(body).unwrap();
            assert_eq!(Saved::of(&request).is_some(), kept, "{length}");
        }
    }
}
