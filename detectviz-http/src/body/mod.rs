//! The body of a request, bounded in size and in time.
//!
//! The server wraps every body in a [`RequestBody`]. It fails with a [`BodyError`] when more bytes come than the limit
//! allows, or when none come while somebody waits for them. A handler that answers such a failure with an error of its
//! own is overruled: the client reads 413 or 408, and the connection closes.
//!
//! ```
//! use detectviz_http::body::RequestBody;
//! use http_body::Body;
//!
//! let body = RequestBody::from("hello").limit(3);
//! assert_eq!(body.size_hint().exact(), Some(5));
//! ```
mod error;
mod exchange;
mod request;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use self::exchange::Exchange;
pub use self::{
    error::{BodyError, BodyErrorKind},
    request::RequestBody,
};
