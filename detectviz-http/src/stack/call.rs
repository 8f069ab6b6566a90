//! One request in the stack, from its head until everything about it is recorded.
use crate::{
    admission::{self, Admission, Allowance, Arrival, Held, Verdict},
    call::{Ending, Head, Progress},
    catch_panic,
    head_scan::scan,
    observe,
    probe::Probes,
    route::{self, Match, Route, Scope},
    trace,
};
use detectviz_core::{
    clock,
    resilience::{
        bulkhead::Permit,
        deadline::Asked,
        timer::{Entry, Timer},
    },
    spare::Spare,
    telemetry::{
        context::{self, Slot, TraceContext},
        metrics::Registry,
    },
};
use http::{HeaderMap, Request, StatusCode};
use http_body::Body;
use std::{
    any::Any,
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

/// How many states of requests a thread keeps for later; more requests in flight than that allocate.
const SPARE: usize = 1024;

thread_local! {
    static UNUSED: Spare<Box<Call>> = const { Spare::new(SPARE) };
}

/// What all requests of a stack share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) panics: catch_panic::Recorder,
    pub(super) trace: trace::Recorder,
    pub(super) observe: observe::Recorder,
    pub(super) admission: Admission,
    pub(super) probes: Option<Probes>,
    /// What `/metrics` shows, if it is answered here.
    pub(super) metrics_page: Option<Registry>,
    pub(super) timer: Timer,
}

/// One request while it runs. When it is dropped without an [end](Self::end), the request was given up.
pub(super) struct Active {
    /// There until it is dropped.
    call: Option<Box<Call>>,
}

/// The slot and the route of a request are in place until this is dropped.
#[must_use = "they are in place until this is dropped"]
pub(super) struct Entered<'a> {
    _scope: Option<route::Entered<'a>>,
    _slot: context::Entered<'a>,
}

/// The state of a request, in a box that is used again.
struct Call {
    /// `None` while it is unused, so that nothing of a runtime is kept alive by it.
    shared: Option<Arc<Shared>>,
    slot: Option<Box<Slot>>,
    scope: Option<Box<Scope>>,
    head: Head,
    held: Held,
    /// What a rate limit leaves to the caller, until it was told.
    allowance: Option<Allowance>,
    /// What the caller said of a deadline.
    asked: Asked,
    /// When its waiting ended, if it had to wait.
    admitted: Option<Instant>,
    /// Of the deadline, once it is waited for.
    timer: Option<Entry>,
    progress: Progress,
    /// The status of the response, once there is one.
    status: Option<u16>,
    /// Whether the span is recorded, and the line written.
    span: bool,
    logged: bool,
    recorded: bool,
}

const THERE: &str = "there until it is dropped";

// === impl Active ===

impl Active {
    /// Begins a request.
    pub(super) fn begin<B: Body>(shared: &Arc<Shared>, request: &Request<B>) -> Self {
        let started = clock::now();
        let mut call = unused();
        call.begin(shared, request, started);
        Self { call: Some(call) }
    }

