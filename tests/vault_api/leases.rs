//! Tokens and leases by the clock, without any socket.
use detectviz_tests::vault::core::{Answer, Call, Core};
use serde_json::{Value, json};
use std::time::Duration;

/// A Vault with the database role `app` (20 minutes, at most an hour), and a clock in seconds.
struct Fixture {
    core: Core,
    root: String,
}

impl Fixture {
    fn new() -> Self {
        let core = Core::new(1, 1_798_761_600);
        let root = core.root_token().to_owned();
        let mut fixture = Self { core, root };
        for (path, body) in [
            ("sys/mounts/database", json!({ "type": "database" })),
            (
                "database/config/db",
                json!({ "plugin_name": "p", "allowed_roles": "app" }),
            ),
            (
                "database/roles/app",
                json!({ "db_name": "db", "default_ttl": "20m", "max_ttl": "1h" }),
            ),
        ] {
            assert_eq!(fixture.root(0, "POST", path, body).status, 204, "{path}");
        }
        fixture
    }

    fn at(&mut self, second: u64, call: &Call) -> Answer {
        self.core.handle(call, Duration::from_secs(second))
    }

    fn root(&mut self, second: u64, method: &str, path: &str, body: Value) -> Answer {
        let call = Call::new(method, path).token(&self.root).body(body);
        self.at(second, &call)
    }

    fn valid(&mut self, second: u64, lent: &Answer) -> bool {
        let (user, password) = (lent.text("/data/username"), lent.text("/data/password"));
        self.core
            .is_valid(&user, &password, Duration::from_secs(second))
    }
}

#[test]
fn a_lease_that_is_renewed_lives_to_its_max_ttl_and_no_longer() {
    let mut vault = Fixture::new();
    let lent = vault.root(0, "GET", "database/creds/app", Value::Null);
    assert_eq!(lent.at("/lease_duration"), 1_200);
    assert_eq!(lent.at("/renewable"), true);
    let id = lent.text("/lease_id");
    assert!(id.starts_with("database/creds/app/"), "{id}");
    for (second, expected, capped) in [
        (800, 1_200, false),
        (1_600, 1_200, false),
        (2_400, 1_200, false),
        (3_200, 400, true),
        (3_500, 100, true),
    ] {
        let renewed = vault.root(
            second,
            "POST",
            "sys/leases/renew",
            json!({ "lease_id": id }),
        );
        assert_eq!(renewed.at("/lease_duration"), expected, "at {second}");
        assert_eq!(renewed.at("/warnings").is_array(), capped, "at {second}");
        assert!(vault.valid(second, &lent));
    }
    assert!(vault.valid(3_599, &lent));
    assert!(!vault.valid(3_600, &lent));
    let late = vault.root(3_600, "POST", "sys/leases/renew", json!({ "lease_id": id }));
    assert_eq!(
        (late.status, late.at("/errors/0")),
        (400, json!("lease not found"))
    );
}

#[test]
fn a_token_takes_its_leases_and_its_children_with_it() {
    let policy = json!({ "policy": r#"
        path "database/creds/app" { capabilities = ["read"] }
        path "auth/token/create" { capabilities = ["update"] }
    "# });
    for revoked in [true, false] {
        let mut vault = Fixture::new();
        vault.root(0, "PUT", "sys/policies/acl/app", policy.clone());
        let wanted = json!({ "policies": ["app"], "ttl": "10m" });
        let made = vault.root(0, "POST", "auth/token/create", wanted);
        let parent = made.text("/auth/client_token");
        let child = vault.at(1, &Call::new("POST", "auth/token/create").token(&parent));
        let child = child.text("/auth/client_token");
        let lent = vault.at(2, &Call::new("GET", "database/creds/app").token(&child));
        assert!(vault.valid(2, &lent));
        let end = if revoked { 3 } else { 600 };
        if revoked {
            vault.at(
                3,
                &Call::new("POST", "auth/token/revoke-self").token(&parent),
            );
        } else {
            assert!(vault.valid(599, &lent));
        }
        assert!(!vault.valid(end, &lent), "revoked: {revoked}");
        let gone = vault.at(
            end,
            &Call::new("GET", "auth/token/lookup-self").token(&child),
        );
        assert_eq!(gone.status, 403);
        assert!(gone.text("/errors/0").contains("invalid token"), "{gone:?}");
    }
}

#[test]
fn while_it_is_sealed_nothing_ends_and_afterwards_all_that_is_over() {
    let mut vault = Fixture::new();
    let lent = vault.root(0, "GET", "database/creds/app", Value::Null);
    assert_eq!(vault.root(10, "PUT", "sys/seal", Value::Null).status, 204);
    let sealed = vault.root(11, "GET", "database/creds/app", Value::Null);
    assert_eq!(
        (sealed.status, sealed.at("/errors/0")),
        (503, json!("Vault is sealed"))
    );
    assert!(vault.valid(1_300, &lent));
    let key = vault.core.unseal_key().to_owned();
    let open = vault.at(
        1_300,
        &Call::new("PUT", "sys/unseal").body(json!({ "key": key })),
    );
    assert_eq!(open.at("/sealed"), false);
    assert!(!vault.valid(1_300, &lent));
}
