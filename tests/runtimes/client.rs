//! A client follows the file of its settings while it runs.
use crate::host::{Host, Tenant};
use detectviz_core::resilience::breaker::State;
use detectviz_http::client::{Body, Client, ClientHandle, ResponseBody};
use detectviz_tests::{eventually, foreign::TempDir};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::{fmt::Write, time::Duration};

struct Caller {
    host: Host,
    tenant: Tenant,
    client: Client,
    handle: ClientHandle,
    dir: TempDir,
}

/// What `app_config.yaml` says of the client.
#[derive(Clone, Copy)]
struct Settings<'a> {
    attempt_timeout: &'a str,
    max_concurrent: u32,
    minimum_calls: u32,
    more: &'a str,
}

const FIRST: Settings<'static> = Settings {
    attempt_timeout: "500ms",
    max_concurrent: 1,
    minimum_calls: 100,
    more: "",
};

// === impl Settings ===

impl Settings<'_> {
    fn policy(&self, indent: usize) -> String {
        let mut policy = String::new();
        for line in [
            format!("attempt_timeout: {}", self.attempt_timeout),
            "retry: {attempts: 1}".to_owned(),
            format!(
                "bulkhead: {{max_concurrent: {}, queue: {{max_queue: 0}}}}",
                self.max_concurrent
            ),
            format!(
                "breaker: {{window: {{calls: 100}}, minimum_calls: {}}}",
                self.minimum_calls
            ),
        ] {
            let _written = writeln!(policy, "{:indent$}{line}", "");
        }
        policy
    }

    fn file(&self) -> String {
        format!("client:\n  policy:\n{}{}", self.policy(4), self.more)
    }
}

// === impl Caller ===

impl Caller {
    fn new() -> Self {
        let (host, dir) = (Host::new(), TempDir::new());
        dir.write("app_config.yaml", &FIRST.file());
        let tenant = host.start_from("caller", &dir);
        let client = tenant.started().provided("client").unwrap();
        let handle = tenant.started().provided("client").unwrap();
        Self {
            host,
            tenant,
            client,
            handle,
            dir,
        }
    }

    /// Changes the file, and waits until that is said.
    fn change(&self, settings: Settings<'_>) {
        let message = "the configuration was reloaded; what is pending waits for a restart";
        let before = self.tenant.sink.saying(message).len();
        self.dir.write("app_config.yaml", &settings.file());
        self.tenant.sink.wait_for(before + 1, message);
    }

    fn call(&self, uri: &str) -> Result<Response<ResponseBody>, String> {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let answer = self.host.block_on(self.client.request(request));
        answer.map_err(|err| err.to_string())
    }

    fn finish(&self, uri: &str) -> u16 {
        let answer = self.call(uri).unwrap();
        let status = answer.status().as_u16();
        self.host.block_on(answer.into_body().collect()).unwrap();
        status
    }
}

