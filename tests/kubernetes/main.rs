//! Secrets in Kubernetes: against a model of the API server, and against a real one where there is one.
mod client;
mod cluster;
mod faults;
mod follow;
mod guide;
mod hostile;
mod kubeconfig;
mod memory;
mod model;
mod support;
