//! What a request in flight occupies.
use crate::harness::{Bounds, Table};
use bytes::Bytes;
use detectviz_benches::{
    allocations,
    request::request,
    subject::{Answering, Handler, Subject, Variant},
    usual,
};
use detectviz_core::task::Tasks;
use http::Request;
use http_body_util::Empty;
use std::{
    future::Future,
    io,
    pin::pin,
    task::{Context, Poll, Waker},
};
use tower_service::Service;
use tracing::dispatcher::with_default;

/// Bytes.
const MOST: Bounds = Bounds::most(256.0);
const NO_HEAP: Bounds = Bounds::most(0.0);

pub(super) fn rows(table: &mut Table, tasks: &Tasks) {
    let what = "in flight, server stack";
    let subject = Subject::new(Variant::Logged, tasks).expect("it starts");
    let _entered = subject.conn().enter();
    let mut ours = subject.twin(false).expect("it starts");
    for _ in 0..1000 {
        let request = ours.request();
        ours.answer(request);
    }
    let stack = subject.stack().expect("it is no bare handler");
    let mut service = stack.service(Handler);
    // The request that waits for its turn and the future of the handler have one place, of the size of the larger.
    let place = size_of::<Request<Empty<Bytes>>>().max(size_of::<Answering>());
    let (size, heap) = occupied(&mut service, place);
    table.figure((what, "detectviz, its future"), (size, "B"), Some(MOST));
    table.figure((what, "detectviz, heap"), (heap, "B"), Some(NO_HEAP));
    let mut service = usual::stack(Handler);
    let (size, heap) = with_default(&usual::dispatch(true, io::sink), || {
        for _ in 0..10 {
            occupied(&mut service, size_of::<Answering>());
        }
        occupied(&mut service, size_of::<Answering>())
    });
    table.figure((what, "tower-http, metrics, its future"), (size, "B"), None);
    table.figure((what, "tower-http, metrics, heap"), (heap, "B"), None);
}

/// The size of the future of a call that is pending, `without` so many bytes; and what it holds on the heap after the handler
/// has dropped the request.
fn occupied<S>(service: &mut S, without: usize) -> (f64, f64)
where
    S: Service<Request<Empty<Bytes>>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready(), "not ready");
    let before = allocations::held();
    let mut call = pin!(service.call(request(false)));
    let size = size_of_val(&*call) - without;
    assert!(matches!(call.as_mut().poll(&mut cx), Poll::Pending));
    let heap = allocations::held() - before;
    (size as f64, heap as f64)
}
