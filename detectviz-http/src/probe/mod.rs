//! Probes: `/livez`, `/readyz`, `/startupz` and their aliases, answered before the service sees them.
//!
//! What is answered is what [`Health`](detectviz_core::health::Health) knows from before; a probe never starts a check.
//! 200 says that it passes, 503 that it does not, and the body why; `?verbose` gives the whole report as JSON.
//!
//! | path | asks | aliases |
//! |---|---|---|
//! | `/livez` | is the process alive? The kubelet restarts it when not | `/healthz`, `/health/live`, `/health/liveness` |
//! | `/readyz` | does it deserve traffic? | `/health`, `/health/ready`, `/health/readiness`, `/readiness` |
//! | `/startupz` | has it started? | |
//!
//! `/healthz` was Kubernetes' own liveness probe before `/livez`; `/health` is what load balancers and Spring's users ask
//! before they send traffic. The lists are [config](ProbeConfig).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{health::{Health, HealthConfig}, task::Tasks, telemetry::metrics::Registry};
//! use detectviz_http::probe::{ProbeConfig, ProbeLayer};
//! use http::{Request, Response, StatusCode};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! let health = Health::new(&HealthConfig::default(), &Tasks::new(), &Registry::new());
//! let app = service_fn(|_: Request<()>| async { Ok::<_, std::io::Error>(Response::new(String::new())) });
//! let app = ProbeLayer::new(&ProbeConfig::default(), health).layer(app);
//! let request = Request::get("/livez").body(()).expect("a request");
//! assert_eq!(app.oneshot(request).await.expect("an answer").status(), StatusCode::OK);
//! # }
//! ```
//!
//! # Back-pressure
//! A probe waits for the service's `poll_ready` like any other request. The layers of this crate refuse in `call`, so that
//! it is always ready; a service of yours that holds back in `poll_ready` holds back the probes too.
mod config;
mod future;
mod layer;
mod probes;
mod service;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use self::service::{Answer, answer};
pub use self::{
    config::ProbeConfig, future::ResponseFuture, layer::ProbeLayer, probes::Probes, service::Probe,
    state::ProbeKind,
};
