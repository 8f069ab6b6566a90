//! Requests that make no sense, in any order.
use detectviz_tests::vault::core::{Call, Core};
use serde_json::{Value, json};
use std::time::Duration;

const METHODS: [&str; 6] = ["GET", "LIST", "POST", "PATCH", "DELETE", "WHAT"];

const PARTS: [&str; 42] = [
    "",
    "sys",
    "auth",
    "mounts",
    "leases",
    "lookup",
    "renew",
    "revoke",
    "revoke-prefix",
    "policies",
    "acl",
    "policy",
    "internal",
    "ui",
    "wrapping",
    "unwrap",
    "wrap",
    "token",
    "create",
    "renew-self",
    "lookup-self",
    "approle",
    "role",
    "role-id",
    "secret-id",
    "login",
    "userpass",
    "users",
    "kubernetes",
    "config",
    "cert",
    "certs",
    "kv",
    "data",
    "metadata",
    "database",
    "roles",
    "creds",
    "static-roles",
    "pki",
    "issue",
    "app",
];

fn value(rng: &mut fastrand::Rng) -> Value {
    match rng.u8(..9) {
        0 => Value::Null,
        1 => json!(rng.u64(..)),
        2 => json!(-1),
        3 => json!("1h"),
        4 => json!(["app", 1, null]),
        5 => json!({ "version": "2" }),
        6 => json!(
            [
                "kv", "kv-v2", "database", "pki", "approle", "userpass", "cert"
            ][rng.usize(..7)]
        ),
        7 => json!("é%\u{0}\"}{"),
        _ => json!(true),
    }
}

#[test]
fn nothing_panics_and_every_answer_has_a_status() {
    let fields = [
        "type",
        "ttl",
        "policy",
        "policies",
        "token",
        "lease_id",
        "increment",
        "data",
        "options",
        "versions",
        "path",
        "paths",
        "password",
        "role",
        "jwt",
        "role_id",
        "secret_id",
        "db_name",
        "username",
        "rotation_period",
        "default_ttl",
        "common_name",
        "period",
        "num_uses",
        "explicit_max_ttl",
        "plugin_name",
        "allowed_roles",
        "config",
        "metadata",
        "certificate",
    ];
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut core = Core::new(seed, 1_798_761_600);
        let root = core.root_token().to_owned();
        for kind in ["kv", "kv-v2", "database", "pki"] {
            let path = format!("sys/mounts/{kind}");
            core.handle(
                &Call::new("POST", &path)
                    .token(&root)
                    .body(json!({ "type": kind })),
                Duration::ZERO,
            );
        }
        let mut now = Duration::ZERO;
        for _ in 0..1_000 {
            now += Duration::from_millis(rng.u64(..100_000));
            let depth = rng.usize(1..6);
            let parts: Vec<&str> = (0..depth)
                .map(|_| PARTS[rng.usize(..PARTS.len())])
                .collect();
            let path = parts.join("/");
            let mut call = Call::new(METHODS[rng.usize(..METHODS.len())], &path);
            if rng.u8(..10) > 0 {
                call = call.token(&root);
            }
            let count = rng.usize(..6);
            let body = (0..count).map(|_| {
                (
                    fields[rng.usize(..fields.len())].to_owned(),
                    value(&mut rng),
                )
            });
            call.body = Value::Object(body.collect());
            call.wrap = (rng.u8(..10) == 0).then(|| rng.u64(..1_000));
            let answer = core.handle(&call, now);
            assert!((200..=503).contains(&answer.status), "{call:?}: {answer:?}");
        }
    }
}
