//! A request that can be sent again.
use super::{Body, replay::Replay};
use crate::propagation::keep;
use bytes::Bytes;
use detectviz_core::resilience::retry::Snapshot;
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};
use http_body::Body as _;
use std::cell::RefCell;

/// A request that can be sent again: its headers in memory that is used again, and its body as long as it is short. Whom it is
/// for, its call knows.
pub(super) struct Saved {
    method: Method,
    version: Version,
    headers: Snapshot,
    body: Kept,
}

enum Kept {
    Whole(Bytes),
    Pieces(Replay),
}

/// The longest body that is kept to be sent again, in bytes: linkerd's `MAX_BUFFERED_BYTES`.
const MOST: usize = 64 * 1024;

/// How many names of headers a thread remembers.
const NAMES: usize = 64;

thread_local! {
    static KNOWN: RefCell<Vec<HeaderName>> = const { RefCell::new(Vec::new()) };
}

// === impl Saved ===

impl Saved {
    /// Keeps `request`, if its body can be kept. One that comes in pieces is kept as it is sent.
    pub(super) fn of(request: &mut Request<Body>) -> Option<Self> {
        let body = match request.body().whole() {
            Some(body) if body.len() <= MOST => Kept::Whole(body),
            None if request.body().size_hint().lower() <= MOST as u64 => {
                let (replay, first) = Replay::of(std::mem::take(request.body_mut()), MOST);
                *request.body_mut() = Body::replayed(first);
                Kept::Pieces(replay)
            }
            _ => return None,
        };
        let mut headers = Snapshot::new();
        for (name, value) in request.headers() {
            headers.push(name.as_ref(), value.as_bytes(), value.is_sensitive());
        }
        Some(Self {
            method: request.method().clone(),
            version: request.version(),
            headers,
            body,
        })
    }

    /// Whether the body is at hand, so that two attempts can send it at the same time.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.body, Kept::Whole(_))
    }

    /// Whether there is a request to be sent again.
    pub(super) fn can_repeat(&self) -> bool {
        match &self.body {
            Kept::Whole(_) => true,
            Kept::Pieces(pieces) => pieces.can_repeat(),
        }
    }

    /// The request once more, to `uri` and without its extensions; `None` when there was too much of the body. Values of up to 512 bytes
    /// allocate nothing on a warm thread.
    pub(super) fn request(&self, uri: Uri) -> Option<Request<Body>> {
        let body = match &self.body {
            Kept::Whole(body) if body.is_empty() => Body::empty(),
            Kept::Whole(body) => body.clone().into(),
            Kept::Pieces(pieces) => Body::replayed(pieces.again()?),
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = self.version;
        for (name, value, is_sensitive) in self.headers.iter() {
            // They were a header before.
            if let (Some(name), Ok(mut value)) =
                (named(name), HeaderValue::from_maybe_shared(keep(value)))
            {
                value.set_sensitive(is_sensitive);
                request.headers_mut().append(name, value);
            }
        }
        Some(request)
    }
}

/// The name, from those that the thread has met before: one that no standard knows allocates when it is made.
fn named(name: &[u8]) -> Option<HeaderName> {
    let made = || HeaderName::from_bytes(name).ok();
    let known = KNOWN.try_with(|known| {
        let mut known = known.try_borrow_mut().ok()?;
        if let Some(found) = known.iter().find(|known| known.as_str().as_bytes() == name) {
            return Some(found.clone());
        }
        let made = made()?;
        if known.len() < NAMES {
            known.push(made.clone());
        }
        Some(made)
    });
    known.ok().flatten().or_else(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_again_is_what_was_sent() {
        let mut secret = HeaderValue::from_static("hunter2");
        secret.set_sensitive(true);
        let mut request = Request::put("http://orders/7?x=1")
            .header("accept", "a")
            .header("accept", "b")
            .header("x-tenant", "7")
            .header("x-empty", "")
            .header("authorization", secret)
            .body(Body::from("hello"))
            .unwrap();
        let saved = Saved::of(&mut request).unwrap();
        for _ in 0..2 {
            let again = saved.request(request.uri().clone()).unwrap();
            assert_eq!(again.method(), request.method());
            assert_eq!(again.uri(), request.uri());
            assert_eq!(again.headers(), request.headers());
            assert!(again.headers()["authorization"].is_sensitive());
            assert_eq!(again.body().size_hint().exact(), Some(5));
        }
    }

    #[test]
    fn r13_bodies_are_kept_up_to_64_kib() {
        for (length, kept) in [(0, true), (65_536, true), (65_537, false)] {
            let body = Body::from(Bytes::from(vec![b'x'; length]));
            let mut request = Request::put("http://orders/7").body(body).unwrap();
            assert_eq!(Saved::of(&mut request).is_some(), kept, "{length}");
        }
    }
}