    /// Puts the slot and the route of the request in place until the guard is dropped.
    #[inline]
    pub(super) fn enter(&mut self) -> Entered<'_> {
        let call = self.call.as_deref_mut().expect(THERE);
        // Whom the table knows, nobody has to tell.
        let unknown = call
            .scope
            .as_ref()
            .is_some_and(|scope| scope.found().route == Route::NONE);
        Entered {
            _scope: unknown.then(|| Scope::enter(&mut call.scope)),
            _slot: Slot::enter(&mut call.slot),
        }
    }

    /// Asks whether the request is taken on.
    #[inline]
    pub(super) fn admit(&mut self, headers: &HeaderMap) -> Option<Verdict> {
        let call = self.call.as_deref_mut().expect(THERE);
        match call
            .shared
            .as_ref()?
            .admission
            .deadline(call.asked, call.slot.as_ref()?.started)
        {
            Ok(deadline) => call.slot.as_mut()?.deadline = deadline,
            Err(refused) => return Some(Verdict::Refuse(refused)),
        }
        let route = call.found().route;
        let (shared, slot) = (call.shared.as_ref()?, call.slot.as_ref()?);
        let arrival = Arrival {
            route,
            headers,
            now: slot.started,
        };
        Some(shared.admission.decide(&arrival, &mut call.allowance))
    }

    /// Goes on with a request that has waited for `permit`.
    pub(super) fn waited(&mut self, permit: Permit) -> Option<Verdict> {
        let call = self.call.as_deref_mut().expect(THERE);
        let (held, route) = (std::mem::take(&mut call.held), call.found().route);
        let shared = call.shared.as_ref()?;
        let now = clock::now();
        call.admitted = Some(now);
        Some(shared.admission.waited(held, permit, (route, now)))
    }

    /// Has the task woken when the deadline passes, if there is one; ready when it has passed.
    #[inline]
    pub(super) fn poll_deadline(&mut self, cx: &Context<'_>) -> Poll<()> {
        let call = self.call.as_deref_mut().expect(THERE);
        match call.slot.as_ref().and_then(|slot| slot.deadline) {
            Some(deadline) => call.poll_deadline(deadline, cx),
            None => Poll::Pending,
        }
    }

    /// Keeps permits until the handler has answered.
    pub(super) fn hold(&mut self, held: Held) {
        self.call.as_deref_mut().expect(THERE).held = held;
    }

    /// Keeps the request out of the access log.
    pub(super) fn quiet(&mut self) {
        self.call.as_deref_mut().expect(THERE).logged = false;
    }

    /// Takes down that the handler panicked.
    #[cold]
    pub(super) fn panicked(&mut self, panic: &(dyn Any + Send)) {
        let call = self.call.as_deref_mut().expect(THERE);
        if let (Some(shared), Some(slot)) = (&call.shared, &call.slot) {
            shared.panics.panicked(panic, &slot.context);
        }
    }

    /// The trace and span of the request.
    pub(super) fn context(&self) -> Option<TraceContext> {
        let call = self.call.as_deref().expect(THERE);
        call.slot.as_ref().map(|slot| slot.context)
    }

    /// The response is there: its head has `status`, and `body` follows.
    pub(super) fn answered(&mut self, status: StatusCode, body: &impl Body) {
        let call = self.call.as_deref_mut().expect(THERE);
        call.sample(status);
        call.give_back();
        call.status = Some(status.as_u16());
        let bodiless = crate::call::bodiless(call.head.is_head, status);
        call.progress = Progress::new(body, bodiless);
    }

    /// Tells the caller what a rate limit leaves to it, if one applies.
    #[inline]
    pub(super) fn tell(&mut self, headers: &mut HeaderMap) {
        let call = self.call.as_deref_mut().expect(THERE);
        if let (Some(allowance), Some(shared)) = (call.allowance.take(), &call.shared) {
            shared
                .admission
                .tell(allowance, call.found().route, headers);
        }
    }

    /// What the body of the response has done so far.
    pub(super) fn progress(&mut self) -> &mut Progress {
        &mut self.call.as_deref_mut().expect(THERE).progress
    }

    /// Records the request, once.
    pub(super) fn end(&mut self, ending: Ending) {
        self.call.as_deref_mut().expect(THERE).end(ending);
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let Some(mut call) = self.call.take() else {
            return;
        };
        call.give_back();
        call.end(if std::thread::panicking() {
            Ending::Panicked
        } else {
            Ending::Cancelled
        });
        call.release();
        Spare::give(&UNUSED, call);
    }
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Active")
            .field("context", &self.context())
            .finish_non_exhaustive()
    }
}

// === impl Call ===

