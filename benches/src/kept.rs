//! How a request without a body is kept for a retry: its text in one buffer.
use detectviz_core::resilience::retry::{Outcome, Policy, Reason, Snapshot};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};

/// Keeps what a request is made anew from.
#[derive(Clone, Copy, Debug)]
pub struct Kept;

/// What [`Kept`] keeps.
#[derive(Debug)]
pub struct Saved {
    method: Method,
    /// And the URI: a copy of its text costs less than to count one more owner of each of its parts.
    headers: Snapshot,
}

/// Under what the URI is kept, as HTTP/2 names it.
const PATH: &[u8] = b":path";

// === impl Kept ===

impl<ReqBody, ResBody, E> Policy<Request<ReqBody>, Response<ResBody>, E> for Kept
where
    ReqBody: Default,
{
    type Saved = Saved;

    fn save(&self, request: &Request<ReqBody>) -> Option<Saved> {
        let mut headers = Snapshot::new();
        // The requests here name no host in it.
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        headers.push(PATH, path.as_bytes(), false);
        for (name, value) in request.headers() {
            headers.push(name.as_ref(), value.as_bytes(), value.is_sensitive());
        }
        Some(Saved {
            method: request.method().clone(),
            headers,
        })
    }

    fn restore(&self, saved: &Saved, _attempt: u32) -> Request<ReqBody> {
        let mut request = Request::new(ReqBody::default());
        *request.method_mut() = saved.method.clone();
        for (name, value, _) in saved.headers.iter() {
            if name == PATH {
                *request.uri_mut() = Uri::try_from(value).unwrap_or_default();
                continue;
            }
            let name = HeaderName::from_bytes(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                request.headers_mut().append(name, value);
            }
        }
        request
    }

    fn classify(&self, _: Option<&Saved>, answer: &Result<Response<ResBody>, E>) -> Outcome {
        match answer {
            Ok(response) if !response.status().is_server_error() => Outcome::Success,
            _ => Outcome::retryable(Reason::Other),
        }
    }
}
