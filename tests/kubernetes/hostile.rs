//! Variables that Kubernetes' own tools read.
use super::support::{Pod, password};
use std::{net::TcpListener, process::Command};

#[tokio::test]
async fn a_secret_is_fetched() {
    let pod = Pod::start();
    assert_eq!(password(&pod.store()).await, "hunter2");
}

#[test]
fn hostile_variables_have_no_effect_and_nobody_is_called() {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a port");
    trap.set_nonblocking(true).expect("a socket");
    let address = trap.local_addr().expect("an address");
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "hostile::a_secret_is_fetched"]);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        child.env(name, format!("http://{address}"));
    }
    child.env("NO_PROXY", "").env("no_proxy", "");
    child.env("KUBERNETES_SERVICE_HOST", address.ip().to_string());
    child.env("KUBERNETES_SERVICE_PORT", address.port().to_string());
    for name in [
        "KUBECONFIG",
        "HOME",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SSLKEYLOGFILE",
    ] {
        child.env(name, "/nowhere/at/all");
    }
    let output = child.output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
    assert!(trap.accept().is_err(), "nobody calls");
}
