//! The kinds of components that this crate gives to a [runtime](detectviz_core::runtime).
//!
//! | kind | section | provides to others |
//! |---|---|---|
//! | `http-server` | [`ServerConfig`](crate::server::ServerConfig) | [`BoundAddr`], [`AdmissionHandle`](crate::admission::AdmissionHandle) |
//! | `admin` | [`AdminConfig`](crate::admin::AdminConfig) | [`BoundAddr`] |
//! | `http-client` | [`ClientConfig`](crate::client::ClientConfig) | [`Client`](crate::client::Client), [`ClientHandle`](crate::client::ClientHandle) |
//!
//! ```
//! use axum::{Router, routing::get};
//! use detectviz_core::runtime::Builder;
//! use detectviz_http::kinds::{self, App};
//!
//! let builder = Builder::new("greeter", "1.0.0")
//!     .composition("components: [{name: admin, kind: admin}, {name: http, kind: http-server}]")
//!     .kind(kinds::admin())
//!     .kind(kinds::server(|_| {
//!         let router = Router::new().route("/hello", get(async || "hello\n"));
//!         Ok(App::new(router).routes(["/hello"])?)
//!     }));
//! assert!(builder.plan(&builder.sources()).is_ok());
//! ```
mod admin;
mod app;
mod bound;
mod client;
mod server;
mod shared;

pub use self::{admin::admin, app::App, bound::BoundAddr, client::client, server::server};
