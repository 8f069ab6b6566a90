//! What is known of one call while it is under way, and its record when it ends.
use super::{
    Body, SendFailed,
    answering::Answering,
    attempt::{About, Attempt},
    call::THERE,
    failure::name_of,
    in_flight::Flight,
    line::Tail,
    recorder::Ending,
    rules::Rule,
    saved::Saved,
    service::Shared,
    span::{AttemptEnd, Told, fill, port},
    upstream::Upstream,
    verdict::is_repeatable,
};
use detectviz_core::{
    balance::Tried,
    clock,
    error::BoxError,
    resilience::{
        bulkhead::Permit,
        hedge::HedgeCall,
        retry::{Decision, Outcome, RetryCall, Stop},
        timeout::Elapsed,
        timer::Entry,
    },
    telemetry::{
        context::{Slot, TraceContext},
        span::SpanKind,
    },
};
use http::{HeaderMap, Method, Request, StatusCode, Uri, uri::Scheme};
use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// The state of a call, in a box that is used again.
pub(super) struct State {
    /// `None` while it is unused, so that nothing of a client is kept alive by it.
    shared: Option<Arc<Shared>>,
    flight: Option<Flight>,
    pub(super) upstream: Option<Arc<Upstream>>,
    method: Method,
    /// What was asked for; only its parts that are safe to show are recorded.
    pub(super) target: Uri,
    /// What holds for it, as far as it is known whom it goes to.
    pub(super) rule: Rule,
    /// What is sent next, until it is: here, so that it is not moved with each step.
    pub(super) request: Option<Request<Body>>,
    /// In place whenever the call is worked on.
    slot: Option<Box<Slot>>,
    /// Whether it was polled: only then has it a time.
    begun: bool,
    /// When the caller stops waiting.
    pub(super) deadline: Instant,
    timer: Option<Entry>,
    /// What the timer is armed for.
    armed: Option<Instant>,
    retry: Option<RetryCall>,
    /// What sends an attempt beside the one that is under way.
    pub(super) hedge: Option<HedgeCall>,
    saved: Option<Saved>,
    repeatable: bool,
    tried: Tried,
    /// How many attempts were made.
    pub(super) attempts: u32,
    /// How they ended, where the call is traced and that says more than its own end.
    ends: Vec<AttemptEnd>,
    /// The right to run, until the call has ended.
    permit: Option<Permit>,
    /// The status, once it was there.
    status: Option<StatusCode>,
    /// Who is answering.
    answering: Option<Answering>,
    recorded: bool,
}

// === impl State ===

impl State {
    /// Of no call.
    pub(super) fn new() -> Self {
        let slot = Slot::started_at(TraceContext::root(false), clock::now());
        Self {
            shared: None,
            flight: None,
            upstream: None,
            method: Method::GET,
            target: Uri::default(),
            rule: Rule::new(Duration::ZERO),
            request: None,
            deadline: slot.started,
            slot: Some(Box::new(slot)),
            begun: false,
            timer: None,
            armed: None,
            retry: None,
            hedge: None,
            saved: None,
            repeatable: false,
            tried: Tried::new(),
            attempts: 0,
            ends: Vec::new(),
            permit: None,
            status: None,
            answering: None,
            recorded: false,
        }
    }

    /// Makes it that of a new call.
    #[inline]
    pub(super) fn open(&mut self, shared: &Arc<Shared>, mut request: Request<Body>) {
        shared.open(self.slot.as_deref_mut().expect(THERE));
        self.flight = Some(shared.in_flight.start());
        self.shared = Some(Arc::clone(shared));
        self.method = request.method().clone();
        // It is given back, in the form in which it is sent, when it is known whom it goes to.
        self.target = mem::take(request.uri_mut());
        self.request = Some(request);
        self.begun = false;
        self.recorded = false;
    }

    /// The call is over, and is given up unless it has ended.
    pub(super) fn close(&mut self) {
        if !self.recorded {
            // An answer whose body nobody wanted is no error; a call that nobody waited for is one.
            let error = self.status.is_none().then_some("cancelled");
            self.record(error, clock::now(), Answering::cancelled);
        }
        self.release();
    }

    /// Whether another call may have it.
    pub(super) fn is_whole(&self) -> bool {
        self.slot.is_some()
    }

    /// The call is polled for the first time: here its time begins.
    pub(super) fn begin(&mut self, now: Instant) {
        let total_timeout = self.shared().upstreams.hosts().total_timeout();
        self.slot.as_deref_mut().expect(THERE).started = now;
        self.begun = true;
        self.ruled(Rule::new(total_timeout));
    }

