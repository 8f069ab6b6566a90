//! The future of one request.
use super::{DeadlineExceeded, Deadlines, scope::Scope};
use crate::{clock, error::BoxError, resilience::timer::Entry};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

pin_project_lite::pin_project! {
    /// Future of [`Deadline`](super::Deadline).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        bound: Bound,
    }
}

#[derive(Debug)]
enum Bound {
    Refused(DeadlineExceeded),
    None,
    At {
        deadline: Instant,
        entry: Entry,
        deadlines: Deadlines,
    },
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) fn refused(refused: DeadlineExceeded) -> Self {
        Self {
            inner: None,
            bound: Bound::Refused(refused),
        }
    }

    pub(super) fn unbounded(inner: F) -> Self {
        Self {
            inner: Some(inner),
            bound: Bound::None,
        }
    }

    pub(super) fn bounded(inner: F, deadline: Instant, entry: Entry, deadlines: Deadlines) -> Self {
        Self {
            inner: Some(inner),
            bound: Bound::At {
                deadline,
                entry,
                deadlines,
            },
        }
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let until = match this.bound {
            Bound::Refused(refused) => return Poll::Ready(Err((*refused).into())),
            Bound::None => None,
            Bound::At { deadline, .. } => Some(*deadline),
        };
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Pending;
        };
        let scope = Scope::enter(until);
        let polled = inner.poll(cx);
        drop(scope);
        if let Poll::Ready(res) = polled {
            return Poll::Ready(res.map_err(Into::into));
        }
        let Bound::At {
            deadline,
            entry,
            deadlines,
        } = this.bound
        else {
            return Poll::Pending;
        };
        if !entry.is_armed() {
            entry.arm(*deadline, cx);
            return Poll::Pending;
        }
        entry.poll_passed(cx).map(|()| {
            let now = clock::now();
            Err(deadlines.exceeded(*deadline, now).into())
        })
    }
}
