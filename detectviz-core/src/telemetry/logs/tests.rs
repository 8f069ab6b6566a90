mod template;

use super::*;
use crate::{config::ByteSize, task::Tasks, telemetry::context::TraceContext};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value as Json;
use std::{
    fmt, io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::Level;

const SOON: Duration = Duration::from_secs(30);

const STANDARD: [&str; 8] = [
    "timestamp",
    "level",
    "caller",
    "target",
    "message",
    "trace_id",
    "span_id",
    "service",
];

/// What was written.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<Vec<u8>>>);

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Capture {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    pub(crate) fn json(&self) -> Vec<Json> {
        self.lines()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The entries of an object in their order, duplicates included.
struct Entries(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

pub(crate) fn capture(level: &str) -> (Logs, Capture, Tasks) {
    let (tasks, capture) = (Tasks::new(), Capture::default());
    let config = LogsConfig {
        level: level.to_owned(),
        ..LogsConfig::default()
    };
    let logs = config
        .build("orders", Output::new(capture.clone()), &tasks)
        .unwrap();
    (logs, capture, tasks)
}

/// Logs one event and checks that it is one line of strict JSON whose standard fields are as they should be.
fn log_one(message: &str, fields: &[(&str, Value<'_>)]) -> Vec<(String, Json)> {
    let (logs, capture, _tasks) = capture("trace");
    let trace = TraceContext::root(true);
    logs.event(
        Level::INFO,
        "my::target",
        Caller::new("src/x.rs", 7),
        Some(&trace),
        message,
        |line| {
            for (name, value) in fields {
                line.value(Name::new(name), *value);
            }
        },
    );
    assert!(logs.flush(SOON));
    let text = capture.text();
    assert!(
        text.len() <= 64 * 1024 && text.ends_with('\n'),
        "{}",
        text.len()
    );
    assert!(
        text[..text.len() - 1]
            .chars()
            .all(|c| !c.is_control() && !"\u{2028}\u{2029}".contains(c))
    );
    assert_eq!(text.lines().count(), 1);
    let Entries(entries) = serde_json::from_str(&text).unwrap();
    let mut names = entries
        .iter()
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>();
    assert_eq!(names[..8], STANDARD);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    for (at, expected) in [
        (1, "INFO"),
        (2, "src/x.rs:7"),
        (3, "my::target"),
        (7, "orders"),
    ] {
        assert_eq!(entries[at].1, expected);
    }
    assert_eq!(entries[5].1, trace.trace_id().to_string());
    assert_eq!(entries[6].1, trace.span_id().to_string());
    entries
}

#[test]
fn hostile_input_stays_within_its_line_and_its_field() {
    let long = "x".repeat(1 << 20);
    for text in [
        "plain",
        "\",\"level\":\"ERROR",
        "a\nb\r\nc\u{b}\u{c}",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{80}\u{85}\u{9b}31m",
        "\u{2028}\u{2029}\u{202e}\u{feff}",
        "\0\\u0000\\",
        "🦀 漢字 é",
        "}\n{\"level\":\"ERROR\"}",
    ] {
        let entries = log_one(
            text,
            &[
                ("field", Value::Str(text)),
                (text, Value::U64(1)),
                ("debug", Value::Debug(&text)),
            ],
        );
        assert_eq!(entries[4].1, text);
        assert_eq!(entries[8], ("field".to_owned(), text.into()));
        assert_eq!(entries[9], (text.to_owned(), 1.into()));
    }
    let entries = log_one(
        &long,
        &[
            ("a", Value::Str(&long)),
            ("b", Value::Display(&long)),
            ("c", Value::U64(3)),
            (&long, Value::U64(4)),
        ],
    );
    let named = |name: &str| {
        entries
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(named("truncated"), Some(true.into()));
    assert_eq!(named("c"), Some(3.into()));
    assert!(named("message").unwrap().as_str().unwrap().len() > 20 * 1024);
    assert!(named("a").unwrap().as_str().unwrap().len() > 10 * 1024);
    let entries = log_one("bytes", &[("raw", Value::Bytes(b"\xff\xfe\n\x1b ok"))]);
    assert_eq!(entries[8].1, "\u{fffd}\u{fffd}\n\u{1b} ok");
}

#[test]
fn a_field_that_would_take_a_name_is_renamed() {
    let fields = STANDARD
        .iter()
        .chain(&["truncated", "x", "x", "fields.x", "x"]);
    let fields = fields
        .map(|name| (*name, Value::U64(1)))
        .collect::<Vec<_>>();
    let entries = log_one("m", &fields);
    let names = entries[8..]
        .iter()
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>();
    assert_eq!(
        names,
        [
            "fields.timestamp",
            "fields.level",
            "fields.caller",
            "fields.target",
            "fields.message",
            "fields.trace_id",
            "fields.span_id",
            "fields.service",
            "fields.truncated",
            "x",
            "fields.x",
            "fields.fields.x",
            "fields.x.2",
        ]
    );
}

#[test]
fn a_line_has_room_for_a_bounded_number_of_fields() {
    let same = vec![("same", Value::U64(1)); 1000];
    let entries = log_one("m", &same);
    assert_eq!(entries.len(), 8 + 10 + 1);
    let names = (0..1000).map(|n| format!("n{n}")).collect::<Vec<_>>();
    let fields = names
        .iter()
        .map(|name| (name.as_str(), Value::U64(1)))
        .collect::<Vec<_>>();
    let entries = log_one("m", &fields);
    assert_eq!(entries.len(), 8 + 128 + 1);
    assert_eq!(entries.last().unwrap().0, "truncated");
}

#[test]
fn a_text_line_is_one_line_too() {
    let (tasks, capture) = (Tasks::new(), Capture::default());
    let config = LogsConfig {
        format: LogFormat::Auto,
        ..LogsConfig::default()
    };
    let output = Output::new(capture.clone()).terminal(true);
    let logs = config.build("orders", output, &tasks).unwrap();
    let trace = TraceContext::root(true);
    logs.event(
        Level::WARN,
        "t",
        Caller::new("x.rs", 7),
        Some(&trace),
        "say \"hi\"\n\u{1b}[0m",
        |line| {
            line.str("a", "b\nc");
            line.u64("n", 1);
            line.str("password", "hunter2");
        },
    );
    assert!(logs.flush(SOON));
    let text = capture.text();
    let expected = format!(
        " WARN t x.rs:7: say \"hi\"\\n\\u001b[0m trace_id={} span_id={} a=\"b\\nc\" n=1 password=\"[redacted]\"\n",
        trace.trace_id(),
        trace.span_id()
    );
    assert_eq!(text[27..], expected);
}

#[test]
fn lg4_secrets_are_masked_at_every_level_and_in_every_kind_of_value() {
    let (logs, capture, _tasks) = capture("trace");
    let shown = format!("https://u:{0}@h/?token={0}", "hunter2");
    for level in [
        Level::ERROR,
        Level::WARN,
        Level::INFO,
        Level::DEBUG,
        Level::TRACE,
    ] {
        logs.event(
            level,
            "t",
            Caller::here(),
            None,
            "login with Bearer hunter2",
            |line| {
                line.str("authorization", "hunter2");
                line.bytes("set-cookie", b"hunter2");
                line.debug("db.password", &"hunter2");
                line.display("api_key", &"hunter2");
                line.u64("access_token", 2_718_281);
                line.str("url", &shown);
                line.debug("debug", &shown);
                line.bytes("bytes", shown.as_bytes());
                line.error("error", &io::Error::other(shown.clone()));
            },
        );
    }
    assert!(logs.flush(SOON));
    let text = capture.text();
    assert_eq!(text.lines().count(), 5);
    assert!(
        !text.contains("hunter2") && !text.contains("2718281"),
        "{text}"
    );
    assert!(
        text.contains("https://[redacted]@h/?token=[redacted]"),
        "{text}"
    );
}

#[test]
fn a_value_that_logs_while_it_is_formatted_makes_a_line_of_its_own() {
    struct Chatty(Logs);
    impl fmt::Display for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0
                .event(Level::INFO, "t", Caller::here(), None, "inner", |_| {});
            f.write_str("value")
        }
    }
    let (logs, capture, _tasks) = capture("info");
    let chatty = Chatty(logs.clone());
    logs.event(Level::INFO, "t", Caller::here(), None, "outer", |line| {
        line.display("v", &chatty)
    });
    assert!(logs.flush(SOON));
    let messages = capture
        .json()
        .iter()
        .map(|line| line["message"].clone())
        .collect::<Vec<_>>();
    assert_eq!(messages, ["inner", "outer"]);
    assert_eq!(capture.json()[1]["v"], "value");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_levels_is_logged_whatever_the_level() {
    let (logs, capture, _tasks) = capture("off");
    logs.levels()
        .override_for("debug,x=trace", Duration::from_secs(60))
        .unwrap();
    assert!(logs.enabled(Level::DEBUG, "t"));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(!logs.enabled(Level::ERROR, "t"));
    logs.levels().set("error").unwrap();
    assert!(logs.flush(SOON));
    let told = capture
        .json()
        .iter()
        .map(|line| format!("{} {}", line["level"], line["log_level"]))
        .collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            r#""WARN" "debug,x=trace""#,
            r#""INFO" "off""#,
            r#""INFO" "error""#
        ]
    );
    assert_eq!(capture.json()[0]["ttl"], "1m");
}

#[test]
fn logs_that_are_disabled_take_everything_and_do_nothing() {
    let logs = Logs::disabled();
    assert!(!logs.enabled(Level::ERROR, "t"));
    logs.event(Level::ERROR, "t", Caller::here(), None, "m", |line| {
        line.bool("b", true)
    });
    assert!(logs.flush(Duration::ZERO));
    assert_eq!(
        logs.written(Level::ERROR) + logs.dropped(Level::ERROR) + logs.write_errors(),
        0
    );
}

#[test]
fn a_level_that_cannot_be_read_is_an_error_of_the_config() {
    let config = LogsConfig {
        level: "loud".to_owned(),
        buffer: ByteSize(1 << 20),
        ..LogsConfig::default()
    };
    let err = config
        .build("x", Output::new(io::sink()), &Tasks::new())
        .unwrap_err();
    assert_eq!(err.kind(), crate::error::ErrorKind::Config);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn anything_makes_one_strict_line(
        message in "\\PC*|(?s).{0,60}",
        fields in prop::collection::vec(("(?s).{0,12}|[a-c]|level|message|fields\\.a", "(?s).{0,80}", any::<f64>(), 1_usize..3000), 0..12),
    ) {
        let texts = fields.iter().map(|(_, text, _, times)| text.repeat(*times)).collect::<Vec<_>>();
        let mut all = Vec::new();
        for ((name, _, number, _), text) in fields.iter().zip(&texts) {
            all.push((name.as_str(), Value::Str(text)));
            all.push((name.as_str(), Value::F64(*number)));
            all.push((text.as_str(), Value::Bytes(text.as_bytes())));
        }
        log_one(&message, &all);
    }
}
