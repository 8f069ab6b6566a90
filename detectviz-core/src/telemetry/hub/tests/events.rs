//! Events and spans of users.
use super::*;

#[test]
fn an_event_is_a_line_of_its_runtime() {
    let bench = Bench::new("info");
    bench.run(|| {
        info!(target: "my::target", n = 1, f = 1.5, yes = true, text = "a\nb", shown = %"c", big = u128::MAX, "hello {}", "you");
        warn!("no fields");
        info!(only = "fields");
        debug!("not logged");
    });
    let lines = bench.lines();
    assert_eq!(lines.len(), 3);
    let line = &lines[0];
    assert_eq!(
        (&line["level"], &line["target"]),
        (&"INFO".into(), &"my::target".into())
    );
    assert_eq!(
        (&line["message"], &line["service"]),
        (&"hello you".into(), &"test".into())
    );
    assert!(line["caller"].as_str().unwrap().contains("hub/tests/"));
    assert_eq!(
        (&line["n"], &line["f"], &line["yes"]),
        (&1.into(), &1.5.into(), &true.into())
    );
    assert_eq!(
        (&line["text"], &line["shown"]),
        (&"a\nb".into(), &"c".into())
    );
    assert_eq!(line["big"], u128::MAX.to_string());
    assert!(line.get("trace_id").is_none());
    assert_eq!(
        (&lines[2]["message"], &lines[2]["only"]),
        (&"".into(), &"fields".into())
    );
}

#[test]
fn spans_are_children_of_the_request_and_give_their_fields_to_lines() {
    let bench = Bench::new("info");
    let slot = request();
    let context = slot.context;
    bench.run(|| {
        slot.sync_scope(|| {
            info!("in request");
            let outer = info_span!(
                "outer",
                user = "ann",
                level = "x",
                password = "hunter2",
                late = field::Empty
            );
            outer.in_scope(|| {
                outer.record("late", 7);
                let inner = info_span!("inner", user = "bob");
                inner.in_scope(|| info!(user = "event", "in inner"));
                error!("in outer");
                info!(parent: &inner, "named");
                info!(parent: None, "rootless");
            });
            info_span!(parent: None, "new root").in_scope(|| info!("in root"));
            debug_assert_eq!(current_context(), Some(context));
        });
    });
    let request_ids = ids_of(&context);
    assert_eq!(ids(&bench.line("in request")), request_ids);
    let (inner, outer, named) = (
        bench.line("in inner"),
        bench.line("in outer"),
        bench.line("named"),
    );
    assert_eq!(
        (
            &inner["user"],
            &inner["fields.user"],
            &inner["fields.user.2"]
        ),
        (&"event".into(), &"bob".into(), &"ann".into())
    );
    assert_eq!(
        (&outer["user"], &outer["fields.level"], &outer["late"]),
        (&"ann".into(), &"x".into(), &7.into())
    );
    assert_eq!(outer["password"], "[redacted]");
    assert_eq!(ids(&named), ids(&inner));
    assert!(bench.line("rootless").get("trace_id").is_none());
    assert_ne!(ids(&bench.line("in root")).0, request_ids.0);

    let exported = bench.exported();
    let span = |name: &str| {
        exported
            .iter()
            .find(|span| span.name.as_str() == name)
            .unwrap()
    };
    assert_eq!(exported.len(), 3);
    assert_eq!(ids_of(&span("outer").context), ids(&outer));
    assert_eq!(ids_of(&span("inner").context), ids(&inner));
    assert_eq!(span("outer").parent, Some(context.span_id()));
    assert_eq!(span("inner").parent, Some(span("outer").context.span_id()));
    assert_eq!(span("new root").parent, None);
    assert_eq!(span("outer").status, SpanStatus::Error("".into()));
    assert_eq!(span("inner").status, SpanStatus::Unset);
    let attributes = format!("{:?}", span("outer").attributes);
    assert!(
        attributes.contains("late") && !attributes.contains("hunter2"),
        "{attributes}"
    );
    assert!(
        exported
            .iter()
            .all(|span| span.end_unix_nanos >= span.start_unix_nanos && span.start_unix_nanos > 0)
    );
    assert_eq!(bench.layer.open_spans(), 0);
}

#[test]
fn a_request_inside_of_a_span_is_the_inner_one() {
    let bench = Bench::new("info");
    let slot = request();
    let context = slot.context;
    bench.run(|| {
        info_span!("worker", name = "w").in_scope(|| {
            slot.sync_scope(|| {
                info!("in request");
                assert_eq!(Span::current().metadata().unwrap().name(), "request");
                info_span!("in slot").in_scope(|| info!("in span"));
            });
            info!("in worker");
        });
    });
    assert_eq!(ids(&bench.line("in request")), ids_of(&context));
    assert_eq!(bench.line("in request")["name"], "w");
    assert_eq!(
        ids(&bench.line("in span")).0,
        context.trace_id().to_string()
    );
    assert_ne!(
        ids(&bench.line("in worker")).0,
        context.trace_id().to_string()
    );
}

#[test]
fn an_unsampled_span_is_logged_and_not_exported() {
    let bench = Bench::new("info");
    let slot = Slot::new(TraceContext::root(false));
    let trace = slot.context.trace_id().to_string();
    bench.run(|| slot.sync_scope(|| info_span!("quiet").in_scope(|| info!("said"))));
    assert_eq!(ids(&bench.line("said")).0, trace);
    assert!(bench.exported().is_empty());
}

#[test]
fn a_span_gives_its_fields_and_those_around_it_on_any_thread() {
    let bench = Bench::new("info");
    let outer = bench.run(|| info_span!("outer", user = "ann", n = 1, level = "x"));
    let inner = bench.run(|| info_span!(parent: &outer, "inner", n = 2));
    let _outer_is_entered_here = bench.run(|| outer.clone().entered());
    std::thread::scope(|threads| {
        threads.spawn(|| bench.run(|| inner.in_scope(|| info!(own = true, "elsewhere"))));
    });
    let line = bench.line("elsewhere");
    assert_eq!(
        (&line["own"], &line["n"], &line["fields.n"]),
        (&true.into(), &2.into(), &1.into())
    );
    assert_eq!(
        (&line["user"], &line["fields.level"]),
        (&"ann".into(), &"x".into())
    );
    inner.record("n", 3);
    bench.run(|| {
        info!(parent: &inner, "named");
        info!("outer alone");
    });
    assert_eq!(bench.line("named")["n"], 3);
    assert_eq!(bench.line("outer alone")["n"], 1);
}

#[test]
fn a_message_is_found_wherever_it_stands_among_the_fields() {
    let bench = Bench::new("info");
    let slot = request();
    let expected = ids_of(&slot.context);
    bench.run(|| {
        slot.sync_scope(|| {
            info!(n = 1, message = "behind");
            info!(message = "before", n = 2);
            info!(n = 3);
            info!(message = field::Empty, n = 4);
        });
    });
    let lines = bench.lines();
    let of = |name: &str| {
        lines
            .iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("message"), ["behind", "before", "", ""]);
    assert_eq!(of("n"), [1, 2, 3, 4]);
    assert!(lines.iter().all(|line| ids(line) == expected));
}
