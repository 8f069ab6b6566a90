//! Vault's documented HTTP API, in process: engines, leases and tokens with real expiry, and every way to fail.
//!
//! HashiCorp Vault and OpenBao cannot be had on the test machines. This server answers as the published documentation says
//! (<https://developer.hashicorp.com/vault/api-docs>), and where that says nothing as the sources of both projects do; each file
//! names its page. `tests/vault_api` drives it with an independent client, vaultrs, and runs the same body against a real server
//! when `DETECTVIZ_TEST_VAULT_ADDR` and `DETECTVIZ_TEST_VAULT_TOKEN` name one. What it has not: batch tokens, identity, token
//! roles, audit devices, real databases behind the database engine, and signatures of service-account tokens.
//!
//! # Time
//! All expiry runs on `tokio`'s clock; the wall clock is read once, at the start, for the dates that the API prints. One second
//! of Vault's lasts [`VaultOptions::second`], so that a lease of ten seconds can run in a hundred milliseconds. On a paused clock
//! tokio jumps to the next timer whenever all tasks wait, also when they wait for a socket: hold the clock with
//! [`clock::Held`] and move it by hand, or ask [`core::Core`] without any socket.
//!
//! # Examples
//! ```
//! use detectviz_tests::vault::{Fault, VaultAdmin, VaultOptions, VaultServer};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), detectviz_core::error::BoxError> {
//! let server = VaultServer::start(VaultOptions::default());
//! let admin = VaultAdmin::new(server.address(), server.root_token());
//! admin.enable_mount("kv", "kv-v2").await?;
//! admin.write("kv/data/app", json!({ "data": { "password": "p" } })).await?;
//! assert_eq!(admin.read("kv/data/app").await?["data"]["data"]["password"], "p");
//!
//! server.set(Fault::Status(503).on("kv/").times(2));
//! assert!(admin.read("kv/data/app").await.is_err());
//! assert_eq!(server.requests("kv/data/app"), 3);
//! # Ok(()) }
//! ```
pub mod core;
mod authority;
mod options;
mod fault;
mod shared;
mod tls;
mod http;
mod server;
mod source;
mod admin;
pub mod clock;

pub use self::{
    admin::VaultAdmin,
    authority::Authority,
    core::{LeaseView, Station, TokenView},
    fault::{Fault, Rule},
    options::{ClientCertificates, TlsOptions, VaultOptions},
    server::VaultServer,
    shared::Request,
};
