//! M1: the pages of `/metrics` are read by those that will read them.
use crate::support::ask;
use detectviz_tests::{
    Launch, Service, eventually,
    foreign::{Foreign, TempDir, filter, free_ports, python},
    http1::Connection,
};
use std::process::Command;

/// A service that has seen all sorts of requests.
fn after_traffic() -> Service {
    let service = Launch::conformance().start();
    for (method, target, more, status) in [
        (
            "GET",
            "/",
            "traceparent: 00-00000000000000000000000000000abc-0000000000000abc-01\r\n",
            200,
        ),
        ("GET", "/slow?ms=3", "", 200),
        ("GET", "/panic", "", 500),
        ("GET", "/unknown/%22%0a", "", 404),
        ("WHATEVER", "/", "", 200),
        ("GET", "/", "traceparent: wrong\r\nbaggage: =\r\n", 200),
    ] {
        assert_eq!(
            ask(service.http(), method, target, more).status,
            status,
            "{target}"
        );
    }
    service
}

#[test]
fn m1_promtool_finds_nothing_wrong_with_the_classic_page() {
    let service = after_traffic();
    let page = ask(service.admin(), "GET", "/metrics", "");
    assert_eq!(
        page.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]);
    let (clean, said) = filter(promtool, "prometheus", &page.body);
    assert!(clean && said.trim().is_empty(), "{said}");
}

#[test]
fn m1_the_strict_parser_reads_the_openmetrics_page() {
    const PARSE: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
samples = [s for f in families for s in f.samples]
print(len(families), len(samples), sum(1 for s in samples if s.exemplar))
";
    let service = after_traffic();
    let accept = "Accept: application/openmetrics-text; version=1.0.0\r\n";
    let page = ask(service.admin(), "GET", "/metrics", accept);
    assert!(
        page.header("content-type")
            .is_some_and(|v| v.starts_with("application/openmetrics-text; version=1.0.0"))
    );
    assert!(page.text().ends_with("\n# EOF\n"));
    let mut parser = Command::new(python());
    parser.args(["-c", PARSE]);
    let (read, said) = filter(parser, "prometheus_client", &page.body);
    assert!(read, "{said}");
    let numbers: Vec<usize> = said
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    let [families, samples, exemplars] = numbers[..] else {
        panic!("{said}");
    };
    assert!(
        families > 20 && samples > families && exemplars > 0,
        "{said}"
    );
}

#[test]
fn m1_a_real_prometheus_scrapes_and_answers() {
    let service = after_traffic();
    let dir = TempDir::new();
    let [addr] = free_ports();
    dir.write(
        "prometheus.yml",
        &format!(
            "global: {{scrape_interval: 200ms}}\nscrape_configs:\n  - job_name: test\n    static_configs: [{{targets: ['{}']}}]\n",
            service.admin()
        ),
    );
    let mut command = Command::new("prometheus");
    command
        .arg(format!(
            "--config.file={}",
            dir.path().join("prometheus.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            dir.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={addr}"))
        .arg("--enable-feature=exemplar-storage");
    let mut prometheus = Foreign::start(command, "prometheus");
    prometheus.listens(addr);
    let ask = |path: &str| {
        let reply = Connection::open(addr).ok()?.get(path).ok()?;
        (reply.status == 200).then(|| reply.json())
    };
    let value = eventually("Prometheus knows the requests", || {
        let answer = ask("/api/v1/query?query=sum(http_requests_total%7Bstatus%3D~%225..%22%7D)")?;
        answer["data"]["result"][0]["value"][1]
            .as_str()
            .map(str::to_owned)
    });
    assert_eq!(value, "1", "one request panicked");
    let targets = ask("/api/v1/targets").expect("an answer");
    let target = &targets["data"]["activeTargets"][0];
    assert_eq!(
        (&target["health"], &target["lastError"]),
        (&"up".into(), &"".into())
    );
    eventually("Prometheus keeps the exemplar", || {
        let answer = ask(
            "/api/v1/query_exemplars?query=http_server_request_duration_seconds_bucket&start=0&end=9999999999",
        )?;
        let text = answer.to_string();
        text.contains("00000000000000000000000000000abc")
            .then_some(())
    });
}
