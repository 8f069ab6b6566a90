//! The whole server stack around a handler that is pending once, beside the handler alone.
use criterion::{Criterion, criterion_group, criterion_main};
use detectviz_benches::{
    allocations, rounds,
    subject::{Subject, Variant},
};
use detectviz_core::task::Tasks;
use std::cell::RefCell;

fn stack(c: &mut Criterion) {
    let tasks = Tasks::new();
    let mut group = c.benchmark_group("stack");
    for variant in Variant::ALL {
        let mut subject = Subject::new(variant, &tasks).expect("the subject is built");
        let template = subject.request();
        let requests = RefCell::new(Vec::new());
        // Neither the making of requests nor what happens to logs and spans is timed.
        let (logs, spans) = (subject.logs().clone(), subject.spans().clone());
        let prepare = |calls| {
            rounds::settle(&logs, &spans);
            let more = (0..calls).map(|_| template.clone());
            requests.borrow_mut().extend(more);
        };
        let mut answer = || {
            let request = requests.borrow_mut().pop();
            subject.answer(request.expect("as many were made as are answered"))
        };
        rounds::timed(20 * rounds::CALLS, prepare, &mut answer);
        prepare(rounds::CALLS);
        let name = format!("stack/{}", variant.name());
        allocations::print(&name, 256, || {
            answer();
        });
        group.bench_function(variant.name(), |b| {
            b.iter_custom(|times| rounds::timed(times, prepare, &mut answer));
        });
    }
    group.finish();
    tasks.cancel();
}

criterion_group!(benches, stack);
criterion_main!(benches);
