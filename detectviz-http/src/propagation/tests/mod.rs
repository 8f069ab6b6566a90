//! What is read, and what is written in its place.
mod w3c;

use super::{tracestate::trim, *};
use detectviz_core::{
    config::check,
    telemetry::context::{Slot, TraceContext},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect()
}

fn propagators(formats: &[Format]) -> Propagators {
    Propagators::new(&PropagationConfig::default().formats(formats.iter().copied()))
}

fn show(parent: TraceContext) -> (String, String, bool) {
    let (trace, span) = (parent.trace_id(), parent.span_id());
    (trace.to_string(), span.to_string(), parent.is_sampled())
}

#[test]
fn a_b3_header_is_read_in_all_its_forms() {
    let b3 = propagators(&[Format::B3]);
    let short = &TRACE[16..];
    for (header, trace, sampled) in [
        (format!("{TRACE}-{SPAN}-1"), TRACE.to_owned(), true),
        (format!("{TRACE}-{SPAN}-d"), TRACE.to_owned(), true),
        (format!("{TRACE}-{SPAN}-0-{SPAN}"), TRACE.to_owned(), false),
        (format!("{TRACE}-{SPAN}"), TRACE.to_owned(), false),
        (
            format!("{short}-{SPAN}-1"),
            format!("{}{short}", "0".repeat(16)),
            true,
        ),
    ] {
        let read = b3.extract(&headers(&[("b3", &header)])).parent.unwrap();
        assert_eq!(show(read), (trace, SPAN.to_owned(), sampled), "{header}");
    }
    for header in [
        "",
        "2",
        "x-y-1",
        &format!("{TRACE}-{SPAN}-2"),
        &format!("{TRACE}-1-1"),
    ] {
        let read = b3.extract(&headers(&[("b3", header)]));
        assert_eq!(read.parent, None, "{header}");
        assert_eq!(read.malformed.names().collect::<Vec<_>>(), ["b3"]);
    }
    for (header, sampled) in [("0", false), ("1", true), ("d", true)] {
        let read = b3.extract(&headers(&[("b3", header)]));
        assert_eq!((read.parent, read.decision), (None, Some(sampled)));
        assert!(read.malformed.is_empty());
    }
}

#[test]
fn the_b3_headers_are_read_together() {
    let b3 = propagators(&[Format::B3Multi]);
    let ids = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)];
    for (more, sampled) in [
        (None, false),
        (Some(("x-b3-sampled", "1")), true),
        (Some(("x-b3-sampled", "true")), true),
        (Some(("x-b3-sampled", "0")), false),
        (Some(("x-b3-flags", "1")), true),
    ] {
        let list: Vec<_> = ids.into_iter().chain(more).collect();
        let read = b3.extract(&headers(&list)).parent.unwrap();
        assert_eq!(show(read), (TRACE.to_owned(), SPAN.to_owned(), sampled));
    }
    let half = b3.extract(&headers(&ids[..1]));
    assert_eq!(half.parent, None);
    assert_eq!(half.malformed.names().collect::<Vec<_>>(), ["x-b3-traceid"]);
    let decision = b3.extract(&headers(&[("x-b3-sampled", "0")]));
    assert_eq!(decision.decision, Some(false));
}

#[test]
fn a_jaeger_header_is_read_with_short_ids_and_encoded_colons() {
    let jaeger = propagators(&[Format::Jaeger]);
    let short = format!("{:0>32}", "b7");
    for (header, trace, sampled) in [
        (format!("{TRACE}:{SPAN}:0:1"), TRACE, true),
        (format!("{TRACE}%3A{SPAN}%3a0%3A0"), TRACE, false),
        (format!("b7:{SPAN}:{SPAN}:3"), short.as_str(), true),
        (format!("b7:{SPAN}:0:2"), short.as_str(), true),
    ] {
        let read = jaeger.extract(&headers(&[("uber-trace-id", &header)]));
        let expected = (trace.to_owned(), SPAN.to_owned(), sampled);
        assert_eq!(show(read.parent.unwrap()), expected, "{header}");
    }
    for header in [
        "",
        "1:2:3",
        "0:1:0:1",
        "1:0:0:1",
        "x:1:0:1",
        "1:1:0:1:1",
        "1%2A1:0:1",
    ] {
        let read = jaeger.extract(&headers(&[("uber-trace-id", header)]));
        assert_eq!(read.parent, None, "{header}");
        assert_eq!(
            read.malformed.names().collect::<Vec<_>>(),
            ["uber-trace-id"]
        );
    }
}

#[test]
fn every_format_is_read_as_it_was_written() {
    for format in [
        Format::TraceContext,
        Format::B3,
        Format::B3Multi,
        Format::Jaeger,
    ] {
        for sampled in [true, false] {
            let slot = Slot::new(TraceContext::root(sampled));
            let one = propagators(&[format]);
            let mut written = HeaderMap::new();
            one.inject(&slot, &mut written);
            let read = one.extract(&written).parent.unwrap();
            assert_eq!(show(read), show(slot.context), "{format:?}");
        }
    }
}

