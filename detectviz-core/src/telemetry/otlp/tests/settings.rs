//! Where a signal goes, and what makes a configuration unusable.
use super::{BOTH, span, traces};
use crate::{
    error::ErrorKind,
    secret::Secret,
    task::Tasks,
    telemetry::{
        metrics::Registry,
        otlp::{
            OtlpConfig, OtlpExporter, Protocol, Resource,
            target::{Signal, Target},
        },
        span::Spans,
    },
};
use schemars::schema_for;

fn parse(json: &str) -> OtlpConfig {
    serde_json::from_str(json).unwrap()
}

#[test]
fn each_signal_finds_its_address() {
    const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    for (json, traces, metrics) in [
        (
            "{}",
            "http://localhost:4318/v1/traces",
            "http://localhost:4318/v1/metrics",
        ),
        (
            r#"{"protocol": "grpc"}"#,
            &format!("http://localhost:4317{TRACES}"),
            &format!("http://localhost:4317{METRICS}"),
        ),
        (
            r#"{"endpoint": "http://c:1/base/", "metrics": {"endpoint": "http://m"}}"#,
            "http://c:1/base/v1/traces",
            "http://m/",
        ),
        (
            r#"{"endpoint": "http://c:1/p", "traces": {"endpoint": "http://t:2/p?q=1"}}"#,
            "http://t:2/p?q=1",
            "http://c:1/p/v1/metrics",
        ),
        (
            r#"{"endpoint": "c:4317", "metrics": {"protocol": "grpc", "endpoint": "[::1]:9/x"}}"#,
            "http://c:4317/v1/traces",
            &format!("http://[::1]:9{METRICS}"),
        ),
    ] {
        let config = parse(json);
        assert_eq!(config.problems(), []);
        for (signal, uri) in [(Signal::Traces, traces), (Signal::Metrics, metrics)] {
            let target = Target::new(&config, signal).unwrap();
            assert_eq!(target.uri.to_string(), uri, "{json}");
            assert!(target.endpoint().starts_with("http://"));
        }
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let mut config = parse(
        r#"{
            "endpoint": "https://c:4318",
            "headers": {"b@d": "x", "te": "x", "a": "line\nbreak"},
            "secret_headers": {"content-type": "${secret:env:X}"},
            "timeout": "0s",
            "retry": {"initial": "5s", "max": "1s"},
            "traces": {
                "endpoint": "http://user:canary@t",
                "headers": {"": "x"},
                "ratio": 1.5,
                "queue": 1,
                "batch": 4
            },
            "metrics": {"endpoint": "ftp://m", "interval": "0s", "timeout": "2d"}
        }"#,
    );
    let env = &mut config.env_headers.all;
    env.insert("x".to_owned(), Secret::from("canary\n"));
    let problems = config.problems();
    let mut keys = problems
        .iter()
        .map(|(key, ..)| key.as_str())
        .collect::<Vec<_>>();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "endpoint",
            "headers.a",
            "headers.b@d",
            "headers.te",
            "headers.x",
            "metrics.endpoint",
            "metrics.interval",
            "metrics.timeout",
            "retry.max",
            "secret_headers.content-type",
            "timeout",
            "traces.batch",
            "traces.endpoint",
            "traces.headers.",
            "traces.queue",
            "traces.ratio",
        ]
    );
    assert!(!format!("{problems:?}").contains("canary"));
    config.traces.ratio = f64::NAN;
    assert_eq!(config.problems().len(), problems.len());
}

#[tokio::test]
async fn a_wrong_configuration_builds_nothing() {
    let mut config = traces(Protocol::Grpc);
    config.endpoint = Some("https://c".to_owned());
    config.timeout = std::time::Duration::ZERO;
    let tasks = Tasks::new();
    let built = OtlpExporter::build(
        config,
        Resource::new("orders"),
        Spans::disabled(),
        &Registry::new(),
        &tasks,
        None,
    );
    let err = built.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Config);
    for part in ["otlp.endpoint", "TLS", "otlp.timeout"] {
        assert!(err.to_string().contains(part), "{err}");
    }
}

#[test]
fn a_configuration_survives_being_written_and_fits_its_schema() {
    let mut config = traces(Protocol::Grpc);
    config.traces.timeout = Some(std::time::Duration::from_millis(1_500));
    let json = serde_json::to_value(&config).unwrap();
    assert_eq!(json["traces"]["timeout"], "1s500ms");
    assert_eq!(json["traces"]["sampler"], "parentbased_always_on");
    assert!(json.get("env_headers").is_none());
    assert_eq!(
        serde_json::from_value::<OtlpConfig>(json.clone()).unwrap(),
        config
    );
    let schema = serde_json::to_value(schema_for!(OtlpConfig)).unwrap();
    assert!(jsonschema::is_valid(&schema, &json), "{schema}");
    assert!(!schema.to_string().contains("env_headers"));
    assert!(serde_json::from_str::<OtlpConfig>(r#"{"endpiont": "x"}"#).is_err());
}

#[test]
fn spans_are_recorded_only_when_they_are_exported() {
    for protocol in BOTH {
        let mut config = traces(protocol);
        config.traces.queue = 2;
        config.traces.batch = 1;
        let spans = config.spans();
        for _ in 0..3 {
            spans.record(span());
        }
        assert_eq!((spans.waiting(), spans.capacity()), (2, 2));
        config.traces.enabled = false;
        assert!(!config.spans().is_recording());
    }
}
