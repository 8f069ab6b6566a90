//! What each page answers.
use super::{
    Version,
    loglevel::{Change, Shown},
};
use crate::{error::Problem, probe::Probes, scrape::metrics};
use bytes::Bytes;
use detectviz_core::{
    error::BoxError,
    runtime::Views,
    telemetry::{logs::Levels, metrics::Registry},
};
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full, Limited};
use std::fmt;

/// What the pages show.
pub(super) struct Pages {
    pub(super) probes: Probes,
    pub(super) metrics: Option<Registry>,
    pub(super) config: Option<Box<dyn Fn() -> serde_json::Value + Send + Sync>>,
    pub(super) levels: Option<Levels>,
    pub(super) views: Option<Views>,
    pub(super) version: Version,
}

/// The longest body of a `PUT`, in bytes.
pub(super) const MAX_BODY: usize = 4096;

// === impl Pages ===

impl Pages {
    /// Answers one request.
    pub(super) async fn answer<B>(&self, head: &Parts, body: B) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let mut answer = self.page(head, body).await;
        if head.method == Method::HEAD {
            *answer.body_mut() = Full::default();
        }
        answer
    }

    async fn page<B>(&self, head: &Parts, body: B) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let path = head.uri.path();
        let is_loglevel = path == "/loglevel" && self.levels.is_some();
        if is_loglevel && head.method == Method::PUT {
            return self.change_levels(head, body).await;
        }
        let known = self.index().any(|(known, _)| known == path);
        if !known {
            return Problem::new(StatusCode::NOT_FOUND)
                .detail("no such page: `/` lists what there is")
                .into_response();
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            let allowed = if is_loglevel {
                "GET, HEAD, PUT"
            } else {
                "GET, HEAD"
            };
            return not_allowed(allowed);
        }
        if let Some(answer) = self.probes.answer(&head.method, &head.uri) {
            return answer;
        }
        match (path, &self.metrics, &self.config, &self.levels) {
            ("/metrics", Some(registry), ..) => metrics(registry, &head.headers),
            ("/config", _, Some(config), _) => json(&config()),
            ("/loglevel", _, _, Some(levels)) => json(&Shown::new(levels)),
            ("/version", ..) => json(&self.version),
            ("/", ..) => {
                let lines = self
                    .index()
                    .map(|(path, what)| format!("{path:<20} {what}\n"));
                reply("text/plain; charset=utf-8", lines.collect::<String>())
            }
            // What components show does not stand in for the pages above.
            _ => json(&self.views.as_ref().and_then(|views| views.read(path))),
        }
    }

    async fn change_levels<B>(&self, head: &Parts, body: B) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let refuse = |status, why: String| Problem::new(status).detail(why).into_response();
        let Some(levels) = &self.levels else {
            return not_allowed("GET, HEAD");
        };
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            let why = format!("the body is cut off, or longer than {MAX_BODY} bytes");
            return refuse(StatusCode::BAD_REQUEST, why);
        };
        let change = match Change::read(head.uri.query(), &body.to_bytes()) {
            Ok(change) => change,
            Err(why) => return refuse(StatusCode::BAD_REQUEST, why),
        };
        match levels.override_for(&change.level, change.ttl) {
            Ok(()) => json(&Shown::new(levels)),
            Err(why) => refuse(StatusCode::BAD_REQUEST, why.to_string()),
        }
    }

    /// Every page that there is, and what it says.
    fn index(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let pages = [
            (true, "/", "what there is"),
            (true, "/version", "what runs here"),
            (
                self.metrics.is_some(),
                "/metrics",
                "Prometheus text or OpenMetrics",
            ),
            (self.config.is_some(), "/config", "every effective value"),
            (
                self.levels.is_some(),
                "/loglevel",
                "GET or PUT the log levels",
            ),
        ];
        let pages = pages.into_iter().filter(|(there, ..)| *there);
        let pages = pages.map(|(_, path, what)| (path, what));
        let views = self.views.as_ref().map(Views::pages);
        pages.chain(views.unwrap_or_default()).chain(
            self.probes
                .paths()
                .map(|path| (path, "probe; ?verbose for JSON")),
        )
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn not_allowed(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Problem::new(StatusCode::METHOD_NOT_ALLOWED)
        .detail(format!("this page takes {allowed}"))
        .into_response();
    let headers = answer.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

fn json(value: &impl serde::Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec_pretty(value) {
        Ok(mut text) => {
            text.push(b'\n');
            reply("application/json", text)
        }
        Err(_) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}

fn reply(kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
