//! The HTTP server.
mod accept;
mod bound;
mod component;
mod config;
mod config_http2;
mod connection;
mod control;
mod deps;
mod drive;
mod exec;
mod future;
mod host;
mod io;
mod link;
mod listen;
mod recorder;
mod reply;
mod response;
mod service;
mod shared;
mod sniff;
mod state;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tls")]
pub use self::tls::TlsConfig;
pub use self::{
    bound::{Bound, Serving},
    component::Server,
    config::ServerConfig,
    config_http2::Http2Config,
    control::DrainToken,
    deps::ServerDeps,
    service::HttpService,
};
