//! The `OTEL_*` variables.
use crate::{
    secret::Secret,
    telemetry::otlp::{OtelVars, OtlpConfig, Protocol, SamplerKind, otel_env},
};
use std::{collections::BTreeMap, time::Duration};

fn read(vars: &[(&str, &str)]) -> OtelVars {
    let vars = vars.iter().copied().collect::<BTreeMap<_, _>>();
    otel_env(|name| vars.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn every_variable_reaches_its_setting() {
    let vars = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b:4318/x"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "3000"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Authorization=Basic%20Zm9v, a = b;c ,",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=t=1"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "20000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4096"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "256"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "10000"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "5000"),
        ("OTEL_SERVICE_NAME", "orders"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,team=caf%C3%A9,k8s.pod.name = p-1",
        ),
        ("OTEL_PROPAGATORS", "b3, tracecontext,b3"),
    ]);
    assert_eq!(vars.problems, []);
    let (config, problems) = OtlpConfig::default().with_otel_vars(&vars);
    assert_eq!(problems, []);
    assert!(config.enabled, "an endpoint switches it on");
    assert_eq!(config.endpoint.as_deref(), Some("http://a:4318"));
    assert_eq!(config.traces.endpoint.as_deref(), Some("http://b:4318/x"));
    assert_eq!(config.metrics.endpoint.as_deref(), Some("http://c:4317"));
    assert_eq!(config.protocol, Protocol::Grpc);
    assert_eq!(config.traces.protocol, Some(Protocol::HttpProtobuf));
    assert_eq!(config.metrics.protocol, Some(Protocol::Grpc));
    assert_eq!(config.timeout, Duration::from_millis(1_500));
    assert_eq!(config.traces.timeout, Some(Duration::from_secs(2)));
    assert_eq!(config.metrics.timeout, Some(Duration::from_secs(3)));
    assert_eq!(config.traces.sampler, SamplerKind::ParentBasedTraceIdRatio);
    assert_eq!(config.traces.ratio, 0.25);
    assert_eq!(config.traces.schedule_delay, Duration::from_secs(1));
    assert_eq!(config.traces.export_timeout, Duration::from_secs(20));
    assert_eq!((config.traces.queue, config.traces.batch), (4_096, 256));
    assert_eq!(config.metrics.interval, Duration::from_secs(10));
    assert_eq!(config.metrics.export_timeout, Duration::from_secs(5));
    let headers = [("authorization", "Basic Zm9v"), ("a", "b;c")];
    let headers = headers.map(|(name, value)| (name.to_owned(), Secret::from(value)));
    assert_eq!(config.env_headers.all, headers.into());
    assert_eq!(config.env_headers.traces["x-tenant"], Secret::from("t=1"));
    assert_eq!(vars.service_name.as_deref(), Some("orders"));
    let attributes = [("team", "café"), ("k8s.pod.name", "p-1")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(vars.resource_attributes, attributes.into());
    let propagators = vec!["b3".to_owned(), "tracecontext".to_owned()];
    assert_eq!(vars.propagators, Some(propagators));
    assert_eq!(config.problems(), []);
}

#[test]
fn nothing_set_changes_nothing() {
    let vars = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " "), ("PATH", "/bin")]);
    assert_eq!(vars, OtelVars::default());
    let mut config = OtlpConfig::default();
    config.traces.timeout = Some(Duration::from_millis(7));
    assert_eq!(config.clone().with_otel_vars(&vars).0, config);
}

#[test]
fn what_cannot_be_understood_is_named_and_ignored() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_PROPAGATORS", "ottrace"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=%ff"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "=canary"),
    ] {
        let vars = read(&[(variable, value)]);
        let [problem] = vars.problems.as_slice() else {
            panic!("{variable}={value}: {:?}", vars.problems)
        };
        assert_eq!(problem.variable, variable);
        assert!(!problem.to_string().contains("canary"), "{problem}");
        let (config, problems) = OtlpConfig::default().with_otel_vars(&vars);
        assert_eq!((config, problems.len()), (OtlpConfig::default(), 1));
    }
}

#[test]
fn exporters_are_switched_on_and_off() {
    for (vars, enabled, traces, metrics) in [
        (&[][..], false, true, true),
        (&[("OTEL_TRACES_EXPORTER", "otlp")], true, true, true),
        (
            &[
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_METRICS_EXPORTER", "otlp"),
            ],
            true,
            false,
            true,
        ),
        (
            &[
                ("OTEL_METRICS_EXPORTER", "prometheus"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ],
            true,
            true,
            false,
        ),
        (
            &[
                ("OTEL_SDK_DISABLED", "TRUE"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ],
            false,
            true,
            true,
        ),
        (
            &[
                ("OTEL_SDK_DISABLED", "false"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ],
            true,
            true,
            true,
        ),
    ] {
        let (config, problems) = OtlpConfig::default().with_otel_vars(&read(vars));
        assert_eq!(problems, []);
        let got = (
            config.enabled,
            config.traces.enabled,
            config.metrics.enabled,
        );
        assert_eq!(got, (enabled, traces, metrics), "{vars:?}");
    }
}

#[test]
fn each_setting_knows_its_variable_and_headers_never_show() {
    let vars = read(&[
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary"),
    ]);
    let [value] = vars.values.as_slice() else {
        panic!("{:?}", vars.values)
    };
    assert_eq!(
        (value.path, value.variable),
        ("traces.ratio", "OTEL_TRACES_SAMPLER_ARG")
    );
    let (config, _) = OtlpConfig::default().with_otel_vars(&vars);
    for text in [
        format!("{vars:?} {config:?}"),
        serde_json::to_string(&config).unwrap(),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
}