#[test]
fn the_first_valid_format_wins_and_all_are_written() {
    let both = propagators(&[Format::B3, Format::TraceContext]);
    let parent = format!("00-{}-{SPAN}-00", "1".repeat(32));
    let b3 = format!("{TRACE}-{SPAN}-1");
    let read = both.extract(&headers(&[("traceparent", &parent), ("b3", &b3)]));
    assert_eq!(show(read.parent.unwrap()).0, TRACE);
    let read = both.extract(&headers(&[("traceparent", &parent), ("b3", "x")]));
    assert_eq!(show(read.parent.unwrap()).0, "1".repeat(32));
    let mut out = headers(&[
        ("traceparent", "old"),
        ("b3", "old"),
        ("tracestate", "old=1"),
    ]);
    out.append("traceparent", HeaderValue::from_static("older"));
    both.inject(&Slot::new(TraceContext::root(true)), &mut out);
    assert_eq!(out.get_all("traceparent").iter().count(), 1);
    assert_eq!(out["b3"].len(), 51);
    assert!(!out.contains_key("tracestate"));
}

#[test]
fn a_long_tracestate_loses_its_large_members_first_and_then_the_last_ones() {
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let read = |list: &str| {
        let read = Propagators::default()
            .extract(&headers(&[("traceparent", &parent), ("tracestate", list)]));
        String::from_utf8(read.tracestate.to_vec()).unwrap()
    };
    let large = format!("large={}", "x".repeat(200));
    let small: Vec<_> = (0..6).map(|n| format!("k{n}={}", "y".repeat(96))).collect();
    assert_eq!(
        read(&format!("{large},{}", small[..4].join(","))),
        small[..4].join(",")
    );
    assert_eq!(read(&small.join(",")), small[..5].join(","));
    assert_eq!(small[..5].join(",").len(), 499);
}

#[test]
fn baggage_travels_without_a_trace_and_within_its_limits() {
    let read = |lists: &[&str]| {
        let list: Vec<_> = lists.iter().map(|list| ("baggage", *list)).collect();
        let read = Propagators::default().extract(&headers(&list));
        (
            String::from_utf8(read.baggage.to_vec()).unwrap(),
            !read.malformed.is_empty(),
        )
    };
    assert_eq!(read(&[]), (String::new(), false));
    assert_eq!(
        read(&["user=7;p=1 , b=2"]),
        ("user=7;p=1 , b=2".to_owned(), false)
    );
    assert_eq!(read(&["a=1", " ", "b=2"]), ("a=1,b=2".to_owned(), false));
    let members: Vec<_> = (0..65).map(|n| format!("k{n}=v")).collect();
    assert_eq!(read(&[&members.join(",")]), (members[..64].join(","), true));
    let long: Vec<_> = (0..3)
        .map(|n| format!("k{n}={}", "v".repeat(3000)))
        .collect();
    assert_eq!(read(&[&long.join(",")]), (long[..2].join(","), true));
    let whole = format!("k={}", "v".repeat(8190));
    assert_eq!(read(&[&whole]), (whole.clone(), false));
}

#[test]
fn settings_are_read_by_name_and_a_repeated_format_is_a_problem() {
    let text = r#"{"formats":["tracecontext","baggage","b3","b3multi","jaeger"]}"#;
    let config: PropagationConfig = serde_json::from_str(text).unwrap();
    assert_eq!(config.formats.len(), 5);
    assert!(check(&config).is_ok());
    assert_eq!(serde_json::to_string(&config).unwrap(), text);
    let twice: PropagationConfig = serde_json::from_str(r#"{"formats":["b3","b3"]}"#).unwrap();
    let problems = check(&twice).unwrap_err().to_string();
    assert!(problems.contains("formats[1]"), "{problems}");
    assert!(serde_json::from_str::<PropagationConfig>(r#"{"formats":["zipkin"]}"#).is_err());
}

proptest! {
    #[test]
    fn whatever_comes_in_what_goes_on_is_short_and_valid(
        lists in prop::collection::vec("[a-c@=, \t\u{20}-\u{7e}]{0,300}", 0..4)
    ) {
        let lists: Vec<_> = lists.iter().map(String::as_bytes).collect();
        if let Ok(kept) = tracestate::read(|| lists.iter().copied()) {
            prop_assert!(kept.len() <= 512);
            prop_assert_eq!(trim(&kept), &*kept);
            prop_assert_eq!(tracestate::read(|| [&*kept].into_iter()), Ok(kept.clone()));
        }
        let (kept, _) = baggage::read(|| lists.iter().copied());
        prop_assert!(kept.len() <= 8192);
    }
}
