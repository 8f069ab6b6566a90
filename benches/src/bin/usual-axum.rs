//! `hello` from axum within the layers that people usually put around it: `usual-axum [--port P] [--workers N] [--otel]`.
//!
//! JSON lines go to stdout. With `--otel`, spans are made by tracing-opentelemetry too, sampled 1 in 100, and dropped where an
//! exporter would take them.
use axum::{Router, error_handling::HandleErrorLayer, http::StatusCode, routing::get};
use detectviz_benches::usual;
use metrics_exporter_prometheus::PrometheusBuilder;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::{
    convert::Infallible,
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tracing_subscriber::layer::SubscriberExt;

fn main() -> ExitCode {
    let Some((port, workers, otel)) = arguments() else {
        let _ = writeln!(
            io::stderr(),
            "usage: usual-axum [--port P] [--workers N] [--otel]"
        );
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(serve(port, otel))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            let _ = writeln!(io::stderr(), "usual-axum: {err}");
            ExitCode::from(69)
        }
    }
}

/// Port, worker threads, and whether there is OpenTelemetry.
fn arguments() -> Option<(u16, usize, bool)> {
    let (mut port, mut otel) = (8080, false);
    let mut workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--port" => port = arguments.next()?.parse().ok()?,
            "--workers" => workers = arguments.next()?.parse().ok().filter(|n| *n > 0)?,
            "--otel" => otel = true,
            _ => return None,
        }
    }
    Some((port, workers, otel))
}

async fn serve(port: u16, otel: bool) -> io::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::set_global_recorder(recorder).map_err(io::Error::other)?;
    let otel = otel.then(|| {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::TraceIdRatioBased(0.01))
            .build();
        tracing_opentelemetry::layer().with_tracer(provider.tracer("usual-axum"))
    });
    let subscriber = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().json())
        .with(otel);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    let failed = |_: tower::BoxError| async {
        Ok::<_, Infallible>((StatusCode::SERVICE_UNAVAILABLE, "overloaded"))
    };
    let app: Router = Router::new().route("/", get(|| async { "hello" }));
    let app = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(failed))
        .service(usual::stack(app));
    let app = Router::new().fallback_service(app);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    writeln!(io::stderr(), "listening on {}", listener.local_addr()?)?;
    axum::serve(listener, app).await
}
