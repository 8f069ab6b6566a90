//! Lines of templates.
use super::*;
use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Instant, SystemTime},
};

static PATH: Key = Key::new("path");
static AGENT: Key = Key::new("user_agent");
static COUNT: Key = Key::new("count");
static TOKEN: Key = Key::new("access_token");
static MESSAGE: Key = Key::new("message");
static PEER: Key = Key::new("peer");

const HOSTILE: [&str; 9] = [
    "plain",
    "\",\"level\":\"ERROR",
    "a\nb\r\nc\u{b}\u{c}",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{80}\u{85}\u{9b}31m",
    "\u{2028}\u{2029}\u{202e}\u{feff}",
    "\0\\u0000\\",
    "🦀 漢字 é",
    "}\n{\"level\":\"ERROR\"}",
];

fn plain(logs: &Logs, message: &str) -> LineTemplate {
    let caller = Caller::new("src/x.rs", 7);
    logs.template(Level::INFO, "my::target", caller, message, |_| {})
}

/// The entries of the only line, which is checked to be one.
fn only_line(capture: &Capture) -> Vec<(String, Json)> {
    let text = capture.text();
    assert!(text.len() <= 64 * 1024 && text.ends_with('\n'));
    assert!(
        text[..text.len() - 1]
            .chars()
            .all(|c| !c.is_control() && !"\u{2028}\u{2029}".contains(c))
    );
    let Entries(entries) = serde_json::from_str(&text).unwrap();
    entries
}

/// Writes one line with `values` and returns its entries.
fn write_one(values: impl FnOnce(&mut Values<'_>)) -> Vec<(String, Json)> {
    let (logs, capture, _tasks) = capture("trace");
    let template = plain(&logs, "m");
    logs.entry(&template).write(Instant::now(), values);
    assert!(logs.flush(SOON));
    only_line(&capture)
}

#[test]
fn a_line_of_a_template_is_that_of_the_event() {
    static STATUS_MS: Key = Key::new("duration_ms");
    static BYTES: Key = Key::new("bytes_out");
    static CHANGE: Key = Key::new("change");
    static CACHED: Key = Key::new("cached");
    static LEVEL: Key = Key::new("level");
    let peer = SocketAddr::from(([10, 0, 200, 1], 41_820));
    for terminal in [false, true] {
        let (tasks, capture) = (Tasks::new(), Capture::default());
        let output = Output::new(capture.clone()).terminal(terminal);
        let logs = LogsConfig::default()
            .build("orders", output, &tasks)
            .unwrap();
        let caller = Caller::new("src/x.rs", 7);
        let trace = TraceContext::root(true);
        let template = logs.template(
            Level::INFO,
            "http.access",
            caller,
            "GET /a/{id} \"",
            |fields| {
                fields.str("method", "GET");
                fields.str("service", "renamed");
            },
        );
        let suffix = logs.message_suffix("\n 200");
        let status = logs.static_fields(|fields| {
            fields.u64("status", 200);
            fields.str("outcome", "ok: \"fine\"");
        });
        for (suffix, trace) in [(Some(&suffix), Some(&trace)), (None, None)] {
            let message = format!("GET /a/{{id}} \"{}", suffix.map_or("", |_| "\n 200"));
            logs.event(
                Level::INFO,
                "http.access",
                caller,
                trace,
                &message,
                |fields| {
                    fields.str("method", "GET");
                    fields.str("service", "renamed");
                    fields.str("path", "/a/7");
                    fields.u64("status", 200);
                    fields.str("outcome", "ok: \"fine\"");
                    fields.f64("duration_ms", 1.234);
                    fields.u64("bytes_out", 12_345);
                    fields.i64("change", -7);
                    fields.bool("cached", true);
                    fields.str("peer", "10.0.200.1:41820");
                    fields.str("level", "renamed");
                    fields.str("user_agent", "Mozilla/5.0 (X11; rv:109.0) Gecko");
                },
            );
            let mut entry = logs.entry(&template).trace(trace);
            if let Some(suffix) = suffix {
                entry = entry.suffix(suffix);
            }
            entry.write(Instant::now(), |values| {
                values.str(&PATH, "/a/7");
                values.fields(&status);
                values.millis(&STATUS_MS, Duration::from_micros(1234));
                values.u64(&BYTES, 12_345);
                values.i64(&CHANGE, -7);
                values.bool(&CACHED, true);
                values.addr(&PEER, peer);
                values.raw(&LEVEL, "\"renamed\"");
                values.str(&AGENT, "Mozilla/5.0 (X11; rv:109.0) Gecko");
            });
        }
        assert!(logs.flush(SOON));
        let from = if terminal { 27 } else { 41 };
        let lines = capture.lines();
        assert_eq!(lines.len(), 4);
        for pair in lines.chunks(2) {
            assert_eq!(pair[0][from..], pair[1][from..]);
        }
    }
}

#[test]
fn the_time_is_that_of_the_moment_that_is_given() {
    let (logs, capture, _tasks) = capture("info");
    let template = plain(&logs, "m");
    let now = Instant::now();
    let before = SystemTime::now();
    for back in [0, 90_000, 30] {
        let at = now - Duration::from_millis(back);
        logs.entry(&template).write(at, |_| {});
    }
    assert!(logs.flush(SOON));
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        since.as_secs_f64() % 3600.0
    };
    let shown = capture.json().into_iter().map(|line| {
        let text = line["timestamp"].as_str().unwrap();
        text[14..16].parse::<f64>().unwrap() * 60.0 + text[17..26].parse::<f64>().unwrap()
    });
    let shown = shown.collect::<Vec<_>>();
    let differs = |one: f64, other: f64| ((one - other + 5400.0) % 3600.0 - 1800.0).abs();
    assert!(differs(shown[0], seconds(before)) < 5.0, "{shown:?}");
    assert!(differs(shown[0], shown[1] + 90.0) < 1.0, "{shown:?}");
    assert!(differs(shown[0], shown[2] + 0.03) < 0.03, "{shown:?}");
}

