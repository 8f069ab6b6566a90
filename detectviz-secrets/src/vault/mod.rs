//! HashiCorp Vault and OpenBao: `${secret:vault:kv/orders#password}`.
//!
//! A path is what the `vault` command takes, mount first. What is mounted is found out once, as `vault kv` does it:
//! - key and value, version 1 and 2: `vault:kv/orders#password`, of version 2 also `vault:kv/orders?version=3#password`;
//! - database credentials with a lease: `vault:database/creds/orders#username`;
//! - static roles, read again as they rotate: `vault:database/static-creds/app#password`;
//! - certificates: `vault:pki/issue/orders?common_name=orders.shop&ttl=24h#certificate`;
//! - any other path is read as it is: `vault:cubbyhole/token#token`.
//!
//! One login serves all. Its token is renewed at 70 to 73.3 % of its time to live, as Vault's `LifetimeWatcher` does, and
//! replaced by a new login before its maximum, or when Vault says that it is dead. The leases of the old login end with its
//! token, so a new number goes to [`StoreEvents::session`](crate::store::StoreEvents::session); after a planned login the old
//! token is left to expire, so that whoever still uses what it lent can finish.
//!
//! Calls are made of the endpoints of vaultrs. What it lacks (leases, mounts), and what it would make of plain strings (logins),
//! are endpoints of our own, and all answers are read into buffers that are wiped. Neither proxies nor any other variable of the
//! environment have an effect, and a token follows a redirect to the given nodes and the same host alone.
//!
//! # Cancel safety
//! A call may be dropped; a login that it has begun goes on for the others, so that a wrapped secret which was opened is not lost.
//!
//! # Examples
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::task::Tasks;
//! use detectviz_secrets::{
//!     env::EnvStore,
//!     keeper::{CacheConfig, Keeper},
//!     vault::{AuthConfig, VaultConfig},
//! };
//! use std::sync::Arc;
//!
//! let auth = AuthConfig::AppRole {
//!     mount: "approle".to_owned(),
//!     role_id: "orders".to_owned(),
//!     secret_id: "${secret:env:VAULT_SECRET_ID}".parse().expect("a valid reference"),
//!     wrapped: false,
//! };
//! let config = VaultConfig::default().enabled(true).addresses(["http://127.0.0.1:8200"]).auth(auth);
//! let tasks = Tasks::new();
//! let env = EnvStore::new([("VAULT_SECRET_ID", "hunter2")]);
//! let bootstrap = Keeper::new(env, CacheConfig::default(), &tasks);
//! let store = config.build(Arc::new(bootstrap), &tasks).expect("it is valid, and nothing is asked yet");
//! assert_eq!(format!("{store:?}"), r#"VaultStore { addresses: ["http://127.0.0.1:8200"], .. }"#);
//! # }
//! ```
mod auth;
mod auth_read;
mod config;
mod failure;
mod address;
mod source;
mod http;
mod endpoint;
mod envelope;
mod mounts;
mod path;
mod session;
mod store;
mod validate;
#[cfg(test)]
mod tests;

pub use self::{
    auth::AuthConfig,
    config::{MountKind, VaultConfig, VaultTlsConfig},
    store::VaultStore,
};