#[test]
fn an_edited_file_changes_the_policies_and_keeps_what_they_count() {
    let caller = Caller::new();
    let upstream = caller.host.start("upstream", &[]);
    let name = upstream.http.to_string();
    let uri = |path: &str| format!("http://{name}{path}");
    for _ in 0..10 {
        assert_eq!(caller.finish(&uri("/panic")), 500);
    }
    let seen = caller.handle.upstream(&name).unwrap();
    let deposits = seen.retry_budget(std::time::Instant::now());
    let held = caller.call(&uri("/")).unwrap();
    assert!(caller.call(&uri("/")).is_err(), "one call at a time");

    let second = Settings {
        attempt_timeout: "700ms",
        max_concurrent: 2,
        ..FIRST
    };
    caller.change(second);
    assert_eq!(seen.policy().attempt_timeout, Duration::from_millis(700));
    assert_eq!((seen.bulkhead().limit, seen.bulkhead().in_flight), (2, 1));
    assert_eq!(seen.breaker().counts().failures, 10, "the window stays");
    assert!(seen.retry_budget(std::time::Instant::now()) >= deposits);
    assert_eq!(caller.finish(&uri("/")), 200, "two calls at a time");
    drop(held);

    // A file that cannot work changes nothing, and says so.
    let broken = Settings {
        attempt_timeout: "9s",
        minimum_calls: 10,
        ..FIRST
    };
    caller.dir.write("app_config.yaml", &broken.file());
    let message = "the configuration was not reloaded: the last good one is kept";
    let said = caller.tenant.sink.wait_for(1, message);
    let problems = said[0]["problems"].as_str().unwrap();
    assert!(
        problems.contains("client.policy.attempt_timeout"),
        "{problems}"
    );
    assert_eq!(seen.breaker().state(), State::Closed);
    assert_eq!(seen.policy().attempt_timeout, Duration::from_millis(700));

    // A threshold that the calls counted so far have reached.
    caller.change(Settings {
        minimum_calls: 10,
        ..second
    });
    assert_eq!(seen.breaker().state(), State::Open);
    let shown = caller.tenant.admin("/clients").json();
    assert_eq!(
        shown["client"]["upstreams"][&*name]["breaker"]["state"], "open",
        "{shown}"
    );
    assert!(caller.call(&uri("/")).is_err());

    // And back again, to where it began.
    seen.breaker().reset();
    caller.change(FIRST);
    assert_eq!(seen.policy().attempt_timeout, Duration::from_millis(500));
    assert_eq!(seen.bulkhead().limit, 1);
}

#[test]
fn a_host_that_is_named_later_gets_its_policy_and_routes_and_what_needs_a_restart_waits() {
    let caller = Caller::new();
    let upstream = caller.host.start("upstream", &[]);
    let name = upstream.http.to_string();
    assert_eq!(caller.finish(&format!("http://{name}/")), 200);
    let seen = caller.handle.upstream(&name).unwrap();
    let more = format!(
        "  upstreams:\n    \"{name}\":\n{}      routes:\n      - match: {{path: /later}}\n        priority: critical\n",
        Settings {
            max_concurrent: 7,
            ..FIRST
        }
        .policy(6)
    );
    caller.change(Settings {
        more: &more,
        ..FIRST
    });
    assert_eq!(seen.bulkhead().limit, 7);
    assert_eq!(seen.policy().routes.len(), 1);
    caller.change(Settings {
        more: "  h2: true\n",
        ..FIRST
    });
    assert_eq!(seen.bulkhead().limit, 1, "the section has gone again");
    let said = eventually("what waits is said", || {
        caller
            .tenant
            .sink
            .lines()
            .into_iter()
            .find(|line| line["pending"] == "client.h2")
    });
    assert!(
        said["live"].as_str().unwrap().contains("client.upstreams"),
        "{said}"
    );
    assert_eq!(
        caller.finish(&format!("http://{name}/")),
        200,
        "it speaks HTTP/1.1 as before"
    );
}

#[test]
fn too_many_hosts_are_said_once_and_shown() {
    let host = Host::new();
    let caller = host.start("caller", &["client.max_upstreams=1"]);
    let upstream = host.start("upstream", &[]);
    let local = format!("localhost:{}", upstream.http.port());
    for name in [
        upstream.http.to_string(),
        upstream.admin.to_string(),
        local.clone(),
        local,
    ] {
        // In a task of the caller, so that what is said is said in its name.
        assert_eq!(caller.get(&format!("/call?to={name}")).status, 200);
    }
    let said = eventually("it is said", || {
        let lines = caller.sink.lines();
        let said = lines.into_iter().filter(|line| {
            let message = line["message"].as_str().unwrap_or_default();
            message.contains("raise max_upstreams")
        });
        Some(said.collect::<Vec<_>>()).filter(|said| !said.is_empty())
    });
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(
        (&said[0]["level"], &said[0]["max_upstreams"]),
        (&"WARN".into(), &1.into())
    );
    let shown = caller.admin("/clients").json();
    assert!(
        shown["client"]["upstreams"]["_other"].is_object(),
        "{shown}"
    );
    let metric = "detectviz_http_client_upstream_overflow_total";
    assert!(caller.metric(metric, "") >= 3.0);
}
