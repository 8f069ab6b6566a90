//! The admin port: what operators, Prometheus and the kubelet ask, on a thread of its own.
//!
//! | path | methods | answer |
//! |---|---|---|
//! | `/` | `GET` | what there is |
//! | `/livez`, `/readyz`, `/startupz` and their aliases | `GET` | the [probes](crate::probe) |
//! | `/metrics` | `GET` | Prometheus text 0.0.4 or OpenMetrics 1.0, by `Accept` |
//! | `/config` | `GET` | every effective value as JSON, as it was [given](AdminBuilder::with_config) |
//! | `/loglevel` | `GET`, `PUT` | the log levels; `PUT` changes them for a while |
//! | `/version` | `GET` | what runs here |
//! | `/admission` | `GET` | the limits of servers, and how full they are; such a page comes from the components that [show](detectviz_core::runtime::BuildContext::show) it |
//! | `/clients` | `GET` | the hosts of clients: breaker, bulkhead, budget, endpoints; such a page too |
//!
//! Because the thread has a runtime of its own, a stalled application cannot silence it: `/livez` then answers 503 with the
//! cause, while a probe on the application's port gets no answer.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{health::{Health, HealthConfig}, task::{Component, Tasks}, telemetry::metrics::Registry};
//! use detectviz_http::{admin::{AdminBuilder, AdminConfig}, probe::{ProbeConfig, Probes}};
//!
//! let tasks = Tasks::new();
//! let health = Health::new(&HealthConfig::default(), &tasks, &Registry::new());
//! let probes = Probes::new(&ProbeConfig::default(), health);
//! let config = AdminConfig::default().loopback().port(0);
//! let admin = AdminBuilder::new(config, probes).build(&tasks).expect("the config is valid");
//! admin.start().await.expect("any port is free");
//! assert!(admin.local_addr().is_some());
//! admin.stop().await.expect("it stops");
//! # }
//! ```
//!
//! # Order
//! It answers until it is stopped, so it is the last to be stopped: liveness stays 200 until the process ends.
//!
//! # Danger
//! Whoever reaches the port reads the configuration and changes log levels. Let a NetworkPolicy say who does.
mod builder;
mod component;
mod config;
mod loglevel;
mod pages;
mod service;
#[cfg(test)]
mod tests;
mod version;

pub use self::{builder::AdminBuilder, component::Admin, config::AdminConfig, version::Version};
pub use crate::scrape::metrics;
