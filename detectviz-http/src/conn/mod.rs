//! What is known of the connection that a request came on.
//!
//! The server makes it current around each call of the service, so that a layer or a handler can read it without an
//! allocation per request. It is for the synchronous part of `call`: copy what a future needs.
//!
//! ```
//! use detectviz_http::conn::{self, ConnInfo};
//!
//! assert!(conn::current().is_none());
//! let _entered = ConnInfo::new(http::Version::HTTP_11).enter();
//! assert!(conn::current().is_some_and(|conn| !conn.tls));
//! ```
mod current;
mod info;
mod network;

pub use self::{
    current::{Entered, current},
    info::ConnInfo,
    network::{InvalidNetwork, Network},
};
