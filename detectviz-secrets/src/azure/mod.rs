//! Secrets in Azure Key Vault: `${secret:azure:orders-db#password}`.
//!
//! A reference names a secret of [`AzureConfig::vault_url`] by its name or its whole identifier
//! (`https://<vault>.vault.azure.net/secrets/<name>`), and may end in `/<version>`; without, it is the current one. A value that is
//! a JSON object has one field for each of its keys; any other is one value. The id of the version is the label, so that a
//! rotation shows.
//!
//! The calls are our own, of the documented REST interface: the identity library of Azure takes addresses and secrets of
//! managed identities from the environment, and its client leaves copies of what it read. As its client does, each login first asks
//! the vault without a token which resource it wants one for, and refuses to get one for anything but the vault's own domain.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::task::Tasks;
//! use detectviz_secrets::{
//!     azure::{AzureConfig, AzureCredentials},
//!     env::EnvStore,
//!     keeper::{CacheConfig, Keeper},
//!     store::Store,
//! };
//! use std::sync::Arc;
//!
//! // What references in the credentials lead to.
//! let local = EnvStore::new([("LOGIN", "hunter2")]);
//! let login = Keeper::new(local, CacheConfig::default(), &Tasks::new());
//! let (tenant, client) = ("11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000");
//! let store = AzureConfig::default()
//!     .enabled(true)
//!     .vault_url("https://orders.vault.azure.net")
//!     .credentials(AzureCredentials::workload_identity(tenant, client))
//!     .build(Arc::new(login))
//!     .expect("nothing is missing");
//! assert_eq!(store.name(), "azure");
//! # }
//! ```
//!
//! # Source
//! [Get Secret](https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret),
//! [authentication of Key Vault](https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses),
//! [client credentials with a secret or a federated token](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow),
//! [managed identities](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token).
mod challenge;
mod config;
mod credentials;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    config::{AzureConfig, AzureCredentials},
    store::AzureStore,
};
