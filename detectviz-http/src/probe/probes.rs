//! The answers to probes, for whoever serves them.
use super::{ProbeConfig, ProbeKind, state::ProbePaths};
use bytes::Bytes;
use detectviz_core::health::{Health, Report, Status};
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use http_body_util::Full;
use std::sync::Arc;

/// Answers probes from what [`Health`] knows; what [`Probe`](super::Probe) and the admin port share.
///
/// # Clone
/// Clones share the paths and the health.
#[derive(Clone, Debug)]
pub struct Probes {
    paths: Arc<ProbePaths>,
    health: Health,
}

impl Probes {
    /// The probes at the paths of `config`.
    #[must_use]
    pub fn new(config: &ProbeConfig, health: Health) -> Self {
        Self {
            paths: Arc::new(ProbePaths::new(config)),
            health,
        }
    }

    /// What `path` asks, when it is a probe. Does not allocate.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<ProbeKind> {
        self.paths.find(path)
    }

    /// The health that they show.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Every path that is a probe.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|(_, path)| path)
    }

    /// The answer to a `GET` or `HEAD` of a probe; `None` for every other request. Allocates only for a probe.
    #[must_use]
    pub fn answer(&self, method: &Method, uri: &Uri) -> Option<Response<Full<Bytes>>> {
        let kind = self.find(uri.path())?;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let report = match kind {
            ProbeKind::Live => self.health.liveness(),
            ProbeKind::Ready => self.health.readiness(),
            ProbeKind::Startup => self.health.startup(),
        };
        let mut response = if is_verbose(uri.query().unwrap_or_default()) {
            // A report is strings and numbers, which always serialize.
            let json = serde_json::to_vec(&report).unwrap_or_default();
            reply(&report, "application/json", json)
        } else {
            reply(&report, "text/plain; charset=utf-8", text(&report))
        };
        if *method == Method::HEAD {
            *response.body_mut() = Full::default();
        }
        Some(response)
    }
}

fn reply(report: &Report, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    if report.is_fail() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn text(report: &Report) -> Bytes {
    let verdict = match report.status {
        Status::Pass => return Bytes::from_static(b"ok\n"),
        Status::Degraded => "ok, degraded",
        Status::Fail => "failed",
    };
    match &report.cause {
        Some(cause) => format!("{verdict}: {cause}\n").into(),
        None => format!("{verdict}\n").into(),
    }
}

/// `verbose` as a key of its own, the way Kubernetes' API server takes it.
fn is_verbose(query: &str) -> bool {
    query.split('&').any(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        key == "verbose" && !matches!(value, "false" | "0")
    })
}
