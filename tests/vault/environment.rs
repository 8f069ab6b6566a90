//! Variables that are meant for others.
use crate::support::{Fixture, field};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::Command,
};

/// What Vault's own tools, vaultrs, reqwest and rustls would read by themselves.
const HOSTILE: [&str; 18] = [
    "VAULT_ADDR",
    "VAULT_AGENT_ADDR",
    "VAULT_TOKEN",
    "VAULT_NAMESPACE",
    "VAULT_CACERT",
    "VAULT_CAPATH",
    "VAULT_CLIENT_CERT",
    "VAULT_CLIENT_KEY",
    "VAULT_SKIP_VERIFY",
    "VAULT_PROXY_ADDR",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSLKEYLOGFILE",
];

#[tokio::test]
async fn a_login_and_a_read_go_to_the_node_that_is_configured() {
    let fixture = Fixture::new().await;
    assert_eq!(
        field(&fixture.store(), "kv/orders", "password").await,
        "one"
    );
    assert_eq!(
        fixture.server.requests("kv/data/orders"),
        2,
        "written and read"
    );
}

#[test]
fn hostile_variables_have_no_effect_and_nobody_is_called() {
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}", trap.local_addr().unwrap());
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "--test-threads=1"]).args([
        "environment::a_login_and_a_read_go_to_the_node_that_is_configured",
        "tls::the_authority_of_the_configuration_is_trusted",
    ]);
    for name in HOSTILE {
        again.env(name, &url);
    }
    let done = again.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("2 passed"), "{said}");
    assert!(trap.accept().is_err(), "nobody was called");
}
