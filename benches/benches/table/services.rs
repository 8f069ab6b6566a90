//! Services that answer at once, or after they were pending once, and how they are called without a runtime.
use http::Response;
use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use tower_service::Service;

/// Answers at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answers;

/// Answers when it is polled for the second time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits;

/// Future of [`Waits`].
#[derive(Debug)]
pub(crate) struct Waiting {
    waited: bool,
}

// === impl Answers ===

impl<Req> Service<Req> for Answers {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

// === impl Waits ===

impl<Req> Service<Req> for Waits {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Waiting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> Self::Future {
        Waiting { waited: false }
    }
}

// === impl Waiting ===

impl Future for Waiting {
    type Output = Result<Response<()>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waited {
            return Poll::Ready(Ok(Response::new(())));
        }
        self.waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Polls until there is an output, and wakes nobody.
#[inline]
pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Calls a service once it is ready.
#[inline]
pub(crate) fn call<S, Req>(service: &mut S, request: Req) -> Result<S::Response, S::Error>
where
    S: Service<Req>,
{
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match service.poll_ready(&mut cx) {
            Poll::Ready(Ok(())) => return finish(service.call(request)),
            Poll::Ready(Err(err)) => return Err(err),
            // Another thread is at it.
            Poll::Pending => {}
        }
    }
}

/// A runtime whose timers work; it is driven in pauses only.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}
