//! The cases of the W3C trace-context conformance suite (`test/test.py`, SPEC_LEVEL=2, STRICT_LEVEL=2), by their names:
//! what comes in is extracted, and what would go out to the next service is injected and read again.
use super::super::*;
use detectviz_core::telemetry::context::{Slot, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue};

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";
const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-00";

/// What the next service sees.
struct Seen {
    trace_id: String,
    parent_id: String,
    flags: u8,
    /// The members of `tracestate`, in their order.
    state: Vec<(String, String)>,
    malformed: Vec<&'static str>,
}

/// A service that receives `headers` and calls the next one.
fn pass(headers: &[(&str, &str)]) -> Seen {
    let mut incoming = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        incoming.append(name, HeaderValue::from_str(value).unwrap());
    }
    let propagators = Propagators::default();
    let caller = propagators.extract(&incoming);
    let context = caller
        .parent
        .map_or_else(|| TraceContext::root(false), |parent| parent.child());
    let mut slot = Slot::new(context);
    slot.tracestate = caller.tracestate;
    let mut outgoing = HeaderMap::new();
    propagators.inject(&slot.child_at(slot.started), &mut outgoing);
    let written = outgoing["traceparent"].to_str().unwrap();
    let sent = TraceContext::parse(written.as_bytes()).unwrap();
    Seen {
        trace_id: sent.trace_id().to_string(),
        parent_id: sent.span_id().to_string(),
        flags: sent.flags(),
        state: outgoing
            .get_all("tracestate")
            .iter()
            .flat_map(|list| list.to_str().unwrap().split(','))
            .map(|member| member.trim_matches([' ', '\t']))
            .filter(|member| !member.is_empty())
            .map(|member| {
                let (key, value) = member.split_once('=').unwrap();
                (key.to_owned(), value.to_owned())
            })
            .collect(),
        malformed: caller.malformed.names().collect(),
    }
}

#[track_caller]
fn continues(headers: &[(&str, &str)]) {
    let seen = pass(headers);
    assert_eq!(seen.trace_id, TRACE, "{headers:?}");
    assert_ne!(seen.parent_id, SPAN, "{headers:?}");
    assert!(seen.malformed.is_empty(), "{headers:?}");
}

#[track_caller]
fn restarts(headers: &[(&str, &str)]) {
    let seen = pass(headers);
    for (_, value) in headers {
        assert!(!value.contains(&seen.trace_id), "{headers:?}");
    }
    assert_ne!(seen.trace_id, "0".repeat(32));
    assert!(seen.state.is_empty());
}

/// A restart because of what the header holds is reported as well.
#[track_caller]
fn restarts_and_counts(value: &str) {
    restarts(&[("traceparent", value)]);
    assert_eq!(
        pass(&[("traceparent", value)]).malformed,
        ["traceparent"],
        "{value}"
    );
}

#[track_caller]
fn state(lists: &[&str], expected: &[(&str, &str)]) {
    let mut headers = vec![("traceparent", PARENT)];
    headers.extend(lists.iter().map(|list| ("tracestate", *list)));
    let seen = pass(&headers);
    assert_eq!(seen.trace_id, TRACE, "{lists:?}");
    let members = seen.state.iter().map(|(key, value)| (&**key, &**value));
    assert_eq!(members.collect::<Vec<_>>(), expected, "{lists:?}");
}

#[track_caller]
fn state_is_dropped(lists: &[&str]) {
    state(lists, &[]);
    let mut headers = vec![("traceparent", PARENT)];
    headers.extend(lists.iter().map(|list| ("tracestate", *list)));
    assert_eq!(pass(&headers).malformed, ["tracestate"], "{lists:?}");
}

fn parent(version: &str, trace: &str, span: &str, flags: &str) -> String {
    format!("{version}-{trace}-{span}-{flags}")
}

#[test]
fn test_both_traceparent_and_tracestate_missing() {
    restarts(&[]);
    assert!(pass(&[]).malformed.is_empty());
}

#[test]
fn test_traceparent_included_tracestate_missing() {
    continues(&[("traceparent", &parent("00", TRACE, SPAN, "01"))]);
}

#[test]
fn test_traceparent_duplicated() {
    let other = TRACE.replace("9012", "9011");
    restarts(&[
        ("traceparent", &parent("00", &other, SPAN, "01")),
        ("traceparent", &parent("00", TRACE, SPAN, "01")),
    ]);
    restarts(&[("traceparent", PARENT), ("traceparent", PARENT)]);
}

#[test]
fn test_traceparent_header_name() {
    restarts(&[("trace-parent", PARENT)]);
    restarts(&[("trace.parent", PARENT)]);
}

#[test]
fn test_traceparent_header_name_valid_casing() {
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        continues(&[(name, PARENT)]);
    }
}