    /// It is known what holds for the call.
    fn ruled(&mut self, rule: Rule) {
        let slot = self.slot.as_deref().expect(THERE);
        let until = slot.started + rule.total_timeout;
        self.deadline = slot.deadline.map_or(until, |theirs| theirs.min(until));
        self.rule = rule;
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.shared.as_ref().expect(THERE)
    }

    /// The span of the call.
    pub(super) fn slot(&self) -> &Slot {
        self.slot.as_deref().expect(THERE)
    }

    /// Runs `work` in the span of the call, when that is recorded; else nothing is noted anyway.
    pub(super) fn enter<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        if !self.slot().context.is_sampled() {
            return work(self);
        }
        let mut slot = self.slot.take();
        let result = Slot::lend(&mut slot, || work(self));
        self.slot = slot;
        result
    }

    /// It is known whom the call goes to.
    pub(super) fn aimed(&mut self, upstream: Arc<Upstream>) {
        upstream
            .series(&self.target, &self.shared().recorder)
            .started();
        self.ruled(upstream.policies().rule(&self.method, self.target.path()));
        self.upstream = Some(upstream);
    }

    /// The call may run: what it needs to be repeated is kept.
    pub(super) fn admitted(&mut self, permit: Permit, now: Instant) {
        self.permit = Some(permit);
        let of = (&self.shared, &self.upstream, &mut self.request);
        let (Some(shared), Some(upstream), Some(request)) = of else {
            return;
        };
        shared.housekeeping.start(shared);
        shared.address(upstream, &self.target, request);
        let Rule { safe, attempts, .. } = self.rule;
        self.repeatable = safe.unwrap_or_else(|| is_repeatable(request));
        let policies = upstream.policies();
        let mut retry = policies.retry.clone().begin_owned(now);
        if let Some(attempts) = attempts {
            retry.set_attempts(attempts);
        }
        let hedges = self.rule.hedges && policies.hedging.get().is_some();
        if self.repeatable && (retry.repeats() || hedges) {
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

    /// Sends the request to one of the endpoints, at `now`.
    ///
    /// # Errors
    /// As [`Attempt::start`].
    pub(super) fn start(&mut self, now: Instant) -> Result<Attempt, BoxError> {
        if let (Some(shared), Some(slot)) = (&self.shared, &self.slot)
            && let Some(request) = &mut self.request
        {
            shared.inject(slot, request.headers_mut(), self.deadline, now);
        }
        let traced = self.is_traced();
        self.enter(|state| {
            let about = About {
                number: state.attempts + 1,
                repeatable: state.repeatable,
                tls: state.target.scheme() == Some(&Scheme::HTTPS),
                traced,
                limit: state.rule.attempt_timeout,
                deadline: state.deadline,
            };
            let (Some(shared), Some(upstream)) = (&state.shared, &state.upstream) else {
                return Err("a call without an upstream is not sent".into());
            };
            let of = (&**shared, &**upstream);
            let attempt = Attempt::start(of, &mut state.request, &mut state.tried, about, now)?;
            state.attempts += 1;
            Ok(attempt)
        })
    }

    /// What follows an attempt, of which nothing was sent if it is `unsent`.
    pub(super) fn decide(&mut self, outcome: Outcome, unsent: bool, now: Instant) -> Decision {
        let outcome = match outcome {
            Outcome::Retryable { .. } if !unsent && self.is_spent() => Outcome::NotSafe,
            outcome => outcome,
        };
        if outcome == Outcome::Success {
            return Decision::Stop(Stop::Success);
        }
        let left = self.deadline.saturating_duration_since(now);
        self.enter(|state| match &mut state.retry {
            Some(retry) => retry.after(outcome, Some(left), now),
            None => Decision::Stop(Stop::Success),
        })
    }

    /// Has the request sent once more, if it could be kept.
    pub(super) fn repeat(&mut self) -> bool {
        let uri = self.shared().target(&self.method, &self.target);
        self.request = self.saved.as_ref().and_then(|saved| saved.request(uri));
        self.request.is_some()
    }

    /// Whether the request cannot be sent again although the settings allow it: there was too much of it.
    fn is_spent(&self) -> bool {
        let repeats = self.retry.as_ref().is_some_and(RetryCall::repeats);
        repeats && !self.saved.as_ref().is_some_and(Saved::can_repeat)
    }

    /// Whether two attempts may carry the request at the same time.
    pub(super) fn may_race(&self) -> bool {
        self.saved.as_ref().is_some_and(Saved::is_whole)
    }

    /// Takes down how an attempt ended.
    pub(super) fn tell(&mut self, end: Option<AttemptEnd>) {
        self.ends.extend(end);
    }

    /// The headers of the response are there; the rest of `answer` is told when its body has ended.
    pub(super) fn answered(&mut self, status: StatusCode, answering: Answering) {
        if let Some(timer) = &mut self.timer {
            timer.disarm();
            self.armed = None;
        }
        self.status = Some(status);
        self.saved = None;
        self.answering = Some(answering);
    }

    /// The trailers of the response are there.
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(answering) = &mut self.answering {
            answering.trailers(trailers);
        }
    }

    /// The body has been read to its end, at `now`.
    pub(super) fn ended(&mut self, now: Instant) {
        self.record(None, now, |answering| answering.ended(now));
    }

    /// The call failed; gives the error its name.
    pub(super) fn failed(&mut self, err: impl Into<BoxError>) -> BoxError {
        let err = err.into();
        let (name, is_ours) = name_of(&*err);
        let now = clock::now();
        self.record(Some(name), now, |answering| answering.broken(now));
        if is_ours {
            return err;
        }
        SendFailed::new(self.target.host().unwrap_or_default(), err).into()
    }

    /// The time was up.
    pub(super) fn elapsed(&mut self, now: Instant) -> BoxError {
        self.record(Some("timeout"), now, |answering| answering.broken(now));
        let limit = self.deadline.saturating_duration_since(self.slot().started);
        Elapsed::new(limit).into()
    }

    /// Has the task woken at `at` or at the deadline, whichever comes first; ready with the time when it has come.
    pub(super) fn poll_time(&mut self, at: Option<Instant>, cx: &Context<'_>) -> Poll<Instant> {
        let at = at.map_or(self.deadline, |at| at.min(self.deadline));
        let Self { timer, shared, .. } = self;
        let shared = shared.as_ref().expect(THERE);
        let timer = timer.get_or_insert_with(|| shared.timer.entry());
        if self.armed != Some(at) {
            self.armed = Some(at);
            timer.arm(at, cx);
        }
        if timer.poll_passed(cx).is_pending() {
            return Poll::Pending;
        }
        self.armed = None;
        Poll::Ready(clock::now())
    }

    /// The same while the body is read: ready when the caller's time is up.
    pub(super) fn poll_body_time(&mut self, cx: &Context<'_>) -> Poll<Instant> {
        loop {
            let settles = self.answering.as_ref().and_then(Answering::settles);
            let Poll::Ready(now) = self.poll_time(settles, cx) else {
                return Poll::Pending;
            };
            if now >= self.deadline {
                return Poll::Ready(now);
            }
            if let Some(answering) = &mut self.answering {
                answering.settle();
            }
        }
    }

    fn is_traced(&self) -> bool {
        let sampled = self.slot().context.is_sampled();
        sampled && self.shared().spans.is_recording()
    }

    fn record(&mut self, error: Option<&'static str>, now: Instant, tell: impl FnOnce(Answering)) {
        if mem::replace(&mut self.recorded, true) {
            return;
        }
        self.permit = None;
        let begun = self.begun;
        let Some(slot) = self.slot.as_deref_mut() else {
            return;
        };
        if !begun {
            slot.started = now;
        }
        let slot = self.slot();
        let took = now.saturating_duration_since(slot.started);
        let status = self.status;
        let ending = Ending { status, error };
        let (method, shared) = (&self.method, self.shared());
        let tail = Tail {
            path: self.target.path(),
            attempts: self.attempts,
            at: now,
            took,
            trace: slot.context,
        };
        if let Some(upstream) = &self.upstream {
            let series = upstream.series(&self.target, &shared.recorder);
            series.left();
            series.ended(&shared.recorder, method, ending, &tail);
        } else if let Some(host) = self.target.host() {
            let series = shared.recorder.series(host, port(&self.target));
            series.ended(&shared.recorder, method, ending, &tail);
        }
        if self.is_traced() {
            let answering = self.answering.as_ref();
            let told = Told {
                method,
                target: &self.target,
                slot,
                ending,
                aim: answering.and_then(Answering::aim),
                attempts: self.attempts,
                ends: &self.ends,
                grpc: answering.and_then(Answering::grpc),
                ended: now,
            };
            let context = slot.context;
            let spans = &shared.spans;
            spans.record_with(context, SpanKind::Client, |span| fill(span, &told));
        }
        if let Some(answering) = self.answering.take() {
            tell(answering);
        }
    }

    /// Lets go of everything but memory.
    fn release(&mut self) {
        self.timer = None;
        self.armed = None;
        self.upstream = None;
        self.target = Uri::default();
        self.request = None;
        self.retry = None;
        self.hedge = None;
        self.saved = None;
        self.repeatable = false;
        self.tried = Tried::new();
        self.attempts = 0;
        self.ends.clear();
        self.permit = None;
        self.status = None;
        self.answering = None;
        if let Some(slot) = &mut self.slot {
            slot.tracestate.clear();
            slot.baggage.clear();
            slot.notes.clear();
        }
        self.flight = None;
        self.shared = None;
    }
}
