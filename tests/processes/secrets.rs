//! Secrets of a process: all that is missing is said before anything is bound, and what rotates reaches who uses it.
use detectviz_tests::{Launch, bin, wait::eventually};
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A directory of secrets that goes with the test.
struct Secrets(PathBuf);

impl Secrets {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("secrets-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn put(&self, name: &str, value: &str) {
        let next = self.0.join("next");
        fs::write(&next, value).unwrap();
        fs::rename(next, self.0.join(name)).unwrap();
    }

    fn launch(&self) -> Launch {
        let root: &Path = &self.0;
        Launch::new(&bin("orders")).set("secrets.file.root", root.display())
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn all_secrets_that_are_missing_are_said_at_once_and_nothing_is_bound() {
    let secrets = Secrets::new("missing");
    let launch = secrets.launch();
    // If it bound anything, it would find this port in use, and say that instead.
    let taken = TcpListener::bind(launch.http()).unwrap();
    let ended = launch
        .sets(&[
            "telemetry.otlp.enabled=true",
            "telemetry.otlp.secret_headers.x-key=${secret:env:NO_SUCH_KEY}",
        ])
        .run();
    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    for named in [
        "2 of 2 secrets",
        "${secret:file:orders-token}",
        "mount the secret at",
        "${secret:env:NO_SUCH_KEY}",
    ] {
        assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
    }
    drop(taken);
}

#[test]
fn a_rotated_token_is_taken_over_within_a_second_and_no_request_meanwhile_fails() {
    let secrets = Secrets::new("rotated");
    secrets.put("orders-token", "canary-0");
    let service = secrets.launch().start();
    let order = |token: &str| {
        let more = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let body = r#"{"item":"tea","quantity":1}"#;
        let reply = service.connect().post("/orders", &more, body);
        reply.unwrap().status
    };
    let mut seen_after = Vec::new();
    for round in 0..5 {
        let (old, new) = (format!("canary-{round}"), format!("canary-{}", round + 1));
        assert_eq!(order(&old), 201);
        assert_eq!(order(&new), 401);
        secrets.put("orders-token", &new);
        let swapped = Instant::now();
        loop {
            // One of the two is always good.
            match (order(&old), order(&new)) {
                (_, 201) => break,
                (201, 401) => {}
                other => panic!("{other:?}"),
            }
            assert!(
                swapped.elapsed() < Duration::from_secs(10),
                "it is not seen"
            );
        }
        seen_after.push(swapped.elapsed());
    }
    // Of five, so that a machine that pauses once does not count.
    seen_after.sort();
    assert!(seen_after[2] < Duration::from_secs(1), "{seen_after:?}");
    let shown = service.admin_get("/secrets").unwrap().json();
    let shown = &shown["secrets"]["${secret:file:orders-token}"];
    assert_eq!(
        (&shown["version"], &shown["state"]),
        (&6.into(), &"fresh".into())
    );
    fs::remove_file(secrets.0.join("orders-token")).unwrap();
    let ready = eventually("it is degraded", || {
        let ready = service.admin_get("/readyz?verbose")?;
        (ready.text().contains("orders-token")).then_some(ready)
    });
    assert_eq!(ready.status, 200, "and still ready: {}", ready.text());
    assert_eq!(order("canary-5"), 201, "the last good value is kept");
    let (out, err) = (service.stdout(), service.stderr());
    assert!(out.contains("secret.audit") && !out.contains("canary-") && !err.contains("canary-"));
}
