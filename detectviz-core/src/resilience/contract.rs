//! The Service contract as a checklist, run against every layer by its own tests.
//!
//! [`check`] wraps a [`Probe`], a service that fails loudly when it is misused, in a layer that is expected to let calls
//! through, and looks for the mistakes that middleware makes: calling a clone of the service that was readied, keeping
//! readiness across `Clone`, failing `poll_ready`, holding on to what a dropped call had. That the auto traits hold is
//! checked by its bounds. [`check_refusal`] does the same for a layer that is refusing.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::resilience::{contract, timeout::{TimeoutConfig, TimeoutLayer}};
//!
//! contract::check(&TimeoutLayer::new(TimeoutConfig::default())).await;
//! # }
//! ```
//!
//! # Panics
//! Every function here panics when the contract is broken: it is for tests.
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
};
use tower_layer::Layer;
use tower_service::Service;

/// The innermost service of a check: answers with the default response, or never.
///
/// # Clone
/// A clone shares the counts and must be readied itself.
#[derive(Debug)]
pub struct Probe<Res = ()> {
    shared: Arc<Shared>,
    ready: bool,
    response: PhantomData<fn() -> Res>,
}

/// The future of [`Probe`]; counted for as long as it is held.
#[derive(Debug)]
pub struct ProbeFuture<Res> {
    held: Held,
    answers: bool,
    polled: bool,
    response: PhantomData<fn() -> Res>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Calls that were made and not yet released.
    held: AtomicUsize,
    calls: AtomicUsize,
    /// How many more times `poll_ready` is pending.
    busy: AtomicUsize,
    silent: std::sync::atomic::AtomicBool,
}

#[derive(Debug)]
struct Held(Arc<Shared>);

/// Checks a layer over calls whose request and response are `()`.
pub async fn check<L>(layer: &L)
where
    L: Layer<Probe>,
    L::Service: Service<()> + Clone + Send + Sync + 'static,
    <L::Service as Service<()>>::Future: Send + 'static,
{
    check_with::<L, (), ()>(layer, || ()).await;
}

/// Checks a layer over requests of any kind.
///
/// # Panics
/// When the layer breaks the contract, or refuses a call.
pub async fn check_with<L, Req, Res>(layer: &L, request: impl Fn() -> Req)
where
    L: Layer<Probe<Res>>,
    L::Service: Service<Req> + Clone + Send + Sync + 'static,
    <L::Service as Service<Req>>::Future: Send + 'static,
    Res: Default,
{
    let probe = Probe::<Res>::new();
    let shared = Arc::clone(&probe.shared);
    let mut service = layer.layer(probe);

    // The instance that was readied is the one that is called, each time anew; else the probe panics.
    for call in 1..=3 {
        shared.busy.store(1, SeqCst);
        readied(&mut service).await;
        assert!(service.call(request()).await.is_ok(), "a call was refused");
        assert_eq!(shared.calls.load(SeqCst), call, "one call is one call");
    }

    // Clone resets readiness: the clone of a readied service is readied itself before it is called.
    readied(&mut service).await;
    let mut clone = service.clone();
    shared.busy.store(1, SeqCst);
    readied(&mut clone).await;
    assert_eq!(
        shared.busy.load(SeqCst),
        0,
        "poll_ready of a clone never asked the service that it wraps"
    );
    assert!(clone.call(request()).await.is_ok(), "a call was refused");
    assert!(service.call(request()).await.is_ok(), "a call was refused");

    // A dropped call releases everything, whether or not it was ever polled.
    assert_eq!(shared.held.load(SeqCst), 0, "an ended call is still held");
    shared.silent.store(true, SeqCst);
    for polls in 0..3 {
        readied(&mut service).await;
        let mut call = Box::pin(service.call(request()));
        for _ in 0..polls {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
        drop(call);
        assert_eq!(shared.held.load(SeqCst), 0, "a dropped call is still held");
    }
    shared.silent.store(false, SeqCst);
    readied(&mut service).await;
    assert!(
        service.call(request()).await.is_ok(),
        "after calls that were dropped, the next one was refused"
    );
}

/// Checks a service that is refusing for the moment: `poll_ready` does not fail, the call does.
///
/// # Panics
/// When the service breaks the contract, or lets the call through.
pub async fn check_refusal<S, Req>(mut service: S, request: Req) -> S::Error
where
    S: Service<Req>,
{
    readied(&mut service).await;
    match service.call(request).await {
        Ok(_) => panic!("the call was let through"),
        Err(err) => err,
    }
}

async fn readied<S: Service<Req>, Req>(service: &mut S) {
    let ready = poll_fn(|cx| service.poll_ready(cx));
    assert!(
        pin!(ready).await.is_ok(),
        "poll_ready fails, though the service could serve later"
    );
}

// === impl Probe ===

impl<Res> Probe<Res> {
    fn new() -> Self {
        Self {
            shared: Arc::default(),
            ready: false,
            response: PhantomData,
        }
    }
}

impl<Res> Clone for Probe<Res> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ready: false,
            response: PhantomData,
        }
    }
}

