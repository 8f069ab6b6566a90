//! The transport: headers, bodies and faults; follows <https://developer.hashicorp.com/vault/api-docs#the-http-api>.
use super::{
    core::{Answer, Call, Station},
    fault::{self, Fault, Rule},
    shared::{Shared, lock},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response, header::HeaderName};
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
};

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// `max_request_size` of Vault's listeners: 32 MiB.
const LARGEST: usize = 32 << 20;

/// One node, as its connections see it.
#[derive(Debug)]
pub(super) struct Node {
    pub shared: Arc<Shared>,
    pub rules: Mutex<Vec<Rule>>,
    pub station: Mutex<Station>,
    /// Where the active node is, and whether this one redirects to it; else it forwards.
    pub redirect: Mutex<Option<String>>,
    pub active: String,
}

// === impl Node ===

impl Node {
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        certificates: Arc<Vec<Vec<u8>>>,
    ) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let Some(path) = head.uri.path_and_query().map(|path| path.as_str()) else {
            return Ok(respond(&Answer::errors(400, &["no path"])));
        };
        let Some(path) = path.strip_prefix("/v1/") else {
            return Ok(respond(&Answer::errors(404, &[])));
        };
        let mut call = Call::new(head.method.as_str(), path.trim_start_matches('/'));
        call.namespace = text(&head.headers, "x-vault-namespace").unwrap_or_default();
        call.token = token(&head.headers);
        call.certificates = certificates.to_vec();
        call.station = *lock(&self.station);
        call.active.clone_from(&self.active);
        let place = self.shared.came(&call);
        let fault = fault::met(&mut lock(&self.rules), &call.path);
        match &fault {
            Some(Fault::Close) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Fault::Status(status)) => return Ok(self.logged(place, failed(*status))),
            Some(Fault::RateLimit { retry_after }) => {
                return Ok(self.logged(place, limited(&call.path, *retry_after)));
            }
            _ => {}
        }
        let Ok(body) = Limited::new(body, LARGEST).collect().await else {
            let answer = Answer::errors(413, &["http: request body too large"]);
            return Ok(self.logged(place, respond(&answer)));
        };
        let answer = match self.read(&mut call, &head.headers, &body.to_bytes()) {
            Ok(()) => match self.elsewhere(&call, &head.headers) {
                Some(redirect) => return Ok(self.logged(place, redirect)),
                None => self.shared.handle(&call),
            },
            Err(answer) => answer,
        };
        if let Some(Fault::Delay(delay)) = fault {
            tokio::time::sleep(delay).await;
        }
        Ok(self.logged(place, spoilt(&answer, fault)))
    }

    /// Body and wrapping of the request.
    fn read(&self, call: &mut Call, headers: &HeaderMap, body: &[u8]) -> Result<(), Answer> {
        if !body.is_empty() {
            call.body = serde_json::from_slice(body).map_err(|_| {
                Answer::errors(
                    400,
                    &["failed to parse JSON input: invalid character in the body"],
                )
            })?;
        }
        if let Some(ttl) = text(headers, "x-vault-wrap-ttl") {
            let wrong = || Answer::errors(400, &["error parsing X-Vault-Wrap-TTL header"]);
            call.wrap = Some(super::core::seconds(&ttl).ok_or_else(wrong)?);
        }
        Ok(())
    }

    /// The redirect of a standby that does not forward.
    fn elsewhere(&self, call: &Call, headers: &HeaderMap) -> Option<Response<Body>> {
        let own = [
            "sys/health",
            "sys/leader",
            "sys/seal-status",
            "sys/init",
            "sys/unseal",
        ];
        let refuses = headers.contains_key("x-vault-no-request-forwarding");
        let standby = *lock(&self.station) != Station::Active;
        let redirect = lock(&self.redirect).clone();
        let to = redirect.or_else(|| refuses.then(|| self.active.clone()));
        let to = to.filter(|_| standby && !own.contains(&call.path.as_str()))?;
        if to.is_empty() {
            let why = "local node not active but active cluster node not found";
            return Some(respond(&Answer::errors(500, &[why])));
        }
        let mut response = respond(&Answer::empty());
        *response.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
        let query: Vec<String> = call.query.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        let location = HeaderValue::try_from(format!("{to}/v1/{}{query}", call.path)).ok()?;
        response.headers_mut().insert("location", location);
        Some(response)
    }

    fn logged(&self, place: usize, response: Response<Body>) -> Response<Body> {
        if let Some(request) = self.shared.log().get_mut(place) {
            request.status = response.status().as_u16();
        }
        response
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// `X-Vault-Token`, or the bearer of `Authorization`.
fn token(headers: &HeaderMap) -> Option<String> {
    text(headers, "x-vault-token").or_else(|| {
        let bearer = text(headers, "authorization")?;
        Some(bearer.strip_prefix("Bearer ")?.to_owned())
    })
}

fn respond(answer: &Answer) -> Response<Body> {
    let body = answer.body.as_ref().map(Value::to_string);
    response(answer.status, "application/json", body.unwrap_or_default())
}

fn response(status: u16, kind: &'static str, body: String) -> Response<Body> {
    let full = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut response = Response::new(full.boxed());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-type", kind),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
    ] {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        response.headers_mut().insert(name, value);
    }
    response
}

