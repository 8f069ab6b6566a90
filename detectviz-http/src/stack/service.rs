//! The middleware itself.
use super::{
    ResponseBody, ResponseFuture,
    call::{Active, Shared},
};
use crate::{admission::Verdict, call::Ending, catch_panic::CAUGHT, probe, scrape};
use bytes::Bytes;
use detectviz_core::{error::BoxError, telemetry::hub::catch_panic};
use http::{Request, Response};
use http_body::Body;
use std::{
    any::Any,
    convert::Infallible,
    mem,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// A handler within the [`Stack`](super::Stack). No error is left: each is answered.
///
/// A handler that fails to become ready counts as ready here, and the next call answers with why it failed.
///
/// # Clone
/// A clone starts without the readiness, or the failure, of the original, and shares what the stack shares.
#[derive(Debug)]
pub struct Stacked<S> {
    inner: S,
    failed: Option<BoxError>,
    shared: Arc<Shared>,
}

impl<S> Stacked<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self {
            inner,
            failed: None,
            shared,
        }
    }
}

impl<S> Stacked<S> {
    /// What the stack answers itself: a scrape, a probe, and everything else on a connection that is reserved for probes.
    #[inline]
    fn answer<B>(&self, request: &Request<B>) -> Option<probe::Answer> {
        if let Some(metrics) = &self.shared.metrics_page
            && let Some(response) = scrape::answer(metrics, request)
        {
            return Some(probe::Answer {
                response,
                refused: false,
            });
        }
        let probes = self.shared.probes.as_ref()?;
        probe::answer(probes, request)
    }
}

impl<S: Clone> Clone for Stacked<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.shared.clone())
    }
}

impl<S, ReqBody, B> Service<Request<ReqBody>> for Stacked<S>
where
    S: Service<Request<ReqBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    ReqBody: Body,
    B: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = Infallible;
    type Future = ResponseFuture<S, Request<ReqBody>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx).map(|ready| {
            self.failed = ready.err().map(Into::into);
            Ok(())
        })
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let mut active = Active::begin(&self.shared, &request);
        if let Some(err) = self.failed.take() {
            return ResponseFuture::failed(active, err);
        }
        if let Some(answer) = self.answer(&request) {
            active.quiet();
            if answer.refused {
                active.answered(answer.response.status(), answer.response.body());
                active.end(Ending::Overloaded);
            }
            return ResponseFuture::answered(active, answer.response);
        }
        match active.admit(request.headers()) {
            Some(Verdict::Refuse(refused)) => return ResponseFuture::refused(active, refused),
            Some(Verdict::Wait(held, waiting)) => {
                active.hold(held);
                // The instance that was readied is the one that waits.
                let next = self.inner.clone();
                let readied = mem::replace(&mut self.inner, next);
                return ResponseFuture::waiting(active, waiting, readied, request);
            }
            Some(Verdict::Run(held)) => active.hold(held),
            None => {}
        }
        match call(&mut active, &mut self.inner, request) {
            Ok(inner) => ResponseFuture::new(active, inner),
            Err(panic) => ResponseFuture::panicked(active, &*panic),
        }
    }
}

/// Calls the handler in the slot of the request; its panic is caught.
pub(super) fn call<S, Req>(
    active: &mut Active,
    service: &mut S,
    request: Req,
) -> Result<S::Future, Box<dyn Any + Send>>
where
    S: Service<Req>,
{
    let _entered = active.enter();
    // Borrowed, since what a closure owns is moved once more.
    let mut request = Some(request);
    let request = &mut request;
    catch_panic(&CAUGHT, || {
        service.call(request.take().expect("called once"))
    })
}
