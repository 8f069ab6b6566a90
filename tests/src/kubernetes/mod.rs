//! The API of Kubernetes for Secrets, in process: get, list and watch with RBAC, tokens, compaction, and every way to fail.
//!
//! An API server cannot be had on the test machines. This one answers as the documentation says
//! (<https://kubernetes.io/docs/reference/using-api/api-concepts/>,
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>), and where that says nothing as `k8s.io/apiserver` does.
//! `tests/kubernetes/model.rs` drives it with kube's own client and watcher, and the bodies of `tests/kubernetes/cluster.rs`
//! run against a real cluster when `DETECTVIZ_TEST_KUBECONFIG` names one. What it has not: other kinds of objects, patch,
//! label selectors, paging, streaming lists, admission, priority and fairness, and signatures of tokens.
//!
//! # Examples
//! ```
//! use detectviz_tests::kubernetes::{Cluster, Rule};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let cluster = Cluster::start();
//! cluster.put("shop", "db", &[("password", b"hunter2")]);
//! let token = cluster.account("shop", "orders", &[Rule::new("shop", &["get"], &["db"])]);
//! assert!(cluster.kubeconfig(&token).contains("certificate-authority-data"));
//! # }
//! ```
mod access;
mod api;
mod authority;
mod fault;
mod server;
mod status;
mod stream;
mod world;

pub use self::{access::Rule, authority::Authority, fault::Fault, server::Cluster};
