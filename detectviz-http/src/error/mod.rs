//! The one table from cause to status, and problem+json.
//!
//! An error that leaves a handler is looked up by its cause, through any wrapping, and answered as
//! `application/problem+json` (RFC 9457). The answer says what kind of thing went wrong and carries the trace id; the
//! text of the error itself goes to the log and never to the client.
//!
//! ```
//! use detectviz_http::error::{Problem, status_of};
//! use http::StatusCode;
//!
//! let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
//! assert_eq!(status_of(&refused), StatusCode::BAD_GATEWAY);
//!
//! let response = Problem::new(StatusCode::NOT_FOUND).detail("no order has this id").into_response();
//! assert_eq!(response.headers()["content-type"], "application/problem+json");
//! ```
//!
//! [`ResponderLayer`] does this for a service of any error and makes it [`Infallible`](std::convert::Infallible), which
//! is what servers and axum ask for.
mod body;
mod future;
mod layer;
mod problem;
mod refusal;
mod service;
mod status;
mod upstream;
#[cfg(test)]
mod tests;

pub(crate) use self::future::answer;
pub use self::{
    body::MaybeProblem,
    future::ResponseFuture,
    layer::ResponderLayer,
    problem::{Problem, problem},
    refusal::Refusal,
    service::Responder,
    status::status_of,
    upstream::{ConnectFailed, ConnectTimeout, SendFailed, TooManyPending},
};
