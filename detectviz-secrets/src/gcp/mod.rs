//! Secrets in Google Secret Manager: `${secret:gcp:orders-db#password}`.
//!
//! A reference names a secret of [`GcpConfig::project`] by its name, or by its whole resource name
//! (`projects/<project>/secrets/<name>`, with `locations/<location>/` before `secrets` for a regional one), and may end in
//! `/versions/<number or alias>`; without, it is `latest`. A payload that is a JSON object has one field for each of its keys;
//! any other is one value. The number of the version is the label, so that a rotation shows.
//!
//! The calls are our own, of the documented REST interface: the client library of Google takes proxies and authorities from
//! the environment and leaves copies of what it read. The checksum of the payload is verified.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_secrets::{gcp::GcpConfig, store::Store};
//!
//! // Workload identity: the metadata server of the node gives the token.
//! let store = GcpConfig::default().enabled(true).project("orders-prod").build().expect("nothing is missing");
//! assert_eq!(store.name(), "gcp");
//! # }
//! ```
//!
//! # Source
//! [projects.secrets.versions.access](https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access),
//! [tokens of the metadata server](https://cloud.google.com/compute/docs/access/authenticate-workloads),
//! [workload identity federation](https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes),
//! [self-signed JWT, AIP-4111](https://google.aip.dev/auth/4111), [external account credentials, AIP-4117](https://google.aip.dev/auth/4117).
mod config;
mod credentials;
mod jwt;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    config::{GcpConfig, GcpCredentials},
    store::GcpStore,
};
