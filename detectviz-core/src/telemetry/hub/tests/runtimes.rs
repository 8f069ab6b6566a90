//! Several runtimes, foreign subscribers, panics.
use super::*;

#[test]
fn two_runtimes_stay_apart_under_one_subscriber() {
    let one = Bench::new("info");
    let two = Bench::with("debug,quiet=off", one.layer.clone(), one.dispatch.clone());
    let span = one.run(|| {
        debug!("one debug");
        info!("one info");
        info_span!("of one")
    });
    two.run(|| {
        debug!("two debug");
        info!(target: "quiet", "two quiet");
        let _in_span_of_one = span.enter();
        info!("two in a task of two within a span of one");
    });
    // A thread that works for no runtime: the span knows its own.
    dispatcher::with_default(&one.dispatch, || span.in_scope(|| info!("one elsewhere")));
    two.run(|| drop(span));
    let messages = |bench: &Bench| {
        bench
            .lines()
            .iter()
            .map(|line| line["message"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(messages(&one)[..1], ["one info"]);
    assert!(messages(&one).contains(&"one elsewhere".into()));
    assert_eq!(messages(&two)[..1], ["two debug"]);
    assert!(!messages(&two).contains(&"two quiet".into()));
    assert_eq!((one.exported().len(), two.exported().len()), (1, 0));
}

#[test]
fn levels_change_what_comes_through_while_running() {
    let bench = Bench::new("warn");
    let log = |n| bench.run(|| trace!(n, "seen?"));
    log(1);
    bench.logs.levels().set("trace").unwrap();
    log(2);
    bench.logs.levels().set("warn").unwrap();
    log(3);
    let seen = bench
        .lines()
        .iter()
        .filter(|line| line["message"] == "seen?")
        .map(|line| line["n"].clone())
        .collect::<Vec<_>>();
    assert_eq!(seen, [2]);
}

#[test]
fn on_a_foreign_registry_the_layer_filters_for_itself_alone() {
    #[derive(Clone, Default)]
    struct Count(Arc<Mutex<usize>>);
    impl Layer<Registry> for Count {
        fn on_event(
            &self,
            _: &tracing::Event<'_>,
            _: tracing_subscriber::layer::Context<'_, Registry>,
        ) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let (layer, count) = (TelemetryLayer::new(), Count::default());
    let dispatch = Dispatch::new(
        tracing_subscriber::registry()
            .with(count.clone())
            .with(layer.clone()),
    );
    let bench = Bench::with("info", layer, dispatch);
    let slot = request();
    let expected = ids_of(&slot.context);
    bench.run(|| {
        slot.sync_scope(|| {
            debug!("too low");
            info!("said");
            let _quiet = tracing::debug_span!("quiet").entered();
            info_span!("loud", n = 1).in_scope(|| info!("in loud"));
        });
    });
    assert_eq!(*count.0.lock().unwrap(), 3);
    assert_eq!(bench.lines().len(), 2);
    assert_eq!(ids(&bench.line("said")), expected);
    assert_eq!(bench.line("in loud")["n"], 1);
    assert_eq!(bench.exported().len(), 1);
    assert_eq!(bench.layer.open_spans(), 0);
}

#[test]
fn a_panic_is_a_line_of_its_request() {
    install_panic_hook();
    install_panic_hook();
    let bench = Bench::new("info");
    let slot = request();
    let expected = ids_of(&slot.context);
    bench.run(|| {
        let panicked = std::panic::catch_unwind(|| slot.sync_scope(|| panic!("on \n purpose")));
        assert!(panicked.is_err());
    });
    let mut lines = bench.all_lines();
    lines.retain(|line| line["message"] == "on \n purpose");
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["level"], &lines[0]["message"]),
        (&"ERROR".into(), &"on \n purpose".into())
    );
    assert!(lines[0]["caller"].as_str().unwrap().contains("hub/tests/"));
    assert_eq!(ids(&lines[0]), expected);
    assert!(lines[0]["thread"].is_string());
}

#[test]
fn what_belongs_to_no_runtime_that_is_registered_goes_nowhere_or_to_the_first() {
    let bench = Bench::new("info");
    let gone = RuntimeId::next();
    drop(register(
        gone,
        Outputs::new(bench.logs.clone(), Spans::disabled()),
    ));
    dispatcher::with_default(&bench.dispatch, || {
        let _entered = bench.tasks.runtime().enter();
        info!("own");
    });
    assert_eq!(bench.lines().len(), 1);
}