#[test]
fn test_traceparent_version_0x00() {
    restarts_and_counts(&format!("{PARENT}."));
    restarts_and_counts(&format!("{PARENT}-what-the-future-will-be-like"));
}

#[test]
fn test_traceparent_version_0xcc() {
    let future = parent("cc", TRACE, SPAN, "01");
    continues(&[("traceparent", &future)]);
    continues(&[(
        "traceparent",
        &format!("{future}-what-the-future-will-be-like"),
    )]);
    restarts_and_counts(&format!("{future}.what-the-future-will-be-like"));
}

#[test]
fn test_traceparent_version_0xff() {
    restarts_and_counts(&parent("ff", TRACE, SPAN, "01"));
}

#[test]
fn test_traceparent_version_illegal_characters() {
    for version in [".0", "0."] {
        restarts_and_counts(&parent(version, TRACE, SPAN, "01"));
    }
}

#[test]
fn test_traceparent_version_too_long() {
    for version in ["000", "0000"] {
        restarts_and_counts(&parent(version, TRACE, SPAN, "01"));
    }
}

#[test]
fn test_traceparent_version_too_short() {
    restarts_and_counts(&parent("0", TRACE, SPAN, "01"));
}

#[test]
fn test_traceparent_trace_id_all_zero() {
    restarts_and_counts(&parent("00", &"0".repeat(32), SPAN, "01"));
}

#[test]
fn test_traceparent_trace_id_illegal_characters() {
    restarts_and_counts(&parent("00", &format!(".{}", &TRACE[1..]), SPAN, "01"));
    restarts_and_counts(&parent("00", &format!("{}.", &TRACE[..31]), SPAN, "01"));
}

#[test]
fn test_traceparent_trace_id_too_long() {
    restarts_and_counts(&parent("00", &format!("{TRACE}3"), SPAN, "01"));
}

#[test]
fn test_traceparent_trace_id_too_short() {
    restarts_and_counts(&parent("00", &TRACE[..31], SPAN, "01"));
}

#[test]
fn test_traceparent_parent_id_all_zero() {
    restarts_and_counts(&parent("00", TRACE, &"0".repeat(16), "01"));
}

#[test]
fn test_traceparent_parent_id_illegal_characters() {
    restarts_and_counts(&parent("00", TRACE, ".234567890123456", "01"));
    restarts_and_counts(&parent("00", TRACE, "123456789012345.", "01"));
}

#[test]
fn test_traceparent_parent_id_too_long() {
    restarts_and_counts(&parent("00", TRACE, "12345678901234567", "01"));
}

#[test]
fn test_traceparent_parent_id_too_short() {
    restarts_and_counts(&parent("00", TRACE, "123456789012345", "01"));
}

#[test]
fn test_traceparent_trace_flags_illegal_characters() {
    for flags in [".0", "0."] {
        restarts_and_counts(&parent("00", TRACE, SPAN, flags));
    }
}

#[test]
fn test_traceparent_trace_flags_too_long() {
    restarts_and_counts(&parent("00", TRACE, SPAN, "001"));
}

#[test]
fn test_traceparent_trace_flags_too_short() {
    restarts_and_counts(&parent("00", TRACE, SPAN, "1"));
}

#[test]
fn test_traceparent_ows_handling() {
    for (before, after) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        continues(&[("traceparent", &format!("{before}{PARENT}{after}"))]);
    }
}

#[test]
fn test_tracestate_included_traceparent_missing() {
    restarts(&[("tracestate", "foo=1")]);
    restarts(&[("tracestate", "foo=1,bar=2")]);
}

#[test]
fn test_tracestate_included_traceparent_included() {
    state(&["foo=1,bar=2"], &[("foo", "1"), ("bar", "2")]);
}

#[test]
fn test_tracestate_header_name() {
    for name in ["trace-state", "trace.state"] {
        assert!(
            pass(&[("traceparent", PARENT), (name, "foo=1")])
                .state
                .is_empty()
        );
    }
}

#[test]
fn test_tracestate_header_name_valid_casing() {
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        let seen = pass(&[("traceparent", PARENT), (name, "foo=1")]);
        assert_eq!(seen.state, [("foo".to_owned(), "1".to_owned())]);
    }
}

#[test]
fn test_tracestate_empty_header() {
    state(&[""], &[]);
    state(&["foo=1", ""], &[("foo", "1")]);
    state(&["", "foo=1"], &[("foo", "1")]);
    state(&[",,", " ,"], &[]);
}

#[test]
fn test_tracestate_multiple_headers_different_keys() {
    state(
        &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
        &[
            ("foo", "1"),
            ("bar", "2"),
            ("rojo", "1"),
            ("congo", "2"),
            ("baz", "3"),
        ],
    );
}

