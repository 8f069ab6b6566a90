//! The future of one call.
use super::{Body, ResponseBody, call::Call, sending::Sending, upstream::Upstream};
use detectviz_core::error::BoxError;
use http::{Request, Response};
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tokio::time::{Sleep, sleep_until};

pin_project_lite::pin_project! {
    /// Future of [`Client`](super::Client). Dropping it cancels the call.
    pub struct ResponseFuture {
        step: Step,
        request: Option<Request<Body>>,
        #[pin]
        sleep: Option<Sleep>,
        deadline: Instant,
        call: Option<Call>,
    }
}

type Lookup = Pin<Box<dyn Future<Output = Result<Arc<Upstream>, BoxError>> + Send>>;

/// How far a call is.
pub(super) enum Step {
    /// It cannot be made.
    Failed { err: BoxError },
    /// Discovery is asked: the first call to a host, so that boxing costs nothing that counts.
    Asking { lookup: Lookup },
    /// It can be sent.
    Found { upstream: Arc<Upstream> },
    /// It was sent.
    Sent { response: Sending },
    /// It has ended.
    Done,
}

// === impl ResponseFuture ===

impl ResponseFuture {
    pub(super) fn new(step: Step, request: Request<Body>, call: Call, deadline: Instant) -> Self {
        Self {
            step,
            request: Some(request),
            sleep: None,
            deadline,
            call: Some(call),
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, BoxError>;

    /// # Panics
    /// When it is polled after it has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let call = this.call.as_mut().expect("not polled after its end");
        loop {
            match this.step {
                Step::Failed { .. } => {
                    if let Step::Failed { err } = mem::replace(this.step, Step::Done) {
                        let err = call.failed(err);
                        *this.call = None;
                        return Poll::Ready(Err(err));
                    }
                }
                Step::Asking { lookup } => match lookup.as_mut().poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Err(err)) => *this.step = Step::Failed { err },
                    Poll::Ready(Ok(upstream)) => {
                        call.aimed(Arc::clone(&upstream));
                        *this.step = Step::Found { upstream };
                    }
                },
                Step::Found { upstream } => {
                    let request = this.request.take().unwrap_or_default();
                    *this.step = match call.shared().send(upstream, request, call.slot()) {
                        Ok(response) => Step::Sent { response },
                        Err(err) => Step::Failed { err },
                    };
                }
                Step::Sent { response } => match response.poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Err(err)) => *this.step = Step::Failed { err: err.source },
                    Poll::Ready(Ok((response, lease))) => {
                        call.answered(response.status());
                        *this.step = Step::Done;
                        let deadline = *this.deadline;
                        let call = this.call.take();
                        return Poll::Ready(Ok(
                            response.map(|body| ResponseBody::new(body, deadline, call, lease))
                        ));
                    }
                },
                Step::Done => unreachable!("the call is taken when it has ended"),
            }
        }
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep_until((*this.deadline).into())));
        }
        match this.sleep.as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(())) => {
                let err = call.elapsed(*this.deadline);
                *this.step = Step::Done;
                *this.call = None;
                Poll::Ready(Err(err))
            }
            _ => Poll::Pending,
        }
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Failed { .. } => "Failed",
            Step::Asking { .. } => "Asking",
            Step::Found { .. } => "Found",
            Step::Sent { .. } => "Sent",
            Step::Done => "Done",
        };
        f.debug_struct("ResponseFuture")
            .field("step", &step)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

// === impl Step ===

impl Step {
    pub(super) fn failed(err: impl Into<BoxError>) -> Self {
        Self::Failed { err: err.into() }
    }

    pub(super) fn asking(
        lookup: impl Future<Output = Result<Arc<Upstream>, BoxError>> + Send + 'static,
    ) -> Self {
        Self::Asking {
            lookup: Box::pin(lookup),
        }
    }
}