impl Call {
    fn begin<B: Body>(&mut self, shared: &Arc<Shared>, request: &Request<B>, started: Instant) {
        let head = scan(request.headers());
        self.asked = admission::asked(&head);
        shared.trace.open(&head, started, &mut self.slot);
        self.span = self
            .slot
            .as_ref()
            .is_some_and(|slot| shared.trace.records(slot));
        self.head.read(request);
        self.logged = shared.observe.started(&self.head);
        if self.logged {
            let fields = &mut self.head.fields;
            shared.observe.render(request.uri().path(), &head, fields);
        }
        if self.span {
            self.head.keep(request.uri(), &head);
        }
        let (routes, method) = (shared.observe.routes(), request.method());
        let path = request.uri().path();
        match &mut self.scope {
            Some(kept) => kept.renew(routes, method, path),
            None => self.scope = Some(Box::new(Scope::of(routes, method, path))),
        }
        self.status = None;
        self.admitted = None;
        self.allowance = None;
        self.recorded = false;
        self.shared = Some(shared.clone());
    }

    fn end(&mut self, ending: Ending) {
        if self.recorded {
            return;
        }
        self.recorded = true;
        let (Some(shared), Some(slot)) = (&self.shared, &mut self.slot) else {
            return;
        };
        let ended = clock::now();
        slot.ended = Some(ended);
        let found = self
            .scope
            .as_ref()
            .map_or_else(Match::default, |s| s.found());
        let took = ended.saturating_duration_since(slot.started);
        let unix_nanos = if slot.context.is_sampled() {
            clock::unix_nanos()
        } else {
            0
        };
        let end = observe::Ended {
            found,
            status: self.status,
            ending,
            at: ended,
            took,
            unix_nanos,
            bytes_out: self.progress.bytes(),
        };
        shared.observe.ended(&self.head, slot, &end, self.logged);
        if self.span {
            let end = trace::Ended {
                routes: shared.observe.routes(),
                route: found.route,
                status: self.status,
                ending,
                at: ended,
                unix_nanos,
                took,
            };
            shared.trace.ended(&self.head, slot, &end);
        }
    }

    fn poll_deadline(&mut self, deadline: Instant, cx: &Context<'_>) -> Poll<()> {
        let Some(shared) = &self.shared else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| shared.timer.entry());
        if !timer.is_armed() {
            timer.arm(deadline, cx);
        }
        let passed = timer.poll_passed(cx);
        if passed.is_ready() {
            shared.admission.timed_out(deadline, clock::now());
        }
        passed
    }

    /// What is known of the route.
    fn found(&self) -> Match {
        self.scope
            .as_ref()
            .map_or_else(Match::default, |scope| scope.found())
    }

    /// Tells the adaptive limit, if there is one, how long the handler took.
    #[inline]
    fn sample(&self, status: StatusCode) {
        if let (Some(shared), Some(slot)) = (&self.shared, &self.slot)
            && shared.admission.samples()
            && self.held.is_running()
        {
            let started = self.admitted.unwrap_or(slot.started);
            shared.admission.sample(started, clock::now(), status);
        }
    }

    /// Gives the permits back.
    #[inline]
    fn give_back(&mut self) {
        let held = std::mem::take(&mut self.held);
        if let Some(shared) = &self.shared {
            shared.admission.release(held, self.found().route);
        }
    }

    /// Lets go of everything but memory.
    fn release(&mut self) {
        self.timer = None;
        self.shared = None;
        self.progress = Progress::default();
        if let Some(slot) = &mut self.slot {
            slot.tracestate.clear();
            slot.baggage.clear();
            slot.notes.clear();
        }
    }
}

fn unused() -> Box<Call> {
    Spare::take(&UNUSED).unwrap_or_else(|| {
        Box::new(Call {
            shared: None,
            slot: None,
            scope: None,
            head: Head::new(),
            held: Held::default(),
            allowance: None,
            asked: Asked::Nothing,
            admitted: None,
            timer: None,
            progress: Progress::default(),
            status: None,
            span: false,
            logged: false,
            recorded: false,
        })
    })
}
