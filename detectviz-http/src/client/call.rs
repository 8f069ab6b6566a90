//! What is known of one call while it is under way, and its record when it ends.
use super::{
    Body, SendFailed, aim::Aim, attempt::Attempt, failure::name_of, in_flight::Flight,
    recorder::Ending, rules::Rule, saved::Saved, service::Shared, upstream::Upstream,
    verdict::is_repeatable,
};
use detectviz_core::{
    balance::{self, Tried},
    error::BoxError,
    resilience::{
        bulkhead::Permit,
        retry::{Decision, Outcome, RetryCall, Stop},
        timeout::Elapsed,
    },
    telemetry::{
        context::{Note, NoteValue, Slot},
        span::{Event, SpanKind, SpanRecord, SpanStatus, Text},
    },
};
use http::{Method, Request, StatusCode, Uri, uri::Scheme};
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
    /// In place whenever the call is worked on.
    slot: Option<Box<Slot>>,
    status: Option<StatusCode>,
    recorded: bool,
    retry: Option<RetryCall>,
    saved: Option<Saved>,
    repeatable: bool,
    tried: Tried,
    /// The right to run, until the call has ended.
    permit: Option<Permit>,
    /// Who is answering, and what will be said of it.
    answering: Option<(Aim, balance::Outcome, Instant)>,
    /// What holds for it.
    rule: Rule,
    _flight: Flight,
}

// === impl Call ===

impl Call {
    pub(super) fn new(shared: &Arc<Shared>, method: Method, target: Uri, slot: Slot) -> Self {
        Self {
            rule: Rule::new(shared.upstreams.hosts().total_timeout()),
            _flight: shared.in_flight.start(),
            shared: Arc::clone(shared),
            upstream: None,
            method,
            target,
            slot: Some(Box::new(slot)),
            status: None,
            recorded: false,
            retry: None,
            saved: None,
            repeatable: false,
            tried: Tried::new(),
            permit: None,
            answering: None,
        }
    }

    /// The span of the call.
    pub(super) fn slot(&self) -> &Slot {
        self.slot.as_deref().expect("it is lent only for a while")
    }

    /// Runs `work` in the span of the call.
    pub(super) fn enter<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let mut slot = self.slot.clone();
        let result = Slot::lend(&mut slot, || work(self));
        self.slot = slot;
        result
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// It is known whom the call goes to.
    pub(super) fn aimed(&mut self, upstream: Arc<Upstream>) {
        upstream
            .series(&self.target, &self.shared.recorder)
            .started();
        self.rule = upstream.policies().rule(&self.method, self.target.path());
        self.upstream = Some(upstream);
    }

    /// What holds for it, as far as it is known whom it goes to.
    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// When it must have ended.
    pub(super) fn deadline(&self) -> Instant {
        let slot = self.slot();
        let own = slot.started + self.rule.total_timeout;
        slot.deadline.map_or(own, |theirs| theirs.min(own))
    }

    /// Whom the call goes to, once that is known.
    pub(super) fn upstream(&self) -> Option<Arc<Upstream>> {
        self.upstream.clone()
    }

    /// The call may run: what it needs to be repeated is kept.
    pub(super) fn admitted(&mut self, permit: Permit, request: &mut Request<Body>) {
        self.permit = Some(permit);
        let Some(upstream) = &self.upstream else {
            return;
        };
        self.shared.address(upstream, request);
        let Rule { safe, attempts, .. } = self.rule;
        self.repeatable = safe.unwrap_or_else(|| is_repeatable(request));
        let started = self.slot().started;
        let mut retry = upstream.policies().retry.clone().begin_owned(started);
        if let Some(attempts) = attempts {
            retry.set_attempts(attempts);
        }
        if retry.repeats() && self.repeatable {
            self.saved = Saved::of(request);
        }
        self.retry = Some(retry);
    }

    /// The next attempt begins.
    pub(super) fn retried(&mut self) {
        if let Some(retry) = &mut self.retry {
            retry.again();
        }
    }