#[test]
fn test_tracestate_duplicated_keys() {
    state(&["foo=1,foo=1"], &[("foo", "1"), ("foo", "1")]);
    state(&["foo=1,foo=2"], &[("foo", "1"), ("foo", "2")]);
    state(&["foo=1", "foo=1"], &[("foo", "1"), ("foo", "1")]);
    state(&["foo=1", "foo=2"], &[("foo", "1"), ("foo", "2")]);
}

#[test]
fn test_tracestate_all_allowed_characters() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|c| !matches!(c, ',' | '=')).collect();
    state(&[&format!("{key}={value}")], &[(key, &value)]);
    let vendor = format!("{key}@a-z0-9_-*/");
    state(&[&format!("{vendor}={value}")], &[(&vendor, &value)]);
}

#[test]
fn test_tracestate_ows_handling() {
    let three = [("foo", "1"), ("bar", "2"), ("baz", "3")];
    state(&["foo=1 \t , \t bar=2, \t baz=3"], &three);
    state(&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], &three);
    for list in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        state(&[list], &[("foo", "1")]);
    }
}

#[test]
fn test_tracestate_key_illegal_characters() {
    for list in ["foo =1", "FOO=1", "foo.bar=1"] {
        state_is_dropped(&[list]);
    }
}

#[test]
fn test_tracestate_key_illegal_vendor_format() {
    state(&["foo@=1,bar=2"], &[("foo@", "1"), ("bar", "2")]);
    state_is_dropped(&["@foo=1,bar=2"]);
    state(&["foo@@bar=1,bar=2"], &[("foo@@bar", "1"), ("bar", "2")]);
    state(
        &["foo@bar@baz=1,bar=2"],
        &[("foo@bar@baz", "1"), ("bar", "2")],
    );
}

#[test]
fn test_tracestate_member_count_limit() {
    let members: Vec<_> = (1..=33).map(|n| format!("bar{n:02}={n:02}")).collect();
    let headers = |last: usize| -> Vec<String> {
        let tens = members[..last].chunks(10);
        tens.map(|ten| ten.join(",")).collect()
    };
    let (whole, above) = (headers(32), headers(33));
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    let above: Vec<&str> = above.iter().map(String::as_str).collect();
    let expected: Vec<(&str, &str)> = members[..32]
        .iter()
        .map(|member| member.split_once('=').unwrap())
        .collect();
    state(&whole, &expected);
    state(&[&whole.join(",")], &expected);
    state_is_dropped(&above);
    state_is_dropped(&[&above.join(",")]);
}

#[test]
fn test_tracestate_key_length_limit() {
    let long = "z".repeat(256);
    let tenant = format!("{}@{}", "t".repeat(241), "v".repeat(14));
    let short_vendor = format!("{}@v", "t".repeat(242));
    let long_vendor = format!("t@{}", "v".repeat(15));
    for key in [&long, &tenant, &short_vendor, &long_vendor] {
        state(&["foo=1", &format!("{key}=1")], &[("foo", "1"), (key, "1")]);
    }
    state_is_dropped(&["foo=1", &format!("{long}z=1")]);
}

#[test]
fn test_tracestate_value_illegal_characters() {
    for list in ["foo=bar=baz", "foo=,bar=3", "foo", "=1"] {
        state_is_dropped(&[list]);
    }
    state(
        &[&format!("foo={}", "v".repeat(256))],
        &[("foo", &"v".repeat(256))],
    );
    state_is_dropped(&[&format!("foo={}", "v".repeat(257))]);
}

#[test]
fn test_multiple_requests_with_valid_traceparent() {
    let seen: Vec<_> = (0..3).map(|_| pass(&[("traceparent", PARENT)])).collect();
    assert!(seen.iter().all(|seen| seen.trace_id == TRACE));
    assert_eq!(distinct(&seen), 3);
}

#[test]
fn test_multiple_requests_without_traceparent() {
    let seen: Vec<_> = (0..3).map(|_| pass(&[])).collect();
    assert_eq!(distinct(&seen), 3);
}

#[test]
fn test_multiple_requests_with_illegal_traceparent() {
    let zero = parent("00", &"0".repeat(32), SPAN, "01");
    let seen: Vec<_> = (0..3).map(|_| pass(&[("traceparent", &zero)])).collect();
    assert!(seen.iter().all(|seen| seen.trace_id != "0".repeat(32)));
    assert_eq!(distinct(&seen), 3);
}

#[test]
fn test_propagates_random_flag() {
    let seen = pass(&[("traceparent", &parent("00", TRACE, SPAN, "02"))]);
    assert_eq!((&*seen.trace_id, seen.flags), (TRACE, 2));
}

fn distinct(seen: &[Seen]) -> usize {
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|seen| &seen.parent_id).collect();
    ids.len()
}
