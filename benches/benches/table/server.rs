//! The whole server stack, beside the stack that people put together of tower-http's layers.
use crate::harness::{Bounds, Contestant, Row, Table};
use detectviz_benches::{
    request::{answer, request},
    rounds::settle,
    subject::{Handler, Subject, Variant},
    usual,
};
use detectviz_core::task::Tasks;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{cell::RefCell, hint::black_box, io};
use tracing::dispatcher::with_default;

const BOUNDS: Bounds = Bounds {
    must: 1.0 / 20.0,
    reach: 1.0 / 40.0,
};

pub(crate) fn rows(table: &mut Table) {
    if !table.wants("server stack") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _entered = runtime.enter();
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::set_global_recorder(recorder).expect("there is no other");
    let tasks = Tasks::new();
    for (name, variant) in [
        ("server stack, JSON line", Variant::Logged),
        ("server stack, JSON line, sampled", Variant::Sampled),
        ("server stack, no line", Variant::Quiet),
    ] {
        let ours = RefCell::new(Subject::new(variant, &tasks).expect("it starts"));
        let bare = RefCell::new(Subject::new(Variant::Bare, &tasks).expect("it starts"));
        let call = |subject: &RefCell<Subject>| {
            let mut subject = subject.borrow_mut();
            let request = subject.request();
            black_box(subject.answer(request));
        };
        let row = Row::new(
            name,
            Contestant::new("detectviz", || call(&ours)).pause(|| {
                let ours = ours.borrow();
                settle(ours.logs(), ours.spans());
            }),
        )
        .over(Contestant::new("bare handler", || call(&bare)));
        let request = request(variant == Variant::Sampled);
        let logged = variant != Variant::Quiet;
        let dispatch = usual::dispatch(logged, io::sink);
        let mut peer = usual::stack(Handler);
        let peer = Contestant::batches("tower-http, metrics", move |calls| {
            with_default(&dispatch, || {
                for _ in 0..calls {
                    black_box(answer(&mut peer, request.clone()));
                }
            });
        });
        table.row(row.beside(peer, BOUNDS));
    }
    tasks.cancel();
}
