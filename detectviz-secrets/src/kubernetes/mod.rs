//! Kubernetes Secret objects, asked for through the API server: `${secret:k8s:orders-db#password}`.
//!
//! A reference is `k8s:[namespace/]name#key`; without a namespace it is that of the pod. The keys of the Secret are the
//! fields, binary data included, and its `resourceVersion` is the label. Prefer a mounted volume and
//! [`file`](crate::file) where the Secret is known when the pod is made: the kubelet then needs no permission of the pod.
//! Ask the API server where the name is known later, where the Secret lies in another namespace, or where a change must be
//! seen at once rather than within the sync period of the kubelet.
//!
//! ```
//! use detectviz_core::task::Tasks;
//! use detectviz_secrets::kubernetes::KubernetesConfig;
//!
//! let in_a_pod = |name: &str| match name {
//!     "KUBERNETES_SERVICE_HOST" => Some("10.96.0.1".to_owned()),
//!     "KUBERNETES_SERVICE_PORT" => Some("443".to_owned()),
//!     _ => None,
//! };
//! let config = KubernetesConfig::default().enabled(true).namespace("orders");
//! assert!(config.clone().build(in_a_pod, &Tasks::new()).is_ok(), "nothing is asked yet");
//! let outside = config.build(|_| None, &Tasks::new()).expect_err("there is no cluster");
//! assert!(outside.to_string().contains("kubeconfig"), "{outside}");
//! ```
//!
//! # Watch
//! After the first [`fetch`](crate::store::Store::fetch) of a name a task follows the object: a list, and from its
//! `resourceVersion` a watch, both with the field selector `metadata.name=…`. That is what a Role with `resourceNames`
//! [asks of a client](https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources), so that
//! `get`, `list` and `watch` on the names that are used is all a service needs. Both ask for
//! [metadata only](https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches): no value is ever in a
//! watch, and what has changed is fetched again.
//!
//! # What stays in memory
//! The answer of a fetch is read into one buffer, which is wiped, and from there decoded into the fields. What hyper and
//! rustls read it through is theirs and is not wiped, nor is the header with the token. An annotation such as
//! `kubectl.kubernetes.io/last-applied-configuration`, in which `kubectl apply` repeats the values, passes through the same
//! buffers and is not kept.
//!
//! # Third parties
//! kube gives the requests, the form of a watch and the form of a kubeconfig. The transport is hyper and rustls by hand, and
//! not kube's client: that logs the answers that it cannot read, keeps a watch line of any length, and asks again without a
//! pause where a watch ends at once. Neither `KUBECONFIG` nor a proxy variable is read, no process-wide TLS provider is
//! needed, and the programs that a kubeconfig may name under `exec` are not run.
mod access;
mod body;
mod config;
mod connect;
mod error;
mod executor;
mod follow;
mod kubeconfig;
mod name;
mod object;
mod session;
mod state;
mod status;
mod store;
mod watches;

pub use self::{config::KubernetesConfig, store::KubernetesStore};