fn failed(status: u16) -> Response<Body> {
    if status == 500 {
        return respond(&Answer::errors(500, &["internal error"]));
    }
    let body = format!("<html><head><title>{status}</title></head><body>{status}</body></html>\n");
    response(status, "text/html", body)
}

fn limited(path: &str, retry_after: u64) -> Response<Body> {
    let why = format!("request path {path:?}: rate limit quota exceeded");
    let mut response = respond(&Answer::errors(429, &[&why]));
    if retry_after == 0 {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert("retry-after", retry_after.into());
    headers.insert("x-ratelimit-limit", 1.into());
    headers.insert("x-ratelimit-remaining", 0.into());
    headers.insert("x-ratelimit-reset", retry_after.into());
    response
}

/// The answer, as a fault leaves it.
fn spoilt(answer: &Answer, fault: Option<Fault>) -> Response<Body> {
    let mut response = respond(answer);
    match fault {
        Some(Fault::Cut) => {
            let whole = answer
                .body
                .as_ref()
                .map(Value::to_string)
                .unwrap_or_default();
            let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
            let frames = [
                Ok(Frame::data(half)),
                Err(io::ErrorKind::ConnectionAborted.into()),
            ];
            let len = HeaderValue::from(whole.len());
            response.headers_mut().insert("content-length", len);
            *response.body_mut() = BodyExt::boxed(StreamBody::new(stream::iter(frames)));
        }
        Some(Fault::Garbage) => replace(&mut response, "\u{0}{\"data\": not JSON".into()),
        Some(Fault::Empty) => replace(&mut response, String::new()),
        Some(Fault::WrongTypes) => {
            let wrong = json!({
                "request_id": 7, "lease_id": [], "renewable": "maybe", "lease_duration": "soon",
                "data": [1], "auth": [2], "wrap_info": [3], "warnings": 4,
            });
            replace(&mut response, wrong.to_string());
        }
        Some(Fault::Field { pointer, value }) => {
            let mut body = answer.body.clone().unwrap_or_default();
            if let Some(field) = body.pointer_mut(&pointer) {
                *field = value;
                replace(&mut response, body.to_string());
            }
        }
        Some(Fault::Huge(size)) => {
            let body = answer.body.as_ref().map(Value::to_string);
            let padded = " ".repeat(size) + &body.unwrap_or_default();
            replace(&mut response, padded);
        }
        Some(Fault::ContentType(kind)) => {
            let kind = HeaderValue::from_static(kind);
            response.headers_mut().insert("content-type", kind);
        }
        _ => {}
    }
    response
}

fn replace(response: &mut Response<Body>, body: String) {
    *response.body_mut() = Full::new(Bytes::from(body))
        .map_err(|never| match never {})
        .boxed();
}
