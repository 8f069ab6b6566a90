//! The table from cause to status. A new cause gets a row here and nowhere else.
use super::{ConnectFailed, ConnectTimeout, Refusal, SendFailed, TooManyPending};
use detectviz_core::{
    balance::NoEndpoints,
    discovery::DiscoveryError,
    error::cause_ref,
    resilience::{
        breaker::Open, bulkhead::Overloaded, deadline::DeadlineExceeded, rate_limit::RateLimited,
        timeout::Elapsed,
    },
};
use http::StatusCode;
use std::{error::Error, io};

/// One row: the status for a cause, or `None` when it is another cause's.
type Row = fn(&(dyn Error + 'static)) -> Option<StatusCode>;

/// Asked in this order about each error of the chain, the outermost error first.
const ROWS: &[Row] = &[
    refusal,
    timeout,
    limit,
    discovery,
    upstream,
    hyper_error,
    io_error,
];

/// The status that answers `err`, found by its cause through any wrapping; 500 for a cause that the table does not
/// know.
///
/// | cause | status |
/// |---|---|
/// | [`Refusal`] | its own |
/// | [`Elapsed`], [`DeadlineExceeded`], [`ConnectTimeout`], any other timeout | 504 |
/// | [`RateLimited`] | 429 |
/// | [`Open`], [`Overloaded`], [`TooManyPending`] | 503 |
/// | [`NoEndpoints`], [`DiscoveryError`]: no such service, no endpoint, no answer from the source | 503 |
/// | [`ConnectFailed`], [`SendFailed`], a connection that is refused, reset or speaks nonsense | 502 |
/// | anything else | 500 |
#[must_use]
pub fn status_of(err: &(dyn Error + 'static)) -> StatusCode {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(status) = ROWS.iter().find_map(|row| row(err)) {
            return status;
        }
        next = err.source();
    }
    // Asked last: what broke a call on its way may be the body that our own client was sending.
    if cause_ref::<SendFailed>(err).is_some() {
        return StatusCode::BAD_GATEWAY;
    }
    StatusCode::INTERNAL_SERVER_ERROR
}

fn refusal(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    err.downcast_ref().map(Refusal::status)
}

fn timeout(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    let timed_out = err.is::<Elapsed>()
        || err.is::<DeadlineExceeded>()
        || err.is::<ConnectTimeout>()
        || err.is::<tokio::time::error::Elapsed>();
    timed_out.then_some(StatusCode::GATEWAY_TIMEOUT)
}

fn limit(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    if err.is::<RateLimited>() {
        return Some(StatusCode::TOO_MANY_REQUESTS);
    }
    let refused = err.is::<Open>() || err.is::<Overloaded>() || err.is::<TooManyPending>();
    refused.then_some(StatusCode::SERVICE_UNAVAILABLE)
}

fn discovery(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    let nowhere = err.is::<DiscoveryError>() || err.is::<NoEndpoints>();
    nowhere.then_some(StatusCode::SERVICE_UNAVAILABLE)
}

fn upstream(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    err.is::<ConnectFailed>().then_some(StatusCode::BAD_GATEWAY)
}

/// Errors of a hyper client; those of a server's own connection never reach a handler.
fn hyper_error(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    let err = err.downcast_ref::<hyper::Error>()?;
    if err.is_timeout() {
        Some(StatusCode::GATEWAY_TIMEOUT)
    } else if err.is_parse() || err.is_incomplete_message() {
        Some(StatusCode::BAD_GATEWAY)
    } else {
        None
    }
}

fn io_error(err: &(dyn Error + 'static)) -> Option<StatusCode> {
    match err.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::TimedOut => Some(StatusCode::GATEWAY_TIMEOUT),
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => Some(StatusCode::BAD_GATEWAY),
        _ => None,
    }
}
