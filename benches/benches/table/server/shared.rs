//! What a request costs more when another thread serves requests too.
use crate::{
    harness::{Bounds, Table},
    threads::{self, Caller},
};
use detectviz_benches::{
    request::{answer, request},
    rounds::settle,
    subject::{Handler, Subject, Variant},
    usual,
};
use detectviz_core::task::Tasks;
use std::{cell::RefCell, hint::black_box, io, rc::Rc};
use tokio::runtime::Runtime;
use tracing::dispatcher::{Dispatch, set_default};

pub(super) fn rows(table: &mut Table, runtime: &Runtime, tasks: &Tasks) {
    let what = "server stack, two threads over one";
    for (who, variant, own_limits, bounds) in [
        ("the bare handler", Variant::Bare, true, None),
        (
            "detectviz, limits of each thread's own",
            Variant::Logged,
            true,
            Some(Bounds::times(1.05, 1.02)),
        ),
        (
            "detectviz, one limit for both",
            Variant::Logged,
            false,
            Some(Bounds::times(1.25, 1.1)),
        ),
    ] {
        let subject = Subject::new(variant, tasks).expect("it starts");
        let cost = threads::over_one(|| {
            let entered = runtime.enter();
            let twin = RefCell::new(subject.twin(own_limits).expect("it starts"));
            let twin = Rc::new(twin);
            let paused = twin.clone();
            Caller::new(move || {
                let _ = &entered;
                let mut twin = twin.borrow_mut();
                let request = twin.request();
                black_box(twin.answer(request));
            })
            .pause(move || {
                let twin = paused.borrow();
                settle(twin.logs(), twin.spans());
            })
        });
        table.figure((what, who), (cost, "x"), bounds);
    }
    let stack = usual::stack(Handler);
    let dispatch: Dispatch = usual::dispatch(true, io::sink);
    let cost = threads::over_one(|| {
        let entered = (runtime.enter(), set_default(&dispatch));
        let (mut stack, request) = (stack.clone(), request(false));
        Caller::new(move || {
            let _ = &entered;
            black_box(answer(&mut stack, request.clone()));
        })
    });
    table.figure((what, "tower-http, metrics"), (cost, "x"), None);
}
