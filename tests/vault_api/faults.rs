//! What goes wrong when it is told to.
use detectviz_core::error::BoxError;
use detectviz_tests::vault::{Fault, Station, VaultAdmin, VaultOptions, VaultServer};
use serde_json::{Value, json};
use std::time::Duration;

async fn fixture() -> (VaultServer, VaultAdmin) {
    let server = VaultServer::start(VaultOptions::default());
    let admin = VaultAdmin::new(server.address(), server.root_token());
    let mounted = admin.enable_mount("kv", "kv-v2").await;
    mounted.expect("a new server takes a mount");
    let value = json!({ "data": { "key": "value" } });
    let written = admin.write("kv/data/app", value).await;
    written.expect("a new mount takes a value");
    (server, admin)
}

#[tokio::test]
async fn each_fault_shows_and_goes_away() {
    let (server, admin) = fixture().await;
    let get = || admin.send("GET", "kv/data/app", Value::Null);
    for (fault, status) in [
        (Fault::Seal, Some(503)),
        (Fault::RateLimit { retry_after: 3 }, Some(429)),
        (Fault::Status(500), Some(500)),
        (Fault::Status(502), None),
        (Fault::Close, None),
        (Fault::Cut, None),
        (Fault::Garbage, None),
        (Fault::Empty, Some(200)),
        (Fault::WrongTypes, Some(200)),
        (Fault::Huge(1 << 20), Some(200)),
        (Fault::ContentType("text/plain"), Some(200)),
        (Fault::Delay(Duration::from_millis(5)), Some(200)),
    ] {
        server.set(fault.clone());
        let got = get().await.ok().map(|answer| answer.status);
        assert_eq!(got, status, "{fault:?}");
        server.clear();
        let well = get().await.unwrap();
        assert_eq!(well.at("/data/data/key"), "value", "after {fault:?}");
    }
}

#[tokio::test]
async fn a_fault_meets_the_next_requests_of_its_path() -> Result<(), BoxError> {
    let (server, admin) = fixture().await;
    server.set(Fault::Status(500).on("kv/data/").times(2));
    for expected in [500, 500, 200] {
        let other = admin.send("GET", "kv/metadata/app", Value::Null).await?;
        assert_eq!(other.status, 200);
        let answer = admin.send("GET", "kv/data/app", Value::Null).await?;
        assert_eq!(answer.status, expected);
    }
    server.set(Fault::field("/data/data/key", json!(null)).times(1));
    for expected in [Value::Null, json!("value")] {
        let answer = admin.read("kv/data/app").await?;
        assert_eq!(answer["data"]["data"]["key"], expected);
    }
    assert_eq!(server.requests("kv/data/app"), 6);
    let log = server.log();
    assert_eq!(log.last().unwrap().status, 200);
    assert_eq!(log[0].accessor, server.accessor(&admin.token));
    Ok(())
}

#[tokio::test]
async fn a_store_that_was_away_is_back_with_its_state() -> Result<(), BoxError> {
    let (server, admin) = fixture().await;
    server.stop().await;
    assert!(admin.read("kv/data/app").await.is_err());
    server.resume();
    let read = admin.read("kv/data/app").await?;
    assert_eq!(read["data"]["data"]["key"], "value");
    Ok(())
}

#[tokio::test]
async fn a_standby_forwards_or_redirects() -> Result<(), BoxError> {
    let (server, admin) = fixture().await;
    let standby = server.standby();
    let other = VaultAdmin::new(standby.address(), server.root_token());
    let health = |query: &str| format!("sys/health{query}");
    for (station, query, status) in [
        (Station::Standby, "", 429),
        (Station::Standby, "?standbyok=true", 200),
        (Station::Standby, "?standbycode=299", 299),
        (Station::PerformanceStandby, "", 473),
        (Station::PerformanceStandby, "?perfstandbyok=true", 200),
        (Station::DrSecondary, "", 472),
    ] {
        standby.set_station(station);
        let answer = other.send("GET", &health(query), Value::Null).await?;
        assert_eq!(answer.status, status, "{station:?}{query}");
    }
    standby.set_station(Station::Standby);
    assert_eq!(
        admin.send("GET", "sys/health", Value::Null).await?.status,
        200
    );
    let leader = other.read("sys/leader").await?;
    assert_eq!(
        (&leader["is_self"], &leader["leader_address"]),
        (&json!(false), &json!(server.address()))
    );
    assert_eq!(
        other.read("kv/data/app").await?["data"]["data"]["key"],
        "value"
    );
    for (active, status) in [(server.address(), 307), (String::new(), 500)] {
        standby.redirect_to(active);
        let answer = other.send("GET", "kv/data/app", Value::Null).await?;
        assert_eq!(answer.status, status);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_held_clock_runs_long_leases_at_once() -> Result<(), BoxError> {
    let held = detectviz_tests::vault::clock::Held::new();
    let (server, admin) = fixture().await;
    admin.enable_mount("db", "database").await?;
    let config = json!({ "plugin_name": "p", "allowed_roles": "*" });
    admin.write("db/config/c", config).await?;
    let role = json!({ "db_name": "c", "default_ttl": "20m", "max_ttl": "1h" });
    admin.write("db/roles/app", role).await?;
    let lent = admin.read("db/creds/app").await?;
    let text = |pointer: &str| {
        lent.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    let (user, password) = (text("/data/username"), text("/data/password"));
    held.pass(Duration::from_secs(1_190), Duration::from_secs(70))
        .await;
    assert!(server.is_valid(&user, &password));
    assert_eq!(server.leases()[0].ttl, 10);
    held.pass(Duration::from_secs(10), Duration::from_secs(1))
        .await;
    assert!(!server.is_valid(&user, &password));
    assert!(server.leases().is_empty());
    Ok(())
}
