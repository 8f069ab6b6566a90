//! How a request is refused.
use super::allowance;
use crate::{call::Ending, error::Problem};
use bytes::Bytes;
use detectviz_core::resilience::{
    bulkhead::Overloaded,
    rate_limit::{HeaderText, RateLimited},
    shed::Shedding,
};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use std::time::Duration;

/// Why a request is not taken on.
#[derive(Debug)]
pub(crate) enum Refused {
    RateLimited {
        limited: RateLimited,
        /// Whether the caller reads of the limit.
        told: bool,
    },
    Overloaded(Overloaded),
    Shed(Shedding),
    /// The deadline had passed before anything was done.
    Late,
    /// The deadline has passed meanwhile.
    TimedOut,
}

// === impl Refused ===

impl Refused {
    /// How the request ends with it.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::RateLimited { .. } => Ending::RateLimited,
            Self::Overloaded(_) => Ending::Overloaded,
            Self::Shed(_) => Ending::Shed,
            Self::Late | Self::TimedOut => Ending::TimedOut,
        }
    }

    /// The answer.
    #[cold]
    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        match self {
            Self::RateLimited { limited, told } => {
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS);
                let detail = "more requests than this caller may send: see `Retry-After`";
                let mut response = problem.detail(detail).into_response();
                if *told {
                    let headers = response.headers_mut();
                    allowance::tell(limited.policy(), limited.decision(), headers);
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