#[test]
fn hostile_values_stay_within_their_line_and_their_field() {
    for text in HOSTILE {
        let (logs, capture, _tasks) = capture("trace");
        let template = logs.template(Level::INFO, text, Caller::new(text, 7), text, |fields| {
            fields.str("fixed", text);
        });
        let suffix = logs.message_suffix(text);
        let entry = logs.entry(&template).suffix(&suffix);
        entry.write(Instant::now(), |values| {
            values.str(&PATH, text);
            values.str(&MESSAGE, text);
        });
        assert!(logs.flush(SOON));
        let entries = only_line(&capture);
        assert_eq!(entries[3].1, text);
        assert_eq!(entries[4].1, format!("{text}{text}"));
        assert_eq!(entries[6], ("fixed".to_owned(), text.into()));
        assert_eq!(entries[7], ("path".to_owned(), text.into()));
        assert_eq!(entries[8], ("fields.message".to_owned(), text.into()));
    }
}

#[test]
fn lg4_secrets_are_masked_in_what_is_fixed_and_in_what_is_not() {
    let shown = format!("https://u:{0}@h/?token={0}", "hunter2");
    let (logs, capture, _tasks) = capture("trace");
    for level in [Level::ERROR, Level::INFO, Level::TRACE] {
        let template = logs.template(level, "t", Caller::here(), &shown, |fields| {
            fields.str("cookie", "hunter2");
            fields.str("url", &shown);
        });
        let suffix = logs.message_suffix("with Bearer hunter2");
        let fixed = logs.static_fields(|fields| fields.u64("password", 2_718_281));
        let entry = logs.entry(&template).suffix(&suffix);
        entry.write(Instant::now(), |values| {
            values.fields(&fixed);
            values.str(&TOKEN, "hunter2");
            values.str(&PATH, &shown);
            values.str(&AGENT, "sent Bearer hunter2");
        });
        for secret in [
            |values: &mut Values<'_>| values.u64(&TOKEN, 2_718_281),
            |values: &mut Values<'_>| values.i64(&TOKEN, -2_718_281),
            |values: &mut Values<'_>| values.millis(&TOKEN, Duration::from_secs(2_718_281)),
            |values: &mut Values<'_>| values.raw(&TOKEN, "2718281"),
            |values: &mut Values<'_>| values.addr(&TOKEN, SocketAddr::from(([127; 4], 2718))),
            |values: &mut Values<'_>| values.addr(&TOKEN, SocketAddr::from(([2718; 8], 2718))),
        ] {
            logs.entry(&template).write(Instant::now(), secret);
        }
    }
    assert!(logs.flush(SOON));
    let text = capture.text();
    assert_eq!(capture.json().len(), 3 * 7);
    for secret in ["hunter2", "2718", "127.127"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("\"access_token\":\"[redacted]\""), "{text}");
    assert!(text.contains("?token=[redacted]"), "{text}");
}

