//! A service as a process of its own: what it does when Vault is not there at the start, and what it leaves behind at its end.
use crate::support::Fixture;
use detectviz_tests::{Launch, eventually, process::free_port};
use rustix::process::Signal;
use serde_json::json;
use std::{
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

/// A service that needs what `references` lead to, and logs in as the application of the fixture.
fn launch(address: &str, references: &str) -> Launch {
    Launch::new(Path::new(env!("CARGO_BIN_EXE_teller")))
        .env("PASSWORD", "hunter2")
        .set("secrets.vault.enabled", true)
        .set("secrets.vault.addresses", format!("[{address}]"))
        .set("secrets.vault.auth.method", "userpass")
        .set("secrets.vault.auth.username", "app")
        .set("secrets.vault.auth.password", "${secret:env:PASSWORD}")
        .set("teller.secrets", references)
}

#[test]
fn a_vault_that_is_not_there_at_the_start_is_69_and_every_reference_is_named() {
    let address = format!("http://{}", free_port(Ipv4Addr::LOCALHOST));
    let wanted = r#"["${secret:vault:kv/a#b}", "${secret:vault:kv/c#d}"]"#;
    let begun = Instant::now();
    let ended = launch(&address, wanted)
        .set("secrets.startup_timeout", "1s")
        .run();
    assert_eq!(ended.code, Some(69), "{}", ended.stderr);
    for named in [
        "2 of 3 secrets",
        "${secret:vault:kv/a#b}",
        "kv/c#d",
        &address,
    ] {
        assert!(ended.stderr.contains(named), "{named}: {}", ended.stderr);
    }
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(20),
        "{took:?}"
    );
}

#[test]
fn a_store_that_is_not_enabled_says_how_to_enable_it() {
    let ended = Launch::new(Path::new(env!("CARGO_BIN_EXE_teller")))
        .set("teller.secrets", r#"["${secret:vault:kv/a#b}"]"#)
        .run();
    assert_eq!(ended.code, Some(64), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("secrets.vault.enabled: true"),
        "{}",
        ended.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_lives_through_an_outage_and_leaves_neither_lease_nor_login() {
    let fixture = Fixture::new().await;
    let canary = json!({ "data": { "password": "canary-kv" } });
    fixture.write("kv/data/orders", canary).await;
    let wanted = r#"["${secret:vault:database/creds/orders#password}", "${secret:vault:kv/orders#password}"]"#;
    let address = fixture.server.without_tls();
    let service = launch(&address.address(), wanted).start();
    let shown = service.admin_get("/secrets").unwrap().json();
    let lease = &shown["secrets"]["${secret:vault:database/creds/orders}"]["lease"];
    assert_eq!(lease["renewable"], json!(true), "{shown}");
    assert_eq!(
        (fixture.server.leases().len(), fixture.server.tokens().len()),
        (1, 2)
    );
    address.stop().await;
    let ready = eventually("the store is found to be away", || {
        let ready = service.admin_get("/readyz?verbose")?;
        ready.text().contains("no connection").then_some(ready)
    });
    assert_eq!(ready.status, 200, "degraded, and ready: {}", ready.text());
    assert!(ready.text().contains("secrets.vault"), "{}", ready.text());
    address.resume();
    eventually("it is back", || {
        let ready = service.admin_get("/readyz?verbose")?;
        (!ready.text().contains("no connection")).then_some(())
    });
    let pages = [
        "/config",
        "/metrics",
        "/secrets",
        "/readyz?verbose",
        "/loglevel",
    ];
    let mut said = String::new();
    for page in pages {
        said += &service.admin_get(page).unwrap().text();
    }
    service.signal(Signal::TERM);
    let ended = service.wait(Duration::from_secs(30));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(
        (fixture.server.leases().len(), fixture.server.tokens().len()),
        (0, 1)
    );
    said += &ended.stdout;
    said += &ended.stderr;
    assert!(said.contains("secret.audit"), "the log is at level trace");
    for secret in ["hunter2", "canary-kv", "hvs."] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
