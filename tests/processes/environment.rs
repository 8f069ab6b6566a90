//! Variables of the environment that are meant for others.
use detectviz_tests::{BOUND, Launch, Service, http1::is_timeout};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
};

/// What third-party libraries would read by themselves.
const HOSTILE: [&str; 22] = [
    "VAULT_ADDR",
    "VAULT_TOKEN",
    "VAULT_CACERT",
    "VAULT_NAMESPACE",
    "VAULT_SKIP_VERIFY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_CONFIG_FILE",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RUST_LOG",
    "TOKIO_WORKER_THREADS",
    "OTEL_LOG_LEVEL",
    "OTEL_CONFIG_FILE",
];

/// Every effective value by its path, but for the addresses, which differ.
fn config(service: &Service) -> BTreeMap<String, Value> {
    let Value::Array(entries) = service.admin_get("/config").expect("a page").json() else {
        panic!("/config is a list");
    };
    let pairs = entries.into_iter().map(|entry| {
        let path = entry["path"].as_str().expect("a path").to_owned();
        (path, entry["value"].clone())
    });
    let own = |path: &str| !path.ends_with(".address") && !path.ends_with(".port");
    pairs.filter(|(path, _)| own(path)).collect()
}

#[test]
fn hostile_variables_have_no_effect_and_nobody_is_called() {
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    trap.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}", trap.local_addr().expect("an address"));
    let plain = Launch::conformance().start();
    let mut launch = Launch::conformance();
    for name in HOSTILE {
        launch = launch.env(name, &url);
    }
    let hostile = launch.start();
    assert_eq!(config(&hostile), config(&plain));
    // The client of the service calls whom it is told to call, without a proxy.
    let call = format!(
        "[{{\"url\": \"http://{}/\", \"arguments\": 1}}]",
        plain.http()
    );
    let reply = hostile.connect().post("/test", "", &call);
    assert_eq!(reply.expect("an answer").status, 200);
    assert_eq!(hostile.metric("http_requests_total", "status=\"200\""), 1.0);
    let workers = |service: &Service| service.metric("detectviz_tokio_workers", "");
    assert_eq!(workers(&hostile), workers(&plain));
    hostile.signal(Signal::TERM);
    assert_eq!(hostile.wait(BOUND).code, Some(0));
    let called = trap.accept().expect_err("nobody calls");
    assert!(is_timeout(&called), "{called}");
}

#[test]
fn a_collector_that_only_a_variable_names_is_not_called_when_the_configuration_says_no() {
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    trap.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}", trap.local_addr().expect("an address"));
    let service = Launch::conformance()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .set("telemetry.otlp.enabled", false)
        .start();
    assert_eq!(service.get("/").status, 200);
    service.signal(Signal::TERM);
    assert_eq!(service.wait(BOUND).code, Some(0));
    assert!(is_timeout(&trap.accept().expect_err("nobody calls")));
}

#[test]
fn what_opentelemetrys_variables_say_comes_through_the_configuration_and_a_flag_overrules_it() {
    let variables = [
        ("OTEL_SERVICE_NAME", "told"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2"),
    ];
    let mut launch = Launch::conformance().set("telemetry.otlp.traces.ratio", "0.5");
    for (name, value) in variables {
        launch = launch.env(name, value);
    }
    let service = launch.start();
    let config = config(&service);
    assert_eq!(config["service.name"], "told");
    assert_eq!(config["telemetry.otlp.endpoint"], "http://127.0.0.1:9");
    assert_eq!(config["telemetry.otlp.traces.sampler"], "traceidratio");
    assert_eq!(config["telemetry.otlp.traces.ratio"], 0.5);
    let page = service.admin_get("/config").expect("a page").text();
    assert!(!page.contains("hunter2"), "{page}");
}

#[test]
fn kubernetes_service_links_do_no_harm() {
    let service = Launch::conformance()
        .env("DETECTVIZ_PORT", "tcp://10.0.0.1:80")
        .env("DETECTVIZ_SERVICE_HOST", "10.0.0.1")
        .env("CONFORMANCE_PORT_80_TCP_ADDR", "10.0.0.1")
        .env("HTTP_PORT", "tcp://10.0.0.1:80")
        .start();
    assert_eq!(service.get("/").status, 200);
}
