//! How a request is refused.
use crate::{call::Ending, error::Problem};
use bytes::Bytes;
use detectviz_core::resilience::{
    bulkhead::Overloaded,
    rate_limit::{HeaderText, RateLimited},
    shed::Shedding,
};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use std::time::Duration;

/// Why a request is not taken on.
#[derive(Debug)]
pub(crate) enum Refused {
    RateLimited(RateLimited),
    Overloaded(Overloaded),
    Shed(Shedding),
    /// The deadline had passed before anything was done.
    Late,
    /// The deadline has passed meanwhile.
    TimedOut,
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

// === impl Refused ===

impl Refused {
    /// How the request ends with it.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::RateLimited(_) => Ending::RateLimited,
            Self::Overloaded(_) => Ending::Overloaded,
            Self::Shed(_) => Ending::Shed,
            Self::Late | Self::TimedOut => Ending::TimedOut,
        }
    }

    /// The answer.
    #[cold]
    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        match self {
            Self::RateLimited(limited) => {
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS);
                let detail = "more requests than this caller may send: see `Retry-After`";
                let mut response = problem.detail(detail).into_response();
                let (policy, decision) = (limited.policy(), limited.decision());
                let headers = response.headers_mut();
                for (name, text) in [
                    (RATE_LIMIT_POLICY, HeaderText::policy(policy, decision)),
                    (RATE_LIMIT, HeaderText::limit(policy, decision)),
                ] {
                    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                        headers.insert(name, value);
                    }
                }
                retry_after(&mut response, limited.retry_after());
                response
            }
            Self::Overloaded(overloaded) => busy(overloaded.retry_after()),
            Self::Shed(shedding) => busy(shedding.retry_after()),
            Self::Late | Self::TimedOut => Problem::new(StatusCode::GATEWAY_TIMEOUT)
                .detail("the deadline of the request has passed")
                .into_response(),
        }
    }
}

/// The service has too much to do.
fn busy(after: Duration) -> Response<Full<Bytes>> {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE);
    let detail = "the service has as much to do as it can: see `Retry-After`";
    let mut response = problem.detail(detail).into_response();
    retry_after(&mut response, Some(after).filter(|after| !after.is_zero()));
    response
}

fn retry_after(response: &mut Response<Full<Bytes>>, after: Option<Duration>) {
    let Some(after) = after else { return };
    let text = HeaderText::retry_after(after);
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
}