#[test]
fn what_does_not_fit_is_cut_or_left_out_and_that_is_said() {
    let long = "x".repeat(1 << 20);
    let named = |entries: &[(String, Json)], name: &str| {
        let found = entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let entries = write_one(|values| {
        values.str(&PATH, &long);
        values.raw(&AGENT, &long.replace('x', "1"));
        values.u64(&COUNT, 3);
    });
    assert_eq!(named(&entries, "truncated"), Some(true.into()));
    assert_eq!(named(&entries, "count"), Some(3.into()));
    assert_eq!(named(&entries, "user_agent"), None);
    let path = named(&entries, "path").unwrap();
    assert!(path.as_str().unwrap().len() > 10 * 1024);

    let names = (0..100).map(|n| Key::of(format!("n{n}").leak()).unwrap());
    let names = names.collect::<Vec<_>>();
    let wide = "\u{1b}".repeat(1000);
    let entries = write_one(|values| names.iter().for_each(|name| values.str(name, &wide)));
    assert_eq!(named(&entries, "truncated"), Some(true.into()));
    assert!(
        entries.len() > 10 && entries.len() < 40,
        "{}",
        entries.len()
    );

    let (logs, capture, _tasks) = capture("trace");
    let template = logs.template(Level::INFO, &long, Caller::new(&long, 1), &long, |fields| {
        for name in ["a", "b", "c", "d", "e", "f"] {
            fields.str(name, &long);
        }
    });
    let (suffix, fixed) = (
        logs.message_suffix(&long),
        logs.static_fields(|f| f.str("g", &long)),
    );
    let trace = TraceContext::root(true);
    let entry = logs.entry(&template).suffix(&suffix).trace(Some(&trace));
    entry.write(Instant::now(), |values| {
        values.fields(&fixed);
        values.str(&PATH, "short");
    });
    assert!(logs.flush(SOON));
    assert_eq!(named(&only_line(&capture), "truncated"), Some(true.into()));
}

#[test]
fn a_line_within_a_line_comes_after_it_and_before_the_next() {
    let (logs, capture, _tasks) = capture("info");
    let (outer, inner) = (plain(&logs, "outer"), plain(&logs, "inner"));
    let now = Instant::now();
    for _ in 0..3 {
        logs.entry(&outer).write(now, |values| {
            values.str(&PATH, "Bearer x");
            logs.entry(&inner).write(now, |values| {
                values.u64(&COUNT, 1);
                logs.event(Level::INFO, "t", Caller::here(), None, "innermost", |_| {});
            });
            assert!(
                !logs.flush(Duration::from_secs(3600)),
                "it would wait for itself"
            );
            values.u64(&COUNT, 2);
        });
        logs.event(Level::INFO, "t", Caller::here(), None, "next", |_| {});
    }
    assert!(logs.flush(SOON));
    let messages = capture
        .json()
        .into_iter()
        .map(|line| line["message"].clone());
    let messages = messages.collect::<Vec<_>>();
    let expected = ["outer", "inner", "innermost", "next"];
    assert_eq!(messages, expected.repeat(3));
    assert_eq!(logs.written(Level::INFO), 12);
}

#[test]
fn a_line_whose_values_panic_is_not_logged_and_harms_no_other() {
    let (logs, capture, _tasks) = capture("info");
    let template = plain(&logs, "m");
    let write = |panics: bool| {
        let entry = logs.entry(&template);
        catch_unwind(AssertUnwindSafe(|| {
            entry.write(Instant::now(), |values| {
                values.u64(&COUNT, 1);
                assert!(!panics, "on purpose");
            });
        }))
    };
    for panics in [false, true, false] {
        assert_eq!(write(panics).is_err(), panics);
    }
    assert!(logs.flush(SOON));
    assert_eq!(capture.json().len(), 2);
    assert_eq!(
        (logs.written(Level::INFO), logs.dropped(Level::INFO)),
        (2, 0)
    );
}

#[test]
fn disabled_logs_take_templates_and_write_nothing() {
    let logs = Logs::disabled();
    let template = plain(&logs, "m");
    logs.entry(&template)
        .write(Instant::now(), |_| unreachable!());
    assert_eq!(logs.written(Level::INFO), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_the_value_that_an_event_shows(text in "\\PC*|(?s)([:= \"\\\\]|password|rer |Basic |.){0,60}", times in 1_usize..3000) {
        let text = text.repeat(times);
        let entries = write_one(|values| values.str(&PATH, &text));
        let event = log_one("m", &[("path", Value::Str(&text))]);
        let of = |entries: &[(String, Json)]| {
            let named = entries.iter().find(|(name, _)| name == "path");
            named.map(|(_, value)| value.as_str().unwrap().to_owned()).unwrap()
        };
        let (shown, expected) = (of(&entries), of(&event));
        prop_assert!(shown == expected || text.len() > 10_000);
        let start = shown.len().min(expected.len()).min(10_000);
        let start = shown.floor_char_boundary(start);
        prop_assert_eq!(&shown[..start], &expected[..start]);
    }
}

#[test]
fn fields_rendered_ahead_of_a_line_are_those_written_within_it() {
    let long = "x".repeat(2000);
    let values = [
        "/a/7",
        "",
        &long,
        "tab\t\"quote\"",
        "/x?access_token=abc",
        "Bearer abcdefghijklmnop",
    ];
    let mut early = EarlyFields::new();
    for text in values.into_iter().chain(HOSTILE) {
        let within = write_one(|line| {
            line.str(&PATH, text);
            line.bytes(&AGENT, text.as_bytes());
            line.str(&TOKEN, text);
            line.u64(&COUNT, 1);
        });
        let (logs, capture, _tasks) = capture("trace");
        logs.render(&mut early, |line| {
            line.str(&PATH, text);
            line.bytes(&AGENT, text.as_bytes());
            line.str(&TOKEN, text);
        });
        assert!(!early.is_empty());
        logs.entry(&plain(&logs, "m"))
            .write(Instant::now(), |line| {
                line.early(&early);
                line.u64(&COUNT, 1);
            });
        assert!(logs.flush(SOON));
        let ahead = only_line(&capture);
        assert_eq!(ahead[1..], within[1..], "{text:?}");
    }
    early.clear();
    assert!(early.is_empty());
}

#[test]
fn bytes_that_are_no_text_are_left_out() {
    for bytes in [&b"caf\xe9"[..], b"\xff\xfe", &[b'x'; 2000][..1999]] {
        let is_text = str::from_utf8(bytes).is_ok();
        let entries = write_one(|line| line.bytes(&AGENT, bytes));
        let is_there = entries.iter().any(|(name, _)| name == "user_agent");
        assert_eq!(is_there, is_text);
    }
}
