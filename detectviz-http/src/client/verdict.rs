//! What an attempt's result means: for the call, for the upstream, and for its endpoint.
use super::{TooManyPending, pool::SendError};
use detectviz_core::{
    balance::{self, FailureKind},
    error::cause_ref,
    resilience::{
        breaker,
        retry::{self, Hint, Reason},
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::time::{Duration, SystemTime};

/// What the result of one attempt means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) retry: retry::Outcome,
    pub(super) breaker: breaker::Outcome,
    pub(super) balance: balance::Outcome,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// What the head of an answer says of gRPC.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grpc {
    is_grpc: bool,
    /// In an answer without a message.
    pub(super) status: Option<u16>,
}

const UNKNOWN: u16 = 2;
const RESOURCE_EXHAUSTED: u16 = 8;
const UNAVAILABLE: u16 = 14;

/// The statuses of gRPC that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS. They are
/// those which both Envoy (`Grpc::Utility::grpcToHttpStatus`, as 500 and more) and linkerd (`classify::grpc::Codes`) take
/// for failures.
const FAILURES: [u16; 5] = [UNKNOWN, 4, 13, UNAVAILABLE, 15];

/// Marks a request whose effect is the same when it comes twice, whatever its method: put it into the request's
/// [`Extensions`](http::Extensions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SafeToRepeat;

/// Whether a request may be sent twice: by its method (RFC 9110 §9.2.2), or because the caller says so.
pub(super) fn is_repeatable<B>(request: &http::Request<B>) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    );
    idempotent
        || request.headers().contains_key(IDEMPOTENCY_KEY)
        || request.extensions().get::<SafeToRepeat>().is_some()
}

/// The status of gRPC in the trailers.
pub(super) fn grpc_status(trailers: &HeaderMap) -> Option<u16> {
    status_in(trailers.get(GRPC_STATUS)?)
}

fn status_in(value: &HeaderValue) -> Option<u16> {
    value.to_str().ok()?.parse().ok()
}

// === impl Grpc ===

impl Grpc {
    /// What the head of an answer says, found in one pass, which costs less than to hash the names.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut grpc = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "content-type" => {
                    grpc.is_grpc |= value.as_bytes().starts_with(b"application/grpc");
                }
                "grpc-status" => grpc.status = status_in(value),
                _ => {}
            }
        }
        grpc
    }

    /// Whether the trailers of an answer with this status say how it went.
    pub(super) fn awaits_trailers(self, status: StatusCode) -> bool {
        self.is_grpc && self.status.is_none() && status == StatusCode::OK
    }
}

// === impl Verdict ===

impl Verdict {
    /// What an answer means.
    pub(super) fn of_answer(
        status: StatusCode,
        (headers, grpc): (&HeaderMap, Grpc),
        repeatable: bool,
    ) -> Self {
        Self::of(status, grpc.status, headers, repeatable)
    }

    fn of(status: StatusCode, grpc: Option<u16>, headers: &HeaderMap, repeatable: bool) -> Self {
        let reason = match (status, grpc) {
            // In answers without a message.
            (_, Some(UNAVAILABLE)) => Some(Reason::Unavailable),
            (_, Some(RESOURCE_EXHAUSTED)) => Some(Reason::RateLimited),
            (StatusCode::TOO_MANY_REQUESTS, _) => Some(Reason::RateLimited),
            (
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT,
                _,
            ) => Some(Reason::Unavailable),
            _ => None,
        };
        let hint = reason.map_or(Hint::None, |_| hint(headers));
        let overloaded = status == StatusCode::SERVICE_UNAVAILABLE
            || reason == Some(Reason::RateLimited)
            || grpc == Some(UNAVAILABLE);
        let grpc_failed = grpc.is_some_and(|status| FAILURES.contains(&status));
        let failed = status.is_server_error() || grpc_failed;
        Self {
            retry: match reason {
                Some(_) if !repeatable => retry::Outcome::NotSafe,
                Some(reason) => retry::Outcome::retryable(reason).with_hint(hint),
                None if status.is_client_error() || failed => retry::Outcome::Fatal,
                None => retry::Outcome::Success,
            },
            breaker: if failed {
                breaker::Outcome::Failure
            } else {
                breaker::Outcome::Success
            },
            balance: if overloaded {
                let retry_after = after(hint);
                balance::Outcome::Overloaded { retry_after }
            } else if failed {
                balance::Outcome::Failure(FailureKind::Answer)
            } else {
                balance::Outcome::Success
            },
        }
    }

    /// What the trailers of a gRPC answer mean, whose message has been taken: it is not asked for again. Without a status
    /// the answer is broken off, which gRPC takes for UNKNOWN.
    pub(super) fn of_trailers(trailers: &HeaderMap) -> Self {
        let grpc = grpc_status(trailers).unwrap_or(UNKNOWN);
        Self::of(StatusCode::OK, Some(grpc), trailers, false)
    }

