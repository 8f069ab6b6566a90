//! What the clock does to everything else that ends, without any socket.
use detectviz_tests::vault::{
    VaultAdmin, VaultOptions, VaultServer,
    core::{Answer, Call, Core},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A Vault, and requests with the root token at a second.
struct Fixture(Core);

impl Fixture {
    fn new() -> Self {
        Self(Core::new(3, 1_798_761_600))
    }

    fn at(&mut self, second: u64, call: &Call) -> Answer {
        self.0.handle(call, Duration::from_secs(second))
    }

    fn root(&mut self, second: u64, method: &str, path: &str, body: Value) -> Answer {
        let token = self.0.root_token().to_owned();
        self.at(second, &Call::new(method, path).token(&token).body(body))
    }
}

#[test]
fn a_static_role_rotates_by_the_clock() {
    let mut vault = Fixture::new();
    let config = json!({ "plugin_name": "p", "allowed_roles": "*" });
    let role = json!({ "db_name": "db", "username": "orders", "rotation_period": 60 });
    vault.root(0, "POST", "sys/mounts/db", json!({ "type": "database" }));
    vault.root(0, "POST", "db/config/db", config);
    vault.root(0, "POST", "db/static-roles/app", role);
    let mut last = String::new();
    for (second, ttl, rotated) in [
        (0, 60, true),
        (59, 1, false),
        (60, 60, true),
        (100, 20, false),
        (250, 50, true),
    ] {
        let read = vault.root(second, "GET", "db/static-creds/app", Value::Null);
        assert_eq!(read.at("/data/ttl"), ttl, "at {second}");
        let password = read.text("/data/password");
        assert_eq!(password != last, rotated, "at {second}");
        let now = Duration::from_secs(second);
        assert!(vault.0.is_valid("orders", &password, now));
        assert_eq!(
            vault.0.is_valid("orders", &last, now),
            !rotated,
            "at {second}"
        );
        last = password;
    }
}

#[test]
fn a_periodic_token_lives_for_as_long_as_it_is_renewed() {
    let mut vault = Fixture::new();
    let wanted = json!({ "period": "10m", "policies": ["default"] });
    let made = vault.root(0, "POST", "auth/token/create", wanted);
    let token = made.text("/auth/client_token");
    for round in 1..500 {
        let renew = Call::new("POST", "auth/token/renew-self").token(&token);
        let renewed = vault.at(round * 599, &renew);
        assert_eq!(renewed.at("/auth/lease_duration"), 600, "round {round}");
    }
    let late = Call::new("GET", "auth/token/lookup-self").token(&token);
    assert_eq!(vault.at(499 * 599 + 599, &late).status, 200);
    assert_eq!(vault.at(499 * 599 + 600, &late).status, 403);
}

#[test]
fn secret_ids_and_wrapped_answers_end() {
    let mut vault = Fixture::new();
    vault.root(0, "POST", "sys/auth/approle", json!({ "type": "approle" }));
    let role = json!({ "secret_id_ttl": "10m", "token_ttl": "20m", "token_max_ttl": "1h" });
    vault.root(0, "POST", "auth/approle/role/app", role);
    let id = vault.root(0, "GET", "auth/approle/role/app/role-id", Value::Null);
    let root = vault.0.root_token().to_owned();
    let mut generate = Call::new("POST", "auth/approle/role/app/secret-id").token(&root);
    generate.wrap = Some(60);
    let lost = vault.at(0, &generate).text("/wrap_info/token");
    let wrapped = vault.at(0, &generate).text("/wrap_info/token");
    let unwrap = |token: &str| Call::new("POST", "sys/wrapping/unwrap").token(token);
    let secret = vault.at(59, &unwrap(&wrapped));
    let late = vault.at(60, &unwrap(&lost));
    assert_eq!(late.status, 400);
    assert_eq!(
        late.text("/errors/0"),
        "wrapping token is not valid or does not exist"
    );
    let login = Call::new("POST", "auth/approle/login").body(json!({
        "role_id": id.text("/data/role_id"), "secret_id": secret.text("/data/secret_id"),
    }));
    let made = vault.at(599, &login);
    assert_eq!(made.at("/auth/lease_duration"), 1_200);
    assert_eq!(
        vault.at(600, &login).text("/errors/0"),
        "invalid role or secret ID"
    );
    let renew = Call::new("POST", "auth/token/renew-self").token(&made.text("/auth/client_token"));
    for (second, ttl) in [(1_500, 1_200), (2_600, 1_200), (3_700, 499)] {
        let renewed = vault.at(second, &renew);
        assert_eq!(renewed.at("/auth/lease_duration"), ttl, "at {second}");
    }
    assert_eq!(vault.at(4_199, &renew).status, 403);
}

#[test]
fn a_version_is_deleted_after_the_time_of_its_key() {
    let mut vault = Fixture::new();
    let body = json!({ "type": "kv", "options": { "version": "2" } });
    vault.root(0, "POST", "sys/mounts/kv", body);
    let rules = json!({ "delete_version_after": "1m" });
    vault.root(0, "POST", "kv/metadata/app", rules);
    vault.root(5, "POST", "kv/data/app", json!({ "data": { "a": 1 } }));
    for (second, status) in [(64, 200), (65, 404)] {
        let read = vault.root(second, "GET", "kv/data/app", Value::Null);
        assert_eq!(read.status, status, "at {second}");
        assert_eq!(
            read.text("/data/metadata/deletion_time"),
            "2027-01-01T00:01:05.000000000Z"
        );
    }
}

#[test]
fn what_a_mount_lent_ends_with_it() {
    let mut vault = Fixture::new();
    vault.root(0, "POST", "sys/mounts/db", json!({ "type": "database" }));
    let config = json!({ "plugin_name": "p", "allowed_roles": ["app"] });
    vault.root(0, "POST", "db/config/db", config);
    for name in ["app", "other"] {
        vault.root(
            0,
            "POST",
            &format!("db/roles/{name}"),
            json!({ "db_name": "db" }),
        );
    }
    let refused = vault.root(0, "GET", "db/creds/other", Value::Null);
    assert_eq!(refused.status, 500);
    let lent = vault.root(0, "GET", "db/creds/app", Value::Null);
    assert_eq!(lent.at("/lease_duration"), 2_764_800);
    vault.root(0, "DELETE", "db/roles/app", Value::Null);
    let renew = json!({ "lease_id": lent.text("/lease_id") });
    let renewed = vault.root(1, "POST", "sys/leases/renew", renew);
    assert_eq!(renewed.status, 400);
    assert!(
        renewed
            .text("/errors/0")
            .contains("could not find role with name: \"app\"")
    );
    assert_eq!(vault.0.lease_views(Duration::from_secs(2)).len(), 1);
    vault.root(2, "DELETE", "sys/mounts/db", Value::Null);
    assert!(vault.0.lease_views(Duration::from_secs(2)).is_empty());
}

#[test]
fn older_releases_say_less_of_tokens() {
    let call = Call::new("GET", "sys/mounts");
    for (old, none, unknown) in [
        (
            false,
            (403, "permission denied"),
            "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        ),
        (true, (400, "missing client token"), "permission denied"),
    ] {
        let mut core = Core::new(1, 0);
        if old {
            core = core.old_errors();
        }
        let answer = core.handle(&call, Duration::ZERO);
        assert_eq!((answer.status, answer.text("/errors/0").as_str()), none);
        let answer = core.handle(&call.clone().token("hvs.none"), Duration::ZERO);
        assert_eq!(
            (answer.status, answer.text("/errors/0").as_str()),
            (403, unknown)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_lasts_as_long_as_it_is_told() {
    let server = VaultServer::start(VaultOptions::default().second(Duration::from_millis(10)));
    tokio::time::advance(Duration::from_millis(25)).await;
    assert_eq!(server.now(), Duration::from_millis(2_500));
    let admin = VaultAdmin::new(server.address(), server.root_token());
    assert_eq!(
        format!("{admin:?}"),
        format!("VaultAdmin {{ address: {:?}, .. }}", admin.address)
    );
}
