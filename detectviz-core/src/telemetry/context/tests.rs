use super::*;
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn tr1_traceparent_is_continued_or_restarted() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let span = "00f067aa0ba902b7";
    for (header, continues) in [
        (format!("00-{trace}-{span}-01"), true),
        (format!("00-{trace}-{span}-00"), true),
        (format!("00-{trace}-{span}-ff"), true),
        (format!("cc-{trace}-{span}-01"), true),
        (format!("cc-{trace}-{span}-01-what"), true),
        (format!("cc-{trace}-{span}-01.what"), false),
        (format!("ff-{trace}-{span}-01"), false),
        (format!("00-{trace}-{span}-01-"), false),
        (format!("00-{trace}-{span}-01-extra"), false),
        (format!("00-{trace}-{span}-0"), false),
        (format!("00-{trace}-{span}"), false),
        (format!("00-{}-{span}-01", trace.to_uppercase()), false),
        (format!("00-{}-{span}-01", "0".repeat(32)), false),
        (format!("00-{trace}-{}-01", "0".repeat(16)), false),
        (format!("0-{trace}-{span}-01"), false),
        (format!(".0-{trace}-{span}-01"), false),
        (format!("00-{trace}1-{span}-01"), false),
        (format!("00_{trace}_{span}_01"), false),
        (String::new(), false),
    ] {
        let read = TraceContext::parse(header.as_bytes());
        assert_eq!(read.is_ok(), continues, "{header}");
        if let Ok(read) = read {
            assert_eq!(read.trace_id().to_string(), trace);
            assert_eq!(read.span_id().to_string(), span);
        }
    }
}

#[test]
fn a_context_is_written_as_it_was_read() {
    let read = TraceContext::parse(VALID.as_bytes()).unwrap();
    assert_eq!(read.to_header(), VALID.as_bytes());
    let child = read.child();
    assert_eq!(child.trace_id(), read.trace_id());
    assert_ne!(child.span_id(), read.span_id());
    assert!(!child.with_sampled(false).is_sampled());
    assert_eq!(TraceContext::root(true).flags(), 3);
}

#[test]
fn a_slot_is_in_place_only_while_its_future_is_polled() {
    let slot = Slot::new(TraceContext::root(true));
    let id = slot.context.trace_id();
    let seen = || current(|slot| slot.map(|s| s.context.trace_id()));
    let mut polls = 0;
    let mut future = std::pin::pin!(slot.scope(poll_fn(move |_| {
        polls += 1;
        assert_eq!(seen(), Some(id));
        if polls == 2 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    assert_eq!(seen(), None);
    assert!(future.as_mut().poll(&mut cx).is_ready());
    assert_eq!(seen(), None);
}

#[test]
fn slots_nest_and_a_panic_leaves_none_behind() {
    let outer = Slot::new(TraceContext::root(true));
    let inner = outer.child_at(outer.started);
    assert_eq!(inner.parent, Some(outer.context.span_id()));
    let (outer_id, inner_id) = (outer.context.span_id(), inner.context.span_id());
    let seen = || current(|slot| slot.map(|s| s.context.span_id()));
    outer.sync_scope(|| {
        let result = catch_unwind(AssertUnwindSafe(|| {
            inner.sync_scope(|| {
                assert_eq!(seen(), Some(inner_id));
                panic!("on purpose");
            })
        }));
        assert!(result.is_err());
        assert_eq!(seen(), Some(outer_id));
    });
    assert_eq!(seen(), None);
}