    /// What it means that there was no answer.
    pub(super) fn of_error(err: &SendError, repeatable: bool) -> Self {
        // Nobody was asked.
        if cause_ref::<TooManyPending>(&*err.source).is_some() {
            return Self {
                retry: retry::Outcome::retryable(Reason::Connect),
                breaker: breaker::Outcome::Ignored,
                balance: balance::Outcome::Overloaded { retry_after: None },
            };
        }
        Self::failed(match (&err.unsent, repeatable) {
            (Some(_), _) => retry::Outcome::retryable(Reason::Connect),
            (None, true) => retry::Outcome::retryable(Reason::Reset),
            (None, false) => retry::Outcome::NotSafe,
        })
    }

    /// What it means that the time of an attempt is up.
    pub(super) fn of_timeout(repeatable: bool) -> Self {
        Self::failed(if repeatable {
            retry::Outcome::retryable(Reason::Timeout)
        } else {
            retry::Outcome::NotSafe
        })
    }

    fn failed(retry: retry::Outcome) -> Self {
        Self {
            retry,
            breaker: breaker::Outcome::Failure,
            balance: balance::Outcome::Failure(FailureKind::LocalOrigin),
        }
    }
}

/// What the server says about when to come back.
fn hint(headers: &HeaderMap) -> Hint {
    if let Some(value) = headers.get(GRPC_PUSHBACK) {
        return Hint::grpc_pushback(value.as_bytes());
    }
    let value = headers.get(header::RETRY_AFTER);
    value.map_or(Hint::None, |value| {
        Hint::retry_after(value.as_bytes(), SystemTime::now())
    })
}

fn after(hint: Hint) -> Option<Duration> {
    match hint {
        Hint::After(after) => Some(after),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn what_may_be_repeated_the_method_or_the_caller_says() {
        for (method, expected) in [
            ("GET", true),
            ("HEAD", true),
            ("OPTIONS", true),
            ("PUT", true),
            ("DELETE", true),
            ("POST", false),
            ("PATCH", false),
            ("BREW", false),
        ] {
            let request = Request::builder().method(method).body(()).unwrap();
            assert_eq!(is_repeatable(&request), expected, "{method}");
        }
        let keyed = Request::post("/").header("idempotency-key", "7");
        assert!(is_repeatable(&keyed.body(()).unwrap()));
        let marked = Request::post("/").extension(SafeToRepeat);
        assert!(is_repeatable(&marked.body(()).unwrap()));
    }

    #[test]
    fn an_answer_says_whom_it_is_about() {
        use breaker::Outcome::{Failure, Success};
        for (status, repeatable, retried, counted) in [
            (200, true, "success", Success),
            (404, true, "fatal", Success),
            (429, true, "retryable", Success),
            (500, true, "fatal", Failure),
            (501, true, "fatal", Failure),
            (502, true, "retryable", Failure),
            (503, true, "retryable", Failure),
            (504, true, "retryable", Failure),
            (503, false, "not safe", Failure),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let verdict = of_head(status, &HeaderMap::new(), repeatable);
            let (said, counts) = (said(verdict), verdict.breaker);
            assert_eq!((said, counts), (retried, counted), "{status}");
        }
    }

    #[test]
    fn a_status_of_grpc_counts_as_one_of_http_does() {
        use breaker::Outcome::{Failure, Success};
        for (code, retried, counted) in [
            ("0", "success", Success),
            ("3", "success", Success),
            ("8", "retryable", Success),
            ("13", "fatal", Failure),
            ("14", "retryable", Failure),
            ("x", "success", Success),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(GRPC_STATUS, HeaderValue::from_static(code));
            let verdict = of_head(StatusCode::OK, &headers, true);
            assert_eq!(
                (said(verdict), verdict.breaker),
                (retried, counted),
                "{code}"
            );
            let trailers = Verdict::of_trailers(&headers);
            assert_ne!(said(trailers), "retryable", "{code}");
            if code != "x" {
                assert_eq!(trailers.breaker, counted, "{code}");
            }
        }
        let none = Verdict::of_trailers(&HeaderMap::new());
        assert_eq!(none.breaker, Failure, "it broke off");
    }

    fn of_head(status: StatusCode, headers: &HeaderMap, repeatable: bool) -> Verdict {
        Verdict::of_answer(status, (headers, Grpc::of(headers)), repeatable)
    }

    fn said(verdict: Verdict) -> &'static str {
        match verdict.retry {
            retry::Outcome::Success => "success",
            retry::Outcome::Retryable { .. } => "retryable",
            retry::Outcome::NotSafe => "not safe",
            _ => "fatal",
        }
    }

    #[test]
    fn a_busy_endpoint_is_left_alone_as_long_as_it_asks() {
        for (name, value, expected) in [
            ("retry-after", "3", Some(Duration::from_secs(3))),
            (
                "grpc-retry-pushback-ms",
                "250",
                Some(Duration::from_millis(250)),
            ),
            ("retry-after", "abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            let verdict = of_head(StatusCode::SERVICE_UNAVAILABLE, &headers, true);
            let expected = balance::Outcome::Overloaded {
                retry_after: expected,
            };
            assert_eq!(verdict.balance, expected, "{name}: {value}");
        }
    }
}