    /// Sends the request to one of the endpoints.
    ///
    /// # Errors
    /// As [`Attempt::start`].
    pub(super) fn start(
        &mut self,
        request: Request<Body>,
        deadline: Instant,
    ) -> Result<Attempt, BoxError> {
        let Some(upstream) = self.upstream.clone() else {
            return Err("a call without an upstream is not sent".into());
        };
        let tls = self.target.scheme() == Some(&Scheme::HTTPS);
        let shared = Arc::clone(&self.shared);
        let slot = self.slot.as_deref().expect("it is lent only for a while");
        let span = (slot, &mut self.tried, tls);
        Attempt::start(
            &shared,
            &upstream,
            request,
            span,
            (deadline, self.rule.attempt_timeout, self.repeatable),
        )
    }

    /// What follows an attempt.
    pub(super) fn decide(&mut self, outcome: Outcome, left: Duration, now: Instant) -> Decision {
        match (&mut self.retry, outcome) {
            (_, Outcome::Success) | (None, _) => Decision::Stop(Stop::Success),
            (Some(_), _) => self.enter(|call| match &mut call.retry {
                Some(retry) => retry.after(outcome, Some(left), now),
                None => Decision::Stop(Stop::Success),
            }),
        }
    }

    /// The request once more, if it could be kept.
    pub(super) fn saved(&self) -> Option<Request<Body>> {
        self.saved.as_ref().map(Saved::request)
    }

    /// The headers of the response are there; `aim` is in use until its body has ended.
    pub(super) fn answered(
        &mut self,
        status: StatusCode,
        aim: Aim,
        outcome: balance::Outcome,
        now: Instant,
    ) {
        self.status = Some(status);
        self.saved = None;
        self.answering = Some((aim, outcome, now));
    }

    /// The body has been read to its end.
    pub(super) fn ended(&mut self) {
        self.record(None);
    }

    /// The call failed; gives the error its name.
    pub(super) fn failed(&mut self, err: impl Into<BoxError>) -> BoxError {
        let err = err.into();
        let (name, is_ours) = name_of(&*err);
        self.record(Some(name));
        if is_ours {
            return err;
        }
        SendFailed::new(self.target.host().unwrap_or_default(), err).into()
    }

    /// The time was up.
    pub(super) fn elapsed(&mut self, deadline: Instant) -> BoxError {
        self.record(Some("timeout"));
        Elapsed::new(deadline.saturating_duration_since(self.slot().started)).into()
    }

    fn record(&mut self, error: Option<&'static str>) {
        if std::mem::replace(&mut self.recorded, true) {
            return;
        }
        if let Some((aim, outcome, at)) = self.answering.take() {
            aim.finish(outcome, at);
        }
        self.permit = None;
        let Some(slot) = &self.slot else { return };
        let took = slot.started.elapsed();
        let status = self.status;
        let ending = Ending { status, error };
        let (method, trace) = (&self.method, &slot.context);
        if let Some(upstream) = &self.upstream {
            let series = upstream.series(&self.target, &self.shared.recorder);
            series.left();
            series.ended(&self.shared.recorder, method, ending, took, trace);
        } else if let Some(host) = self.target.host() {
            let series = self.shared.recorder.series(host, port(&self.target));
            series.ended(&self.shared.recorder, method, ending, took, trace);
        }
        if slot.context.is_sampled() && self.shared.spans.is_recording() {
            let span = self.span(slot, took, ending);
            self.shared.spans.record(span);
        }
    }

    /// OpenTelemetry's HTTP client span.
    fn span(&self, slot: &Slot, took: Duration, ending: Ending) -> SpanRecord {
        let end = SystemTime::now().duration_since(UNIX_EPOCH);
        let end = u64::try_from(end.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX);
        let start = end.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        let method = method_name(&self.method);
        let context = slot.context;
        let mut span = SpanRecord::new(context, SpanKind::Client, span_name(method), start, end);
        span.parent = slot.parent;
        span.tracestate = slot.tracestate.clone();
        for note in &slot.notes {
            span.events.push(event(note, slot, start));
        }
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

/// A note as an event of a span that began at `start`.
fn event(note: &Note, slot: &Slot, start: u64) -> Event {
    let after = note.at.saturating_duration_since(slot.started).as_nanos();
    let at = start.saturating_add(u64::try_from(after).unwrap_or(0));
    let event = Event::new(at, note.name);
    match note.attribute {
        Some((key, NoteValue::U64(value))) => {
            event.attribute(key, i64::try_from(value).unwrap_or(i64::MAX))
        }
        Some((key, NoteValue::Str(value))) => event.attribute(key, value),
        _ => event,
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
