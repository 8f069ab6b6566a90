//! Secrets in AWS Secrets Manager: `${secret:aws:orders/db#password}`.
//!
//! A reference names a secret by its name or its ARN, and may say which version: `${secret:aws:orders/db?stage=AWSPREVIOUS#password}`
//! or `?version=<id>`; without either it is `AWSCURRENT`. A `SecretString` that holds a JSON object has one field for each
//! of its keys; any other text, and a `SecretBinary`, is one value. The `VersionId` is the label, so that a rotation shows.
//!
//! The calls are those of the AWS SDK, over a connection of our own: TLS by ring, the authorities of [`AwsConfig::ca_file`],
//! no proxy. The SDK is told everything and reads no profile and no variable of its settings; it does not retry.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::task::Tasks;
//! use detectviz_secrets::{
//!     aws::{AwsConfig, AwsCredentials},
//!     env::EnvStore,
//!     keeper::{CacheConfig, Keeper},
//!     store::Store,
//! };
//! use std::sync::Arc;
//!
//! // What references in the credentials lead to.
//! let local = EnvStore::new([("LOGIN", "hunter2")]);
//! let login = Keeper::new(local, CacheConfig::default(), &Tasks::new());
//! let store = AwsConfig::default()
//!     .enabled(true)
//!     .region("eu-west-1")
//!     .credentials(AwsCredentials::web_identity("arn:aws:iam::123456789012:role/orders"))
//!     .build(Arc::new(login))
//!     .expect("nothing is missing");
//! assert_eq!(store.name(), "aws");
//! # }
//! ```
//!
//! # Source
//! [GetSecretValue](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html),
//! [AssumeRoleWithWebIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html),
//! [EKS Pod Identity](https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html),
//! [IMDSv2](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html).
mod config;
mod connector;
mod credentials;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    config::{AwsConfig, AwsCredentials},
    store::AwsStore,
};
