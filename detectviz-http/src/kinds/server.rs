//! `http-server`.
use super::{App, BoundAddr, shared::Shared};
use crate::{
    body::RequestBody,
    probe::Probes,
    propagation::Propagators,
    server::{Server, ServerConfig, ServerDeps},
    stack::{Stack, StackDeps},
};
use bytes::Bytes;
use detectviz_core::{
    clock,
    error::BoxError,
    resilience::timer::Timer,
    runtime::{BuildContext, Kind},
};
use http::{Request, Response};
use http_body::Body;
use std::{path::Path, sync::Arc};
use tower_service::Service;

/// Where the admin port shows the limits, and what they hold.
const ADMISSION: (&str, &str) = ("/admission", "limits of servers, and how full they are");

/// The kind `http-server`: serves what `app` makes, within the whole [stack](crate::stack) and with probes.
///
/// Its limits follow the file while it runs: what stands in [`AdmissionConfig`](crate::admission::AdmissionConfig) and is live.
///
/// `app` runs once for each component of the kind; it finds what was built before by name in the context.
#[must_use]
pub fn server<S, B>(
    app: impl Fn(&mut BuildContext<'_>) -> Result<App<S>, BoxError> + Send + Sync + 'static,
) -> Kind
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let description = "An HTTP server with probes, metrics, traces and an access log.";
    Kind::new(
        "http-server",
        description,
        move |config: ServerConfig, cx| {
            let App { service, routes } = app(cx)?;
            let shared = cx.shared().clone();
            let probes = Probes::new(&config.probes, shared.health.clone());
            let deps = StackDeps::default()
                .with_metrics(shared.telemetry.metrics().clone())
                .with_logs(shared.telemetry.logs().clone())
                .with_spans(shared.telemetry.spans().clone())
                .with_routes(routes)
                .with_probes(probes)
                .with_propagators(Propagators::new(shared.telemetry.propagation()));
            let deps = deps
                .with_timer(Timer::with_tasks(cx.tasks()))
                .with_metrics_page(config.metrics);
            let stack = Stack::new(&config.layers, deps)?;
            let admission = stack.admission();
            admission.start(cx.tasks(), Path::new("/"));
            let handle = admission.handle();
            cx.provide(handle.clone());
            cx.show(ADMISSION, move || {
                // Numbers and strings always serialize.
                serde_json::to_value(handle.snapshot(clock::now())).unwrap_or_default()
            });
            let live = admission.clone();
            cx.on_reload(config.clone(), move |next: ServerConfig| {
                live.reconfigure(&next.layers.admission, clock::now());
            });
            let service = stack.service(service);
            let deps = ServerDeps::new(
                cx.tasks().clone(),
                shared.phase.clone(),
                shared.telemetry.metrics().clone(),
            );
            let server = Arc::new(Server::new(config, cx.name(), deps, service));
            let bound = Arc::clone(&server);
            cx.provide(BoundAddr::new(move || bound.local_addr()));
            Ok(Shared(server))
        },
    )
}
