//! What is known of one call while it is under way, and its record when it ends.
use super::{
    ConnectFailed, ConnectTimeout, InvalidTarget, LookupFailed, NoTrustRoots, SendFailed,
    in_flight::Flight, recorder::Ending, service::Shared, upstream::Upstream,
};
use detectviz_core::{
    balance::NoEndpoints,
    error::{BoxError, cause_ref},
    resilience::timeout::Elapsed,
    telemetry::{
        context::Slot,
        span::{SpanKind, SpanRecord, SpanStatus, Text},
    },
};
use http::{Method, StatusCode, Uri};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// One call, from its start to the end of the response's body.
pub(super) struct Call {
    shared: Arc<Shared>,
    upstream: Option<Arc<Upstream>>,
    method: Method,
    /// What was asked for; only its parts that are safe to show are recorded.
    target: Uri,
    slot: Slot,
    status: Option<StatusCode>,
    recorded: bool,
    _flight: Flight,
}

// === impl Call ===

impl Call {
    pub(super) fn new(shared: &Arc<Shared>, method: Method, target: Uri, slot: Slot) -> Self {
        Self {
            _flight: shared.in_flight.start(),
            shared: Arc::clone(shared),
            upstream: None,
            method,
            target,
            slot,
            status: None,
            recorded: false,
        }
    }

    /// The span of the call.
    pub(super) fn slot(&self) -> &Slot {
        &self.slot
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// It is known whom the call goes to.
    pub(super) fn aimed(&mut self, upstream: Arc<Upstream>) {
        upstream
            .series(&self.target, &self.shared.recorder)
            .started();
        self.upstream = Some(upstream);
    }

    /// The headers of the response are there.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// The body has been read to its end.
    pub(super) fn ended(&mut self) {
        self.record(None);
    }

    /// The call failed; gives the error its name.
    pub(super) fn failed(&mut self, err: impl Into<BoxError>) -> BoxError {
        let err = err.into();
        let known = [
            cause_ref::<InvalidTarget>(&*err).is_some(),
            cause_ref::<LookupFailed>(&*err).is_some(),
            cause_ref::<NoEndpoints>(&*err).is_some(),
            cause_ref::<NoTrustRoots>(&*err).is_some(),
        ];
        let names = [
            "invalid_target",
            "lookup_failed",
            "no_endpoints",
            "no_trust_roots",
        ];
        if let Some(at) = known.iter().position(|known| *known) {
            self.record(Some(names[at]));
            return err;
        }
        let name = if cause_ref::<ConnectTimeout>(&*err).is_some() {
            "connect_timeout"
        } else if cause_ref::<ConnectFailed>(&*err).is_some() {
            "connect_failed"
        } else {
            "send_failed"
        };
        self.record(Some(name));
        SendFailed::new(self.target.host().unwrap_or_default(), err).into()
    }

    /// The time was up.
    pub(super) fn elapsed(&mut self, deadline: Instant) -> BoxError {
        self.record(Some("timeout"));
        Elapsed::new(deadline.saturating_duration_since(self.slot.started)).into()
    }

    fn record(&mut self, error: Option<&'static str>) {
        if std::mem::replace(&mut self.recorded, true) {
            return;
        }
        let took = self.slot.started.elapsed();
        let status = self.status;
        let ending = Ending { status, error };
        let (method, trace) = (&self.method, &self.slot.context);
        if let Some(upstream) = &self.upstream {
            let series = upstream.series(&self.target, &self.shared.recorder);
            series.left();
            series.ended(&self.shared.recorder, method, ending, took, trace);
        } else if let Some(host) = self.target.host() {
            let series = self.shared.recorder.series(host, port(&self.target));
            series.ended(&self.shared.recorder, method, ending, took, trace);
        }
        if self.slot.context.is_sampled() && self.shared.spans.is_recording() {
            let span = self.span(took, ending);
            self.shared.spans.record(span);
        }
    }

    /// OpenTelemetry's HTTP client span.
    fn span(&self, took: Duration, ending: Ending) -> SpanRecord {
        let end = SystemTime::now().duration_since(UNIX_EPOCH);
        let end = u64::try_from(end.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX);
        let start = end.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        let method = method_name(&self.method);
        let context = self.slot.context;
        let mut span = SpanRecord::new(context, SpanKind::Client, span_name(method), start, end);
        span.parent = self.slot.parent;
        span.tracestate = self.slot.tracestate.clone();
        let attributes = &mut span.attributes;
        attributes.push("http.request.method", method);
        if method == OTHER {
            attributes.push_str("http.request.method_original", self.method.as_str());
        }
        attributes.push_str("server.address", self.target.host().unwrap_or_default());
        attributes.push("server.port", port(&self.target));
        attributes.push_str("url.full", &shown(&self.target));
        if let Some(status) = ending.status {
            attributes.push("http.response.status_code", status.as_u16());
        }
        if let Some(error) = ending.error_type() {
            attributes.push_str("error.type", error);
            span.status = SpanStatus::Error(Text::Static(""));
        }
        span
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // An answer whose body nobody wanted is no error; a call that nobody waited for is one.
        self.record(self.status.is_none().then_some("cancelled"));
    }
}

const OTHER: &str = "_OTHER";

/// The method as OpenTelemetry wants it: one of those that are known.
pub(super) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}

fn span_name(method: &'static str) -> Text {
    Text::Static(if method == OTHER { "HTTP" } else { method })
}

/// The port that `target` means.
pub(super) fn port(target: &Uri) -> u16 {
    let tls = target.scheme_str() == Some("https");
    target.port_u16().unwrap_or(if tls { 443 } else { 80 })
}

/// `target` without user information, and with the keys of its query only: their values may be secrets.
fn shown(target: &Uri) -> String {
    let scheme = target.scheme_str().unwrap_or("http");
    let authority = target.authority().map_or("", |a| a.as_str());
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let mut shown = format!("{scheme}://{authority}{}", target.path());
    for (at, pair) in target
        .query()
        .into_iter()
        .flat_map(|q| q.split('&'))
        .enumerate()
    {
        shown.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((key, _)) => shown.extend([key, "=REDACTED"]),
            None => shown.push_str("REDACTED"),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lg4_a_url_is_shown_without_its_secrets() {
        for (target, expected) in [
            ("http://orders/v1?id=7", "http://orders/v1?id=REDACTED"),
            ("https://u:p@h:8/x", "https://h:8/x"),
            (
                "http://h/?a&b=1&c=",
                "http://h/?REDACTED&b=REDACTED&c=REDACTED",
            ),
            ("http://h", "http://h/"),
        ] {
            assert_eq!(shown(&target.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_port_is_the_one_that_the_scheme_means() {
        for (target, expected) in [
            ("http://h/", 80),
            ("https://h/", 443),
            ("https://h:8443/", 8443),
        ] {
            assert_eq!(port(&target.parse().unwrap()), expected);
        }
    }
}