impl<Res: Default, Req> Service<Req> for Probe<Res> {
    type Response = Res;
    type Error = Infallible;
    type Future = ProbeFuture<Res>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let busy = |left: usize| left.checked_sub(1);
        if self.shared.busy.fetch_update(SeqCst, SeqCst, busy).is_ok() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> ProbeFuture<Res> {
        assert!(
            std::mem::take(&mut self.ready),
            "called without poll_ready, or a clone of what was readied"
        );
        self.shared.calls.fetch_add(1, SeqCst);
        self.shared.held.fetch_add(1, SeqCst);
        ProbeFuture {
            held: Held(Arc::clone(&self.shared)),
            answers: !self.shared.silent.load(SeqCst),
            polled: false,
            response: PhantomData,
        }
    }
}

// === impl ProbeFuture ===

impl<Res: Default> Future for ProbeFuture<Res> {
    type Output = Result<Res, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.held.0.silent.load(SeqCst) || !self.answers {
            return Poll::Pending;
        }
        if !std::mem::replace(&mut self.polled, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(Res::default()))
    }
}

// === impl Held ===

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, future::Either};
    use std::panic::AssertUnwindSafe;
    use tower_layer::layer_fn;

    /// A layer with one of the mistakes.
    #[derive(Clone, Copy)]
    enum Mistake {
        None,
        CallsAClone,
        KeepsReadiness,
        Leaks,
        FailsReady,
    }

    struct Wrong<S> {
        inner: S,
        ready: bool,
        mistake: Mistake,
        leaked: Arc<std::sync::Mutex<Vec<S>>>,
    }

    impl<S: Clone> Clone for Wrong<S> {
        fn clone(&self) -> Self {
            Self {
                inner: self.inner.clone(),
                ready: self.ready && matches!(self.mistake, Mistake::KeepsReadiness),
                mistake: self.mistake,
                leaked: Arc::clone(&self.leaked),
            }
        }
    }

    impl Service<()> for Wrong<Probe> {
        type Response = ();
        type Error = &'static str;
        type Future = Pin<Box<dyn Future<Output = Result<(), &'static str>> + Send>>;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            if self.ready && matches!(self.mistake, Mistake::KeepsReadiness) {
                return Poll::Ready(Ok(()));
            }
            let polled = Service::<()>::poll_ready(&mut self.inner, cx);
            if polled.is_pending() && matches!(self.mistake, Mistake::FailsReady) {
                return Poll::Ready(Err("busy"));
            }
            self.ready = polled.is_ready();
            polled.map_err(|_| "never")
        }

        fn call(&mut self, (): ()) -> Self::Future {
            self.ready = false;
            let call = match self.mistake {
                Mistake::CallsAClone => Either::Left(self.inner.clone().call(())),
                _ => Either::Right(self.inner.call(())),
            };
            if matches!(self.mistake, Mistake::Leaks) {
                self.leaked.lock().unwrap().push(self.inner.clone());
                self.inner.shared.held.fetch_add(1, SeqCst);
            }
            Box::pin(call.map(|r| r.map_err(|_| "never")))
        }
    }

    #[tokio::test]
    async fn each_mistake_is_found_and_a_faithful_layer_passes() {
        for (mistake, expected) in [
            (Mistake::None, None),
            (Mistake::CallsAClone, Some("called without poll_ready")),
            (Mistake::KeepsReadiness, Some("poll_ready of a clone")),
            (Mistake::Leaks, Some("still held")),
            (Mistake::FailsReady, Some("poll_ready fails")),
        ] {
            let layer = layer_fn(|inner| Wrong {
                inner,
                ready: false,
                mistake,
                leaked: Arc::default(),
            });
            let checked = AssertUnwindSafe(check(&layer)).catch_unwind().await;
            let found = checked.err().map(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
                    .unwrap_or_default()
            });
            match (found, expected) {
                (None, None) => {}
                (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_of_the_call() {
        let refusing = tower::service_fn(|()| async { Err::<(), _>("not now") });
        assert_eq!(check_refusal(refusing, ()).await, "not now");
    }
}
